"""The table of ids: what many look-ups in one call give, also where keys are longer than those of LMDB."""

import struct
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.schema import PointId
from storage.tables import IdTable, encode_id, encode_ids

LONG = ["x" * 509, "x" * 510, "x" * 511, "x" * 512, "x" * 511 + "y", "x" * 510 + "a", "y" * 512]
IDS = st.sampled_from([0, 1, 255, 256, 2**64 - 1, "a", "b", *LONG]) | st.integers(0, 2**64 - 1) | st.text(min_size=1)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lmdb.Environment]:
    with _environment(tmp_path_factory.mktemp("lmdb")) as env:
        yield env


@given(st.lists(IDS, unique=True, max_size=30), st.lists(IDS, max_size=8), st.none() | IDS, st.integers(0, 40))
def test_many_look_ups(
    env: lmdb.Environment, ids: list[PointId], others: list[PointId], start: PointId | None, limit: int
) -> None:
    slot_of = {point_id: 7 * number for number, point_id in enumerate(ids)}
    with env.begin(write=True, buffers=True) as txn:
        table = IdTable(txn, env.open_db(b"ids", txn))
        keys = [encode_id(point_id) for point_id in ids]
        table.put_many(keys, list(slot_of.values()))
        asked = [*others, *ids, *others]
        assert table.slots_of(encode_ids(asked)).tolist() == [slot_of.get(point_id, -1) for point_id in asked]
        assert table.get_many(encode_ids(asked)) == [slot_of.get(point_id) for point_id in asked]
        first = sorted(ids, key=encode_id)
        if start is not None:
            first = [point_id for point_id in first if encode_id(point_id) >= encode_id(start)]
        assert table.first_slots(start, limit).tolist() == [slot_of[point_id] for point_id in first[:limit]]
        assert list(table.slots_from(start)) == [slot_of[point_id] for point_id in first]
        txn.drop(env.open_db(b"ids", txn), delete=False)


def test_a_damaged_slot_is_not_read_as_another(tmp_path: Path) -> None:
    with _environment(tmp_path) as env, env.begin(write=True, buffers=True) as txn:
        db = env.open_db(b"ids", txn)
        for number, value in ((1, b"123"), (2, b"12345"), (3, b"1234")):
            txn.put(encode_id(number), value, db=db)
        table = IdTable(txn, db)
        with pytest.raises(struct.error):
            table.slots_of(encode_ids([1, 2, 3]))
        with pytest.raises(struct.error):
            table.first_slots(None, 3)
        assert table.slots_of(encode_ids([3])).tolist() == [int.from_bytes(b"1234", "big")]


def _environment(folder: Path) -> lmdb.Environment:
    return lmdb.open(str(folder), max_dbs=1, map_size=2**24, sync=False)
