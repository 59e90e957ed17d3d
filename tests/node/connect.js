// A client of Connect's own library, made from descriptors at run time, over HTTP in JSON and in protobuf.
// Prints as JSON what each kind of call answered. Arguments: the address, and a file with the descriptors.
const { readFileSync } = require("node:fs");
const { createFileRegistry, fromBinary, toJson } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const { Code, ConnectError, createClient } = require("@connectrpc/connect");
const { createConnectTransport } = require("@connectrpc/connect-node");

const [address, descriptors] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const service = (name) => registry.getService(`headwater.v1.${name}`);
const message = (name) => registry.getMessage(`headwater.v1.${name}`);
const vector = (...values) => ({ kind: { case: "dense", value: { values } } });
const key = (next) => (request) => {
  request.header.set("api-key", "sesame");
  return next(request);
};

async function failure(call) {
  try {
    await call;
    return null;
  } catch (error) {
    const connect = ConnectError.from(error);
    return {
      code: Code[connect.code],
      message: connect.rawMessage,
      details: connect.details.map((each) => each.type),
    };
  }
}

async function run(useBinaryFormat) {
  const transport = createConnectTransport({
    baseUrl: `http://${address}`,
    httpVersion: "1.1",
    useBinaryFormat,
    interceptors: [key],
  });
  const collections = createClient(service("Collections"), transport);
  const points = createClient(service("Points"), transport);
  const vde = createClient(service("VDE"), transport);
  const collectionName = useBinaryFormat ? "binary" : "json";
  await collections.create({ collectionName, vectors: { "": { size: 2n, distance: 1 } } });
  const large = 2n ** 64n - 1n;
  await points.upsert({
    collectionName,
    points: [
      { id: { kind: { case: "number", value: large } }, vectors: { "": vector(1, 0) } },
      { id: { kind: { case: "key", value: "ключ 🔑" } }, vectors: { "": vector(0, 1) } },
    ],
  });
  const nearest = { kind: { case: "vector", value: vector(1, 0) } };
  const reply = await points.query({ collectionName, query: { kind: { case: "nearest", value: nearest } } });
  await vde.createSnapshot({ collectionName, snapshotName: "one" });
  const chunks = [];
  let size = 0n;
  for await (const part of vde.downloadSnapshot({ collectionName, snapshotName: "one" })) {
    size = part.sizeBytes ?? size;
    chunks.push(part.chunk);
  }
  const archive = Buffer.concat(chunks);
  async function* parts() {
    yield { part: { case: "header", value: { collectionName, snapshotName: "two", sizeBytes: size } } };
    for (let start = 0; start < archive.length; start += 65536) {
      yield { part: { case: "chunk", value: archive.subarray(start, start + 65536) } };
    }
  }
  const uploaded = await vde.uploadSnapshot(parts());
  const stranger = createClient(
    service("Collections"),
    createConnectTransport({ baseUrl: `http://${address}`, httpVersion: "1.1", useBinaryFormat }),
  );
  // No server is done with so many within a millisecond.
  const many = Array.from({ length: 3000 }, (_, number) => ({
    id: { kind: { case: "number", value: BigInt(number) } },
    vectors: { "": vector(1, number) },
  }));
  const lost = async () => {
    for await (const _ of vde.downloadSnapshot({ collectionName, snapshotName: "none" }));
  };
  return {
    hits: toJson(message("PointsQueryResponse"), reply).result.points.map((hit) => hit.id),
    downloaded: size === BigInt(archive.length),
    uploaded: toJson(message("VDEUploadSnapshotResponse"), uploaded).snapshot.snapshotName,
    notFound: await failure(collections.get({ collectionName: "nobody" })),
    invalid: await failure(points.query({ collectionName, query: { kind: { case: "nearest", value: {} } } })),
    late: await failure(points.upsert({ collectionName, points: many }, { timeoutMs: 1 })),
    lost: await failure(lost()),
    stranger: await failure(stranger.list({})),
  };
}

Promise.all([run(false), run(true)]).then(([json, binary]) => {
  console.log(JSON.stringify({ json, binary }));
});
