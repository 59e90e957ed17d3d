"""Checksums and records: every set of instructions gives what zlib and the twin in Python give."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.kernels import KernelFailed, Pieces, native_checksums, native_records
from storage.kernels.library import has_kernels, paths, using
from storage.tables import encode_record, encode_records, encode_row, encode_rows, record_parts

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

PARTS = st.lists(st.tuples(st.binary(max_size=600), st.binary(max_size=300)), max_size=5)


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
