"""Exports and imports: a round trip keeps every bit, files are whole or absent, and foreign files are read too."""

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import AsyncClient, Client, Datatype, Distance, Field, HnswConfigDiff, PointStruct, VectorParams
from headwater._files.parquet import read_points as read_parquet
from tests.support.root import ROOT
from tests.support.server_process import environment, running_server

RANDOM = np.random.default_rng(11)
BITS = RANDOM.integers(0, 2**32, 40_000, dtype=np.uint32).view(np.float32)
ODD_FLOATS = np.array([0.1, -0.0, 1e-45, 3.4028235e38, 1 / 3, -1e-38], np.float32)
WIDE = np.concatenate((ODD_FLOATS, BITS[np.isfinite(BITS)][: 600 * 12 - len(ODD_FLOATS)])).reshape(600, 12)
IDS: list[int | str] = [0, 2**64 - 1, " ", "1", '"\\\n', "ü" * 256, "\x00", *range(1, 594)]
PAYLOADS: list[dict[str, Any]] = [
    {},
    {"int": 2**63 - 1, "least": -(2**63), "one": 1, "float": 1.0, "tiny": 5e-324, "zero": -0.0, "large": 1e300},
    {
        "text": 'ä\n"\u2028\u2029\x85\x00',
        "none": None,
        "yes": True,
        "list": [1, 1.5, "x", [], {}],
        "o": {"a.b": {"c": [None]}},
    },
]
SPACES = {
    "": VectorParams(2, Distance.Dot, datatype=Datatype.Float32),
    "wide": VectorParams(12, Distance.Euclid, HnswConfigDiff(m=8, ef_construct=50, ef=33)),
    "empty": VectorParams(3, Distance.Manhattan),
}
POINTS = [
    PointStruct(each, {"wide": WIDE[n], **({"": [n, -n]} if n % 2 else {})} if n % 5 else {}, PAYLOADS[n % 3])
    for n, each in enumerate(IDS)
]
FORMATS = ["jsonl", "parquet"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("transfer") / "data") as listening:
        yield listening


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with Client(address, retries=0) as client:
        client.collections.create("source", SPACES, optimizers_config={"indexing_threshold": 4321})
        client.upload_points("source", POINTS)
        yield client


@pytest.fixture
def target(client: Client) -> Iterator[str]:
    """A name that is free, before and after."""
    yield "target"
    client.collections.delete("target", strict=False)


def export_of(client: Client, kind: str) -> Callable[..., int]:
    return client.export_jsonl if kind == "jsonl" else client.export_parquet


def import_of(client: Client, kind: str) -> Callable[..., int]:
    return client.import_jsonl if kind == "jsonl" else client.import_parquet


def everything(client: Client, name: str) -> list[Any]:
    """Ids, payloads with the types of all values, and the bytes of vectors."""
    records = client.points.scroll_all(name, with_vectors=True)
    return [
        (each.id, repr(each.payload), {space: vector.tobytes() for space, vector in each.vectors.items()})
        for each in records
    ]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_a_round_trip_keeps_every_bit(client: Client, tmp_path: Path, target: str, ending: str) -> None:
    kind = ending.split(".")[0]
    path = tmp_path / f"file.{ending}"
    reports: list[tuple[int, int | None]] = []
    count = export_of(client, kind)("source", path, progress=lambda done, total: reports.append((done, total)))
    assert count == len(IDS)
    assert reports[-1] == (600, 600)
    assert len(reports) > 2
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    reports.clear()
    assert import_of(client, kind)(target, path, progress=lambda done, total: reports.append((done, total))) == 600
    assert reports[-1] == (600, 600)
    assert everything(client, target) == everything(client, "source")
    source, copy = client.collections.get_info("source"), client.collections.get_info(target)
    assert {name: space.params for name, space in copy.vectors.items()} == {
        name: space.params for name, space in source.vectors.items()
    }
    assert copy.optimizers_config == source.optimizers_config
    assert import_of(client, kind)(target, path) == 600  # again changes nothing
    assert everything(client, target) == everything(client, "source")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_part(client: Client, tmp_path: Path, target: str, kind: str) -> None:
    path = tmp_path / "part"
    some = Field("one").eq(1)
    assert export_of(client, kind)("source", path, filter=some, with_vectors=["wide"]) == 200
    import_of(client, kind)(target, path, batch_size=7)
    records = list(client.points.scroll_all(target, with_vectors=True))
    assert [record.id for record in records] == [each.id for each in client.points.scroll_all("source", filter=some)]
    assert {space for record in records for space in record.vectors} == {"wide"}
    assert export_of(client, kind)("source", path, with_vectors=False) == 600
    client.collections.delete(target)
    import_of(client, kind)(target, path)
    assert not any(record.vectors for record in client.points.scroll_all(target, with_vectors=True))
    assert client.points.count(target) == 600


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_collection(client: Client, tmp_path: Path, target: str, kind: str) -> None:
    client.collections.create("nothing", SPACES)
    assert export_of(client, kind)("nothing", tmp_path / "file") == 0
    assert import_of(client, kind)(target, tmp_path / "file") == 0
    assert client.collections.get_info(target).vectors.keys() == SPACES.keys()
    client.collections.delete("nothing")


@pytest.mark.parametrize("kind", FORMATS)
def test_an_import_keeps_what_is_there(client: Client, tmp_path: Path, target: str, kind: str) -> None:
    export_of(client, kind)("source", tmp_path / "file")
    client.collections.create(target, {**SPACES, "more": VectorParams(5)})
    client.points.upsert(target, [PointStruct("mine"), PointStruct(0, payload={"replaced": False})])
    import_of(client, kind)(target, tmp_path / "file")
    assert client.points.count(target) == 601
    assert client.points.get(target, [0])[0].payload == {}


@pytest.mark.parametrize("kind", FORMATS)
def test_an_export_that_fails_leaves_no_file(client: Client, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(headwater.CollectionNotFoundError):
        export_of(client, kind)("gone", path)
    with pytest.raises(KeyboardInterrupt):
        export_of(client, kind)("source", path, progress=stop)
    with pytest.raises(headwater.SpaceNotFoundError):
        export_of(client, kind)("source", path, with_vectors=["gone"])
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "before")]


def test_json_lines_are_what_they_say(client: Client, tmp_path: Path) -> None:
    client.export_jsonl("source", tmp_path / "file.jsonl")
    head, *lines = map(json.loads, (tmp_path / "file.jsonl").read_text().splitlines())
    assert (head["headwater"], head["collection"]) == (1, "source")
    assert head["schema"]["vectors"]["wide"]["size"] == "12"
    assert lines[0] == {"id": 0, "vectors": {}, "payload": {}}
    assert lines[1].keys() == {"id", "vectors", "payload"}
    client.export_jsonl("source", tmp_path / "file.jsonl.gz")
    with gzip.open(tmp_path / "file.jsonl.gz") as compressed, (tmp_path / "file.jsonl").open("rb") as plain:
        assert compressed.read() == plain.read()


def test_foreign_json_lines(client: Client, tmp_path: Path, target: str) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_text('\n{"id": 1}\n\n{"id": "a", "payload": {"x": 1}, "vectors": {"": [1, 2]}, "more": 1}')
    with pytest.raises(headwater.CollectionNotFoundError):
        client.import_jsonl(target, path)
    client.collections.create(target, VectorParams(2))
    reports: list[tuple[int, int | None]] = []
    assert client.import_jsonl(target, path, progress=lambda *report: reports.append(report)) == 2
    assert reports == [(2, 2)]
    assert client.points.get(target, ["a"])[0].payload == {"x": 1}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('{"id": 1}\n{"id": 2', ValueError, "line 2"),
        ('{"id": 1}\n[2]', ValueError, "line 2: this is not a JSON object"),
        ('{"id": 1}\n\n{"id": 2, "payload": [1]}', TypeError, r"bad, point 2: .*payload is a dict, not list"),
        ('{"id": 1, "payload": ' + "[" * 100_000, ValueError, "line 1"),
        ('{"id": 1}\n{"payload": {}}', ValueError, "object 2 has no id"),
        ('{"id": 1, "payload": {"x": NaN}}', ValueError, "NaN"),
        ('{"id": 1, "payload": {"x": 9223372036854775808}}', headwater.InvalidPayloadError, "64 bits"),
        ('{"id": true}', TypeError, "id"),
        ('{"id": -1}', headwater.InvalidPointIdError, "-1"),
        ('{"id": 1, "vectors": {"": [1, 2, 3]}}', headwater.DimensionMismatchError, "expected 2"),
        ('{"headwater": 2, "schema": {}}', ValueError, "knows formats up to 1"),
        ('{"headwater": 1, "schema": {"later": 1}}', ValueError, "later"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    client: Client, tmp_path: Path, target: str, text: str, error: type[Exception], message: str
) -> None:
    client.collections.create(target, VectorParams(2))
    (tmp_path / "bad").write_text(text)
    with pytest.raises(error, match=message):
        client.import_jsonl(target, tmp_path / "bad")


def test_foreign_parquet(client: Client, tmp_path: Path, target: str) -> None:
    import pyarrow
    from pyarrow import parquet

    client.collections.create(target, VectorParams(2))
    columns = {"id_number": [1, 2], "vector:": [[1.0, 2.0], None], "other": ["x", "y"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "foreign")
    assert client.import_parquet(target, tmp_path / "foreign") == 2
    assert client.points.get(target, [1], with_vectors=True)[0].vectors[""].tolist() == [1, 2]
    parquet.write_table(pyarrow.table({"id_number": [1, None]}), tmp_path / "foreign")
    with pytest.raises(ValueError, match="row 1 must have exactly one of"):
        list(read_parquet(tmp_path / "foreign"))


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\nfrom headwater._files import parquet\n"
        "try: parquet.count_points(Path('x'))\nexcept ImportError as error: print(error)"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT, env=environment()
    ).stdout
    assert "pip install 'headwater[parquet]'" in output


@pytest.mark.parametrize("kind", FORMATS)
def test_an_async_client_does_the_same(client: Client, address: str, tmp_path: Path, target: str, kind: str) -> None:
    async def transfer() -> None:
        async with AsyncClient(address, retries=0) as awaited:
            exported = awaited.export_jsonl if kind == "jsonl" else awaited.export_parquet
            imported = awaited.import_jsonl if kind == "jsonl" else awaited.import_parquet
            assert await exported("source", tmp_path / "file") == 600
            assert await imported(target, tmp_path / "file") == 600

    asyncio.run(transfer())
    assert everything(client, target) == everything(client, "source")


def test_damaged_files_say_where(client: Client, tmp_path: Path, target: str) -> None:
    import pyarrow
    from pyarrow import parquet

    client.collections.create(target, VectorParams(2))
    whole = gzip.compress(b"".join(b'{"id": %d}\n' % number for number in range(20_000)))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut.jsonl.gz.*line [\d,]+: the compressed file is cut"):
        client.import_jsonl(target, tmp_path / "cut.jsonl.gz")
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": 1}\n{"id": "\xe4"}\n')
    with pytest.raises(ValueError, match="line 2"):
        client.import_jsonl(target, tmp_path / "latin.jsonl")
    (tmp_path / "bom.jsonl").write_bytes(b'\xef\xbb\xbf{"id": 1}\n\n')
    assert client.import_jsonl(target, tmp_path / "bom.jsonl") == 1
    parquet.write_table(pyarrow.table({"id_number": [1], "vector:": ["x"]}), tmp_path / "texts")
    with pytest.raises(ValueError, match="row 0, vector:: a vector is a list of numbers, not string"):
        client.import_parquet(target, tmp_path / "texts")
