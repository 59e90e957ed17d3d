"""The best points of a query by BM25: the kernel gives those of its twin in numpy, with the same bytes of scores."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.query import Combine
from planner.text import matching
from planner.text.analysis import Analyzer
from planner.text.index import ALL_SLOTS, LiveSegment, TextIndex, Vocabulary
from planner.text.matching import FieldSearch, Matches
from planner.text.scoring import SearchedField
from planner.text.segment import Segment, make_segment
from planner.text.syntax import Occur
from planner.text.term_counts import count_terms
from planner.text.units import FieldClause, Phrase, Prefix, Term, Unit
from storage.budget import UNLIMITED, Budget
from storage.errors import DeadlineExceeded
from storage.kernels import (
    KernelFailed,
    PostingsClause,
    PostingsField,
    PostingsParts,
    PostingsUnit,
    UnitScoring,
    has_kernels,
    search_postings,
)
from storage.kernels.library import paths, using
from storage.schema import TextSettings

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

TERMS = ["a", "ab", "b", "c", "unknown"]
KNOWN = len(TERMS) - 1
DOCUMENTS = st.lists(st.lists(st.integers(-1, KNOWN - 1), min_size=1, max_size=6), max_size=12)
UNITS: st.SearchStrategy[Unit] = st.one_of(
    st.builds(Term, st.sampled_from(TERMS)),
    st.builds(Term, st.sampled_from(TERMS)),
    st.builds(Phrase, st.tuples(st.sampled_from(TERMS), st.sampled_from(TERMS)), st.sampled_from([(0, 1), (0, 3)])),
    st.builds(Prefix, st.sampled_from(["a", "ab", "x"])),
)
SETTINGS = st.builds(
    TextSettings,
    k1=st.sampled_from([1.2, 0.0, 2.0]),
    b=st.sampled_from([0.75, 0.0, 1.0]),
    k3=st.sampled_from([8.0, 0.0]),
)


def _vocabulary() -> Vocabulary:
    vocabulary = Vocabulary(Analyzer(TextSettings()))
    vocabulary.restore(TERMS[:KNOWN])
    return vocabulary


def _index(parts: list[LiveSegment]) -> TextIndex:
    return TextIndex("t", 1, _vocabulary(), tuple(parts), ALL_SLOTS)


def _part(segment: Segment, alive: NDArray[np.bool_] | None) -> LiveSegment:
    counted = np.ones(len(segment.slots), np.bool_) if alive is None else alive
    return LiveSegment(segment, alive, int(counted.sum()), int(segment.lengths[counted].sum()))


STRIDES = st.sampled_from([1, 1, 3, 700, 5_000])
"""How far slots are from each other: in one window of the kernel, or in several."""


def _stretched(slots: Iterable[int], stride: int) -> NDArray[np.uint32]:
    return np.array(list(slots), np.uint32) * np.uint32(stride)


@st.composite
def _indexes(draw: st.DrawFn) -> TextIndex:
    """Of up to three segments, some of whose points are dead; no slot is alive in two."""
    slots = draw(st.builds(_stretched, st.permutations(range(36)), STRIDES)).tolist()
    parts: list[LiveSegment] = []
    for _ in range(draw(st.integers(0, 3))):
        documents = draw(DOCUMENTS)
        own, slots = sorted(slots[: len(documents)]), slots[len(documents) :]
        made = make_segment(
            np.array(own, np.uint32),
            np.array([len(document) for document in documents], np.int64),
            np.array([code for document in documents for code in document], np.int32),
            np.array([place for document in documents for place in range(len(document))], np.uint32),
        )
        if made is not None:
            flags = st.lists(st.booleans(), min_size=len(made.slots), max_size=len(made.slots))
            parts.append(_part(made, draw(st.none() | flags.map(np.array))))
    return _index(parts)


@st.composite
def _searches(draw: st.DrawFn) -> list[FieldSearch]:
    fields = draw(st.integers(1, 2))
    occurs = draw(st.lists(st.sampled_from(Occur), min_size=1, max_size=4))
    searches: list[FieldSearch] = []
    for _ in range(fields):
        index, weight = draw(_indexes()), draw(st.sampled_from([1.0, 0.3, 100.0]))
        clauses = [
            FieldClause(occur, tuple(draw(st.lists(UNITS, max_size=3))), is_impossible=draw(st.integers(0, 5)) == 0)
            for occur in occurs
        ]
        clauses = [replace(each, units=()) if each.is_impossible else each for each in clauses]
        searches.append(
            FieldSearch(SearchedField("t", weight, draw(SETTINGS)), index, clauses, count_terms(index, clauses))
        )
    return searches


def _in_order(matches: Matches) -> tuple[bytes, bytes, int]:
    slots, scores, total = matches
    order = np.argsort(slots)
    assert (slots.dtype.name, scores.dtype.name) == ("uint32", "float32")
    return slots[order].tobytes(), scores[order].tobytes(), total


def _by(find: Callable[..., Matches], *asked: object) -> tuple[bytes, bytes, int]:
    return _in_order(find(*asked, UNLIMITED))


@pytest.mark.parametrize("path", paths())
@given(
    how=st.sampled_from(Combine),
    searches=_searches(),
    allowed=st.none() | st.builds(_stretched, st.sets(st.integers(0, 36)).map(sorted), STRIDES),
    limit=st.sampled_from([1, 2, 3, 10, 1_000, None]),
)
@settings(max_examples=60, deadline=None)
def test_the_kernel_finds_what_its_twin_finds(
    path: str, how: Combine, searches: list[FieldSearch], allowed: NDArray[np.uint32] | None, limit: int | None
) -> None:
    with using(path):
        native = _by(matching._by_kernel, how, searches, allowed, limit)
    assert native == _by(matching._in_numpy, how, searches, allowed, limit)


def _long_index(random: np.random.Generator, points: int, holes: int) -> TextIndex:
    """Frequent terms beside rare ones in texts of very different lengths, with many ties; some points are dead."""
    counts = np.minimum(1 + random.pareto(1.0, points) * 5, 300).astype(np.int64)
    codes = np.minimum(random.pareto(0.7, counts.sum()), KNOWN - 1).astype(np.int32)
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.sort(random.choice(points * holes, points, replace=False)).astype(np.uint32)
    made = make_segment(slots, counts, codes, places.astype(np.uint32))
    assert made is not None
    return _index([_part(made, None if holes == 2 else random.random(points) < 0.9)])


LONG: list[list[tuple[Occur, Unit]]] = [
    [(Occur.OPTIONAL, Term("c"))],
    [(Occur.OPTIONAL, Term("a")), (Occur.OPTIONAL, Term("c")), (Occur.OPTIONAL, Term("unknown"))],
    [(Occur.OPTIONAL, Term("a")), (Occur.REQUIRED, Term("c")), (Occur.EXCLUDED, Term("b"))],
    [(Occur.OPTIONAL, Phrase(("a", "c"), (0, 1))), (Occur.OPTIONAL, Term("b"))],
    [(Occur.OPTIONAL, Prefix("a")), (Occur.OPTIONAL, Term("b"))],
]


@pytest.mark.parametrize("limit", [1, 10, None])
@pytest.mark.parametrize(("holes", "how"), [(1, Combine.SUM), (2, Combine.MAX), (3, Combine.SUM)])
def test_long_lists_of_postings(limit: int | None, holes: int, how: Combine) -> None:
    """Many windows, of which most are estimated once the best are known."""
    random = np.random.default_rng(holes)
    points = 12_000
    indexes = [_long_index(random, points, holes), _long_index(random, points, 1)]
    some = np.sort(random.choice(points * holes, points // 3, replace=False)).astype(np.uint32)
    for words in LONG:
        clauses = [FieldClause(occur, (unit,)) for occur, unit in words]
        searches = [
            FieldSearch(SearchedField("t", weight, TextSettings(b=b)), index, clauses, count_terms(index, clauses))
            for index, weight, b in zip(indexes, (1.0, 0.3), (0.75, 0.0), strict=True)
        ]
        for asked in (searches, searches[:1], searches[1:]):
            for allowed in (None, some, some[:1], some[:0]):
                expected = _by(matching._in_numpy, how, asked, allowed, limit)
                for path in paths():
                    with using(path):
                        assert _by(matching._by_kernel, how, asked, allowed, limit) == expected


@pytest.mark.parametrize("path", paths())
def test_huge_frequencies_and_lengths(path: str) -> None:
    frequencies = np.array([1, 2**40, 2**31 - 1, 2**20, 255, 256, 65_535, 65_536], np.int64)
    lengths = np.array([1, 2**31 - 1, 254, 255, 256, 65_535, 65_536, 2**24], np.int32)
    segment = Segment(
        slots=np.arange(8, dtype=np.uint32) * 2**29,
        lengths=lengths,
        codes=np.array([0], np.int32),
        starts=np.array([0, 8]),
        points=np.arange(8, dtype=np.int32),
        occurrence_starts=np.concatenate(([0], np.cumsum(frequencies))),
        positions=np.empty(0, np.uint32),
    )
    index, clauses = _index([_part(segment, None)]), [FieldClause(Occur.OPTIONAL, (Term("a"),))]
    search = FieldSearch(SearchedField("t", 1.0, TextSettings()), index, clauses, count_terms(index, clauses))
    with using(path):
        native = _by(matching._by_kernel, Combine.SUM, [search], None, 3)
    assert native == _by(matching._in_numpy, Combine.SUM, [search], None, 3)


def _segment() -> dict[str, Any]:
    return {
        "slots": np.array([3, 9], np.uint32),
        "lengths": np.array([2, 1], np.int32),
        "codes": np.array([0, 2], np.int32),
        "starts": np.array([0, 2, 3], np.int64),
        "points": np.array([0, 1, 0], np.int32),
        "occurrence_starts": np.array([0, 1, 2, 3], np.int64),
        "positions": np.array([0, 0, 1], np.uint32),
    }


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("slots", [3]),
        ("slots", [9_000, 0]),  # a search would never pass them
        ("slots", [4, 4]),
        ("lengths", [2]),
        ("codes", [2, 0]),
        ("starts", [0, 2, 4]),
        ("starts", [1, 2, 3]),
        ("starts", [0, -2, 3]),
        ("starts", [0, 2**40, 3]),
        ("starts", [0, 3]),
        ("points", [0, 2, 0]),
        ("points", [0, 1, -1]),
        ("points", [1, 0, 0]),
        ("points", [0, 1]),
        ("occurrence_starts", [0, 1, 1, 3]),
        ("occurrence_starts", [0, 1, 2]),
        ("occurrence_starts", [1 - 2**63, 5, 2**63 - 2, 2**63 - 1]),
    ],
)
def test_arrays_that_are_no_segment_are_refused(name: str, values: list[int]) -> None:
    arrays = _segment()
    Segment(**arrays)
    with pytest.raises(ValueError, match="postings"):
        Segment(**{**arrays, name: np.array(values, arrays[name].dtype)})


NO_HITS = (np.empty(0, np.int64), np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("unit", "group"),
    [
        (PostingsUnit(UnitScoring.ALWAYS_ONE, hits=[(np.array([2]), np.array([1]))]), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, hits=[(np.array([-1]), np.array([1]))]), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, hits=[(np.array([1, 0]), np.array([1, 1]))]), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, hits=[(np.array([0]), np.array([0]))]), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, hits=[NO_HITS, NO_HITS]), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE), [0]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, code=0), [1]),
        (PostingsUnit(UnitScoring.ALWAYS_ONE, code=0), [-1]),
    ],
)
def test_queries_that_name_what_is_not_there_are_refused(unit: PostingsUnit, group: list[int]) -> None:
    segment = Segment(**_segment())
    assert segment.native is not None
    field = PostingsField(1.0, 1.2, 0.75, 1.5, PostingsParts([(segment.native, None)]), [unit])
    with pytest.raises(KernelFailed):
        search_postings(
            [field], [PostingsClause(False, [group])], takes_largest=False, allowed=None, limit=1, deadline=None
        )


def test_a_search_ends_at_its_deadline() -> None:
    segment = Segment(**_segment())
    index, clauses = _index([_part(segment, None)]), [FieldClause(Occur.OPTIONAL, (Term("a"),))]
    search = FieldSearch(SearchedField("t", 1.0, TextSettings()), index, clauses, count_terms(index, clauses))
    assert segment.native is not None
    unit = PostingsUnit(UnitScoring.ALWAYS_ONE, code=0)
    field = PostingsField(1.0, 1.2, 0.75, 1.5, PostingsParts([(segment.native, None)]), [unit])
    with pytest.raises(DeadlineExceeded):
        search_postings([field], [], takes_largest=False, allowed=None, limit=1, deadline=0.0)
    with pytest.raises(DeadlineExceeded):
        matching.best_matches(Combine.SUM, [search], None, 1, Budget(deadline=0.0))
