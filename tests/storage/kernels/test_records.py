"""Checksums and records: every set of instructions gives what zlib and the twin in Python give."""

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.kernels import KernelFailed, Pieces, native_checksums, native_record_places, native_records
from storage.kernels.library import has_kernels, paths, using
from storage.schema import PointId
from storage.tables import (
    RecordColumns,
    columns_of,
    encode_id,
    encode_record,
    encode_records,
    encode_row,
    encode_rows,
    joined,
    record_columns,
    record_parts,
)

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

PARTS = st.lists(st.tuples(st.binary(min_size=2, max_size=600), st.binary(max_size=300)), max_size=5)
IDS = st.sampled_from([0, 1, 2**64 - 1, "a", "é" * 256]) | st.integers(0, 2**64 - 1) | st.text(min_size=1, max_size=90)
STORED = st.lists(st.tuples(IDS, st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=6)


@pytest.mark.parametrize("path", paths())
def test_checksums_of_rows_of_every_length_are_those_of_zlib(path: str) -> None:
    random = np.random.default_rng(1)
    with using(path):
        for length in [*range(1, 200), 1536, 4099]:
            rows = random.integers(0, 256, (3, length), np.uint8)
            found = native_checksums(rows)
            assert found is not None
            assert found.tolist() == [zlib.crc32(row) for row in rows]


@settings(max_examples=40)
@given(PARTS, st.integers(0, 2**64 - 1))
def test_records_are_those_of_the_twin(parts: list[tuple[bytes, bytes]], commit: int) -> None:
    keys, payloads = [key for key, _ in parts], [payload for _, payload in parts]
    expected = [encode_record(key, commit, payload) for key, payload in parts]
    for path in paths():
        with using(path):
            assert encode_records(keys, commit, payloads) == expected
            assert encode_records(keys, commit, _pieces(payloads)) == expected
    for record, (key, payload) in zip(expected, parts, strict=True):
        version, found_key, found_payload = record_parts(memoryview(record))
        assert (version, bytes(found_key), bytes(found_payload)) == (commit, key, payload)


@given(st.lists(st.binary(max_size=5), max_size=6), st.integers(-7, 7), st.integers(-7, 7))
def test_pieces_are_a_sequence(parts: list[bytes], start: int, stop: int) -> None:
    pieces = _pieces(parts)
    assert list(pieces) == parts
    assert [pieces[number] for number in range(len(pieces))] == parts
    assert [pieces[-number] for number in range(1, len(pieces) + 1)] == parts[::-1]
    assert pieces[start:stop] == parts[start:stop]
    with pytest.raises(IndexError):
        pieces[len(parts)]


def _pieces(parts: list[bytes]) -> Pieces:
    return Pieces(b"".join(parts), np.cumsum([len(part) for part in parts], dtype=np.int64))


def test_a_key_that_is_too_long_for_a_record_is_refused() -> None:
    with pytest.raises(KernelFailed):
        native_records(1, 1, [b"k" * 2**16], [b""], header=15)


@pytest.mark.parametrize("ends", [[3, 2], [-1, 4], [4, 5], [9, 4]])
def test_pieces_that_end_outside_of_their_bytes_are_refused(ends: list[int]) -> None:
    with pytest.raises(KernelFailed):
        native_records(1, 1, [b"a", b"b"], Pieces(b"1234", np.array(ends)), header=15)


def test_rows_are_those_of_the_twin() -> None:
    matrix = np.random.default_rng(2).standard_normal((20, 7)).astype(np.float32)
    expected = [encode_row(2**40 + number, zlib.crc32(row)) for number, row in enumerate(matrix)]
    for path in paths():
        with using(path):
            assert encode_rows(2**40, matrix) == expected
            assert encode_rows(2**40, np.asfortranarray(matrix)) == expected
    assert encode_rows(2**40 + 7, matrix[7][None]) == expected[7:8]
    assert encode_rows(0, matrix[:0]) == []


@settings(max_examples=40)
@given(STORED)
def test_columns_are_what_the_records_hold(points: list[tuple[PointId, int, bytes]]) -> None:
    records = [encode_record(encode_id(point_id), version, payload) for point_id, version, payload in points]
    for columns in _columns_of_all_paths(records):
        assert columns.ids() == [point_id for point_id, _, _ in points]
        assert columns.id_keys() == [encode_id(point_id) for point_id, _, _ in points]
        assert columns.versions.tolist() == [version for _, version, _ in points]
        assert columns.payloads() == [payload for _, _, payload in points]
        order = np.arange(len(points))[::-1].repeat(2)
        assert columns.take(order).ids() == [points[number][0] for number in order.tolist()]
        assert columns.first(2).payloads() == [payload for _, _, payload in points[:2]]
        both = joined([columns.first(1), columns])
        assert both.ids() == [point_id for point_id, _, _ in points[:1] + points]
        assert both.payloads() == [payload for _, _, payload in points[:1] + points]


def _columns_of_all_paths(records: list[bytes]) -> Iterator[RecordColumns]:
    sizes = list(map(len, records))
    for path in paths():
        with using(path):
            yield columns_of(records, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_columns, "native_record_places", lambda *_: False)
        yield columns_of(records, sizes)


@given(st.data(), IDS, st.binary(max_size=20))
def test_a_damaged_record_has_no_columns(data: st.DataObject, point_id: PointId, payload: bytes) -> None:
    sound = encode_record(encode_id(point_id), 7, payload)
    place, bit = data.draw(st.integers(0, len(sound) - 1)), data.draw(st.integers(0, 7))
    damaged = bytearray(sound)
    damaged[place] ^= 1 << bit
    cut = sound[: data.draw(st.integers(0, len(sound) - 1))]
    for record in (bytes(damaged), cut):
        for path in paths():
            with using(path), pytest.raises(ValueError, match="the stored point"):
                columns_of([sound, record], [len(sound), len(record)])


@pytest.mark.parametrize("key", [b"", b"\1", b"\2", b"\1" + bytes(7), b"\1" + bytes(9), b"\3abc"])
def test_ids_of_another_form_are_left_to_the_twin(key: bytes) -> None:
    record = encode_record(key, 1, b"payload")
    assert not native_record_places(1, record, np.full((5, 1), len(record), np.int64))


@pytest.mark.parametrize("sizes", [[-1, 60], [10**9, 29], [29, 30], [29, 28], [2**63 - 1, 29]])
def test_records_that_end_outside_of_their_bytes_are_refused(sizes: list[int]) -> None:
    record = encode_record(encode_id(1), 1, b"12345")
    places = np.zeros((5, 2), np.int64)
    places[4] = sizes
    assert len(record) == 29
    assert not native_record_places(1, record * 2, places)
    places[4] = 29
    assert native_record_places(1, record * 2, places)
    assert not native_record_places(2, record * 2, places), "another version"
