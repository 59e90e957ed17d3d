// A Node.js client of Headwater: creates a collection, writes points, searches them and runs a nested query.
// Knows only the proto files, which it reads at run time. Usage: node client.js ADDRESS PROTO_FOLDER
// Prints one JSON object with what the server answered; test_node_client.py judges it.
"use strict";

const { promisify } = require("node:util");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const COLLECTION = "from-node";
const PRODUCTS = [
  { id: { number: 1 }, text: [1, 0], image: [0, 0, 2], name: "boot" },
  { id: { number: 2 }, text: [0.8, 0.6], image: [0, 2, 0], name: "shoe" },
  { id: { key: "sandal" }, text: [0, 1], image: [2, 0, 0], name: "sandal" },
  { id: { number: "18446744073709551615" }, text: [-1, 0], image: [0, 0, 1], name: "clock" },
];

// The stub of a service, with methods that return promises.
function connect(address, folder, service) {
  const files = ["collections", "points"].map((name) => `headwater/v1/${name}.proto`);
  const definition = loader.loadSync(files, {
    includeDirs: [folder],
    keepCase: true,
    longs: String, // 64-bit integers do not fit into a JavaScript number
    enums: String,
    oneofs: true,
    defaults: true, // zeros are not sent; without this a score of 0 would be undefined
  });
  const Service = grpc.loadPackageDefinition(definition).headwater.v1[service];
  const stub = new Service(address, grpc.credentials.createInsecure());
  return (method, request) => promisify(stub[method]).call(stub, request);
}

const dense = (values) => ({ dense: { values } });
const nearest = (values) => ({ nearest: { vector: dense(values) } });
const shown = (answer) =>
  answer.result.points.map(({ id, score, payload }) => ({
    id: id[id.kind],
    score,
    name: payload.fields.name.string_value,
    price: payload.fields.price.integer_value,
  }));

async function main(address, folder) {
  const collections = connect(address, folder, "Collections");
  const points = connect(address, folder, "Points");

  const created = await collections("create", {
    collection_name: COLLECTION,
    vectors: {
      text: { size: 2, distance: "DISTANCE_COSINE" },
      image: { size: 3, distance: "DISTANCE_EUCLID" },
    },
  });
  const upserted = await points("upsert", {
    collection_name: COLLECTION,
    points: PRODUCTS.map(({ id, text, image, name }) => ({
      id,
      vectors: { text: dense(text), image: dense(image) },
      payload: { fields: { name: { string_value: name }, price: { integer_value: "9007199254740993" } } },
    })),
  });
  const found = await points("search", {
    collection_name: COLLECTION,
    vector: { vector: dense([1, 0]) },
    using: "text",
    limit: 2,
  });
  const nested = await points("query", {
    collection_name: COLLECTION,
    // Two lists, fused, and the fused candidates ranked again by the image.
    prefetch: [
      {
        prefetch: [
          { query: nearest([1, 0]), using: "text", limit: 2 },
          { query: nearest([0, 0, 2]), using: "image", limit: 2 },
        ],
        query: { rrf: { k: 60 } },
        limit: 3,
      },
    ],
    query: nearest([0, 2, 0]),
    using: "image",
    limit: 3,
  });
  const refused = await points("search", {
    collection_name: COLLECTION,
    vector: { vector: dense([1, 0, 0]) },
    using: "text",
  }).catch((error) => ({ code: error.code, has_details: error.metadata.get("grpc-status-details-bin").length === 1 }));

  return {
    distance: created.collection.vectors.image.params.distance,
    status: upserted.result.status,
    affected: upserted.result.affected,
    found: shown(found),
    nested: shown(nested),
    refused,
  };
}

main(process.argv[2], process.argv[3])
  .then((answers) => console.log(JSON.stringify(answers)))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
