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
    assert stopped.err.startswith("headwater: line 3: ")
    said = headwater("--json", "import", "target", file, "--on-error", "skip")
    assert json.loads(said.out) == {"imported": 2, "skipped": 4}
    assert [line.split(":")[0] for line in said.err.splitlines()] == [
        "skipped line 3",
        "skipped line 5",
        "skipped line 4",
        "skipped line 7",
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
