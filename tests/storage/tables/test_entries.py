"""Many entries of a table at a time: the same as one after the other, and pages are full where entries are appended."""

from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tables import encode_id, encode_ids, encode_slot, encode_slots, put_entries

KEYS = st.binary(min_size=1, max_size=3)


@settings(max_examples=30)
@given(st.lists(st.lists(KEYS, max_size=6) | st.lists(KEYS, max_size=6).map(sorted), max_size=4))
def test_a_table_holds_what_single_puts_leave(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]]
) -> None:
    expected: dict[bytes, bytes] = {}
    with lmdb.open(str(tmp_path_factory.mktemp("lmdb")), max_dbs=1) as env:
        table = env.open_db(b"table")
        for number, keys in enumerate(groups):
            values = [b"%d of %d" % (position, number) for position in range(len(keys))]
            expected.update(zip(keys, values, strict=True))
            with env.begin(write=True) as txn:
                put_entries(txn, table, keys, values)
        with env.begin() as txn:
            assert dict(txn.cursor(table)) == expected


def test_pages_of_entries_that_ascend_are_full(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path), max_dbs=1, map_size=2**24) as env:
        table = env.open_db(b"table")
        for start in range(0, 4000, 100):
            with env.begin(write=True) as txn:
                put_entries(txn, table, encode_slots(range(start, start + 100)), [b"x" * 92] * 100)
        with env.begin() as txn:
            found = txn.stat(table)
    assert found["entries"] == 4000
    assert found["leaf_pages"] <= 1.1 * 4000 * (4 + 92 + 8 + 2) / found["psize"]


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.text(max_size=3), max_size=40) | st.lists(st.integers(0, 9), min_size=16)
)
def test_many_ids_are_encoded_as_single_ones(ids: list[int | str]) -> None:
    assert encode_ids(ids) == [encode_id(point_id) for point_id in ids]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40))
def test_many_slots_are_encoded_as_single_ones(slots: list[int]) -> None:
    assert encode_slots(slots) == [encode_slot(slot) for slot in slots]
