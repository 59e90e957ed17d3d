"""Text indexes are brought up to date and not made anew, keep what was done when time runs out, and are let go."""

import itertools
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.text import index as text_index
from planner.text.index import TextIndex
from planner.text.indexes import RECENT, TextIndexes
from planner.text.postings import find, point_counts
from planner.text.segment import Segment, make_segment, merge_segments
from planner.text.units import Phrase, Prefix, Term
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import Cancelled, DeadlineExceeded
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema
from storage.schema.text_settings import TextSettings
from storage.tables.reader import Reader
from storage.write.operations import ByIds, DeletePoints, Operation, Upsert
from tests.support.worlds import CODEC, open_database

LARGE = 2**30
SETTINGS = TextSettings()
_names = (f"c{number}" for number in itertools.count())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "data") as database:
        yield database


def write(collection: Collection, texts: Mapping[int, str | None]) -> None:
    """None deletes."""
    kept = {point_id: text for point_id, text in texts.items() if text is not None}
    operations: list[Operation] = [DeletePoints(selector=ByIds(tuple(key for key in texts if key not in kept)))]
    if kept:
        payloads = tuple(CODEC.encode({"t": text}) for text in kept.values())
        operations.append(Upsert(ids=tuple(kept), payloads=payloads, vectors={}))
    collection.write(operations).result(timeout=30)


def filled(database: Database, texts: Mapping[int, str]) -> Collection:
    collection = database.create_collection(next(_names), CollectionSchema(spaces={}))
    write(collection, dict(texts))
    return collection


def held(index: TextIndex, term: str) -> int:
    found = len(find(index, Term(term), UNLIMITED))
    assert [found] == point_counts(index, [term])
    return found


def get(indexes: TextIndexes, reader: Snapshot, budget: Budget = UNLIMITED) -> TextIndex:
    return indexes.get(reader, "t", SETTINGS, budget)


def test_an_update_reads_what_changed_and_no_other_payload(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    collection, indexes = filled(database, dict.fromkeys(range(50), "fox")), TextIndexes(LARGE)
    with collection.snapshot() as reader:
        assert held(get(indexes, reader), "fox") == 50
    monkeypatch.delattr(Reader, "payloads")
    for key in range(40):
        write(collection, {key: None if key % 4 == 0 else "a dog", 100 + key: "fox bird"})
        with collection.snapshot() as reader:
            index = get(indexes, reader)
            assert get(indexes, reader) is index
        assert (held(index, "fox"), held(index, "bird")) == (50, key + 1)
        assert held(index, "dog") == key + 1 - (key // 4 + 1)
        assert len(index.segments) <= 4
    assert indexes.used > 0


def test_requests_that_read_an_older_commit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    collection, indexes = filled(database, dict.fromkeys(range(30), "fox")), TextIndexes(LARGE)
    with collection.snapshot() as old:
        first = get(indexes, old)
        monkeypatch.delattr(Reader, "payloads")
        for key in range(RECENT + 5):
            write(collection, {key: "dog", 99: None})
            with collection.snapshot() as new:
                assert held(get(indexes, new), "fox") == 29 - key
        again = get(indexes, old)
        assert again is not first
        assert (held(again, "fox"), held(again, "dog"), again.seq) == (30, 0, old.seq)
    with collection.snapshot() as new:
        assert held(get(indexes, new), "fox") == 30 - RECENT - 5


@pytest.mark.parametrize("points_per_segment", [10, text_index.POINTS_PER_SEGMENT])
def test_what_was_done_before_the_deadline_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch, points_per_segment: int
) -> None:
    monkeypatch.setattr(text_index, "POINTS_PER_SEGMENT", points_per_segment)
    monkeypatch.setattr(text_index, "POINTS_PER_CHECK", 1)
    collection, indexes = filled(database, {key: f"fox w{key}" for key in range(100)}), TextIndexes(LARGE)
    read: list[int] = []
    payloads = Reader.payloads

    def counted(reader: Reader, *given: object, **named: object) -> Iterator[tuple[int, dict[str, object]]]:
        for slot, payload in payloads(reader, *given, **named):  # type: ignore[arg-type]
            read.append(slot)
            yield slot, payload

    monkeypatch.setattr(Reader, "payloads", counted)

    def first_thirty() -> bool:
        return len(read) > 30

    with collection.snapshot() as reader, pytest.raises(Cancelled):
        get(indexes, reader, Budget(is_cancelled=first_thirty))
    write(collection, {0: "dog", 5: None, 99: "dog", 200: "dog"})
    with collection.snapshot() as reader:
        index = get(indexes, reader)
    assert read.count(20) == 1
    assert len(read) < 120
    assert (held(index, "fox"), held(index, "dog"), held(index, "w7"), held(index, "w5")) == (97, 3, 1, 0)


def test_a_request_that_waits_for_another_sees_its_own_deadline(database: Database) -> None:
    collection, indexes = filled(database, {1: "fox"}), TextIndexes(LARGE)
    with collection.snapshot() as reader:
        entry = indexes._keeper._entry((reader.collection_uid, "t", SETTINGS))
        with entry.lock:
            started = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                get(indexes, reader, Budget.of_seconds(0.1))
            assert time.monotonic() - started < 5
        assert held(get(indexes, reader), "fox") == 1


def test_those_that_do_not_fit_go(database: Database) -> None:
    collection, indexes = filled(database, {key: f"fox w{key}" for key in range(50)}), TextIndexes(1)
    with collection.snapshot() as reader:
        one = indexes.get(reader, "t", SETTINGS, UNLIMITED)
        other = indexes.get(reader, "t", TextSettings(b=0), UNLIMITED)
        assert indexes.used == other.bytes
        assert indexes.get(reader, "t", SETTINGS, UNLIMITED) is not one


def test_terms_that_no_point_has_any_more_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_index, "MAX_UNUSED_TERMS", 20)
    collection, indexes = filled(database, {key: f"w{key}" for key in range(5)}), TextIndexes(LARGE)
    for number in range(60):
        write(collection, {number % 5: f"v{number}"})
        with collection.snapshot() as reader:
            index = get(indexes, reader)
        assert len(index.vocabulary.codes) <= 2 * 5 + 20 + 1
    assert held(index, "v59") == 1


def test_readers_and_writers_at_once(database: Database) -> None:
    collection, indexes = filled(database, dict.fromkeys(range(50), "w0")), TextIndexes(LARGE)

    def read(number: int) -> None:
        with collection.snapshot() as reader:
            counts = [held(get(indexes, reader), f"w{word}") for word in range(3)]
            assert sum(counts) == 50

    def change(number: int) -> None:
        write(collection, {number % 50: f"w{number % 3}"})

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(read if number % 3 else change, number) for number in range(300)]:
            done.result()


DOCUMENTS = st.lists(st.lists(st.integers(-1, 4), max_size=6), max_size=6)


def segment(slots: list[int], documents: list[list[int]]) -> Segment | None:
    codes = [code for document in documents for code in document]
    positions = [place for document in documents for place in range(len(document))]
    counts = np.array([len(document) for document in documents], np.int64)
    return make_segment(np.array(slots, np.uint32), counts, np.array(codes, np.int32), np.array(positions, np.uint32))


@given(DOCUMENTS, DOCUMENTS, st.randoms(use_true_random=False))
def test_merged_segments_are_as_if_made_at_once(one: list[list[int]], other: list[list[int]], random: Random) -> None:
    slots = random.sample(range(100), len(one) + len(other))
    first, second = sorted(slots[: len(one)]), sorted(slots[len(one) :])
    documents = dict(zip([*first, *second], [*one, *other], strict=True))
    gone = {slot for slot in slots if random.random() < 0.3}
    parts = [
        (part, ~np.isin(part.slots, list(gone)))
        for part in (segment(first, one), segment(second, other))
        if part is not None
    ]
    kept = sorted(slot for slot in slots if slot not in gone)
    merged, expected = merge_segments(parts), segment(kept, [documents[slot] for slot in kept])
    assert (merged is None) == (expected is None)
    if merged is not None and expected is not None:
        for name in set(Segment.__slots__) - {"native"}:
            np.testing.assert_array_equal(getattr(merged, name), getattr(expected, name), strict=True)


def test_units_of_an_index(database: Database) -> None:
    texts = {1: "a b a b c", 2: "b a", 3: "ab abc b", 4: "c"}
    collection, indexes = filled(database, texts), TextIndexes(LARGE)
    with collection.snapshot() as reader:
        index = get(indexes, reader)
        slots = dict(zip(texts, reader.slots_of(list(texts)).tolist(), strict=True))

    def frequencies(unit: Term | Phrase | Prefix) -> dict[int, int]:
        found = find(index, unit, UNLIMITED)
        return dict(zip(found.slots.tolist(), found.frequencies.tolist(), strict=True))

    assert frequencies(Term("a")) == {slots[1]: 2, slots[2]: 1}
    assert frequencies(Phrase(("a", "b"), (0, 1))) == {slots[1]: 2}
    assert frequencies(Phrase(("b", "b"), (0, 2))) == {slots[1]: 1}
    assert frequencies(Phrase(("a", "z"), (0, 1))) == {}
    assert set(frequencies(Prefix("ab"))) == {slots[3]}
    assert set(frequencies(Prefix(""))) == set(slots.values())
    assert (index.count, index.average_length) == (4, 11 / 4)
