"""Files of points: what their rows become, and which are refused, by their place."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from headwater._cli.failures import Exit
from tests.client.cli.conftest import Headwater


@pytest.fixture
def target(headwater: Headwater) -> Iterator[str]:
    assert headwater("create", "target", "-v", "2", "-v", "other=1").code == Exit.OK
    yield "target"
    headwater("drop", "target", "-y")


def _stored(headwater: Headwater) -> list[dict[str, object]]:
    said = headwater("--json", "scroll", "target", "-n", "0", "--with-vectors")
    return [json.loads(line) for line in said.out.splitlines()]


def test_csv(headwater: Headwater, target: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    text = (
        '\ufeffsku,v,name,zip,n,flag,tags\nA-1,"[1, 0]","x, ""y""\nz",01234,7,true,"[1, 2]"\nB-2,0 1,-,007,-1.5e3,no,\n'
    )
    with gzip.open(file, "wb") as compressed:
        compressed.write(text.encode())
    columns = ("--id-column", "sku", "--vector-column", "v", "--text-column", "n")
    assert headwater("import", "target", file, *columns).out == "imported 2 points\n"
    first, second = _stored(headwater)
    assert first["id"] == "A-1"
    assert first["payload"] == {"name": 'x, "y"\nz', "zip": "01234", "n": "7", "flag": True, "tags": [1, 2]}
    assert second["payload"] == {"name": "-", "zip": "007", "n": "-1.5e3", "flag": "no"}
    assert second["vectors"] == {"": [0, 1]}


def test_numpy_and_parquet(headwater: Headwater, target: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 0], [0, 1]], np.float64))
    assert headwater("import", "target", tmp_path / "a.npy", "--first-id", "10").code == Exit.OK
    kinds = {"id": pa.uint64(), "vector": pa.list_(pa.float32()), "w": pa.list_(pa.float32()), "n": pa.int64()}
    rows = {"id": [2**63 + 5, None], "vector": [[1.0, 1.0], [0.0, 1.0]], "w": [[3.0], [4.0]], "n": [1, None]}
    parquet.write_table(pa.table(rows, schema=pa.schema(kinds)), tmp_path / "a.parquet")
    columns = ("--vector-column", "vector", "--vector-column", "other=w", "--on-error", "skip")
    said = headwater("import", "target", tmp_path / "a.parquet", *columns)
    assert said.code == Exit.FILE
    assert "row 2: it has no 'id'" in said.err
    assert [(each["id"], each["payload"]) for each in _stored(headwater)] == [(10, {}), (11, {}), (2**63 + 5, {"n": 1})]


def test_what_is_wrong_is_told_by_its_place(headwater: Headwater, target: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"id": 1, "vector": [1, 0]}\n\n{\n{"id": 2, "vector": [1]}\n[]\n{"id": 3, "vector": [0, 1]}\n{"id": -1}\n'
    )
    stopped = headwater("import", "target", file)
    assert stopped.code == Exit.FILE
    assert stopped.err.startswith(f"headwater: {file}, line 3: ")
    said = headwater("--json", "import", "target", file, "--on-error", "skip")
    assert json.loads(said.out) == {"imported": 2, "skipped": 4}
    assert [line.split(":")[0] for line in said.err.splitlines()] == [
        f"skipped {file}, line 3",
        f"skipped {file}, line 5",
        f"skipped {file}, line 4",
        f"skipped {file}, line 7",
        "headwater",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b""),
        ("a.npy", b"no"),
        ("a.parquet", b"no"),
        ("a.csv", b'id,vector\n1,"2'),
        ("a.csv", b"id\n\xff\n"),
        ("a.jsonl.gz", b"no"),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1, "vector": [1, 0]}\n' * 1000, mtime=0)[:-20]),
        ("a.csv.gz", gzip.compress(b"id,vector\n" + b"1,1 0\n" * 1000, mtime=0)[:-20]),
        ("a.npy", b""),
        ("a.csv", b'id,vector\n1,"' + b"1," * 2**23 + b'1"\n'),
    ],
)
def test_files_that_cannot_be_read(
    headwater: Headwater, target: str, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    said = headwater("import", "target", tmp_path / name)
    assert said.code in (Exit.USAGE, Exit.FILE)
    assert said.err.count("\n") == 1


def test_an_export_makes_its_collection_again(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.gz", "a.parquet"):
        assert headwater("export", shop, tmp_path / name, "-f", "price > 0").out.startswith("exported 2 points")
        assert headwater("import", f"copy {name}", tmp_path / name).out == "imported 2 points\n"
        assert "title" in headwater("show", f"copy {name}").out
        assert headwater("drop", f"copy {name}", "-y").code == Exit.OK


def test_no_file_that_could_run_code_is_loaded(headwater: Headwater, target: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], object), allow_pickle=True)
    assert headwater("import", "target", tmp_path / "a.npy").code == Exit.USAGE


def test_objects_are_points_or_rows_but_never_half_of_each(headwater: Headwater, target: str, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"id": 1, "vectors": {"": [1, 0]}, "payload": None},
        {"id": 2, "vector": [1, 0], "payload": {"a": 1}, "score": 0.5, "version": 7},
        {"id": 3, "payload": {"a": 2}, "vectors": None, "version": 7},
        {"id": 4, "vector": [1, 0], "a": 3},
        {"id": 5, "vectors": {"": [1, 0]}, "a": 4},
        {"id": 6, "vector": [1, 0], "payload": {}, "a": 5},
    ]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = headwater("import", "target", file, "--on-error", "skip")
    assert [line.split(":")[0] for line in said.err.splitlines()[:-1]] == [
        f"skipped {file}, line 5",
        f"skipped {file}, line 6",
    ]
    assert [(each["id"], each["payload"]) for each in _stored(headwater)] == [
        (1, {}),
        (2, {"a": 1}),
        (3, {"a": 2}),
        (4, {"a": 3}),
    ]


def test_what_scroll_prints_can_be_imported(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(headwater("scroll", shop, "--json", "--with-vectors").out)
    assert headwater("create", "again", "-v", "2").code == Exit.OK
    assert headwater("import", "again", tmp_path / "a.jsonl").out == "imported 3 points\n"
    before, after = (
        [{**json.loads(line), "version": 0} for line in headwater("--json", "scroll", name).out.splitlines()]
        for name in (shop, "again")
    )
    assert before == after
    assert headwater("drop", "again", "-y").code == Exit.OK


def test_long_vectors_in_csv(headwater: Headwater, tmp_path: Path) -> None:
    size = 20_000
    text = " ".join(f"{value:.6f}" for value in np.linspace(0.1, 1, size))
    (tmp_path / "a.csv").write_text(f"id,vector\n007,{text}\n")
    assert headwater("create", "long", "-v", str(size)).code == Exit.OK
    assert headwater("import", "long", tmp_path / "a.csv").out == "imported 1 points\n"
    assert headwater("get", "long", "007").code == Exit.OK
    assert headwater("drop", "long", "-y").code == Exit.OK


def test_an_export_to_another_kind_of_file_is_refused(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    assert headwater("export", shop, tmp_path / "a.csv").code == Exit.USAGE
    assert list(tmp_path.glob("*.csv")) == []
