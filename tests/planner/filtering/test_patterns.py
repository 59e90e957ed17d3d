"""Patterns on long texts: what would take too long is refused by name, whatever index, cache or order serves it."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import PatternTooCostly
from planner.filtering.cache import FilterCache
from planner.filtering.id_order import first_matching
from planner.filtering.match import matching_slots
from planner.payload_index.indexes import SCANS_BEFORE_INDEX, FieldIndexes
from planner.predicate.globs import compile_glob
from planner.predicate.patterns import LIGHT_PROGRAM, MAX_MATCH_STEPS, compile_regex
from planner.query.filter import Condition, Equal, Filter, MinShould, Nested, TextOperator, TextTest
from planner.resolve.filters import check_filter, derived_filter
from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import Cancelled
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema
from storage.write.operations import Upsert

CODEC = ProtobufPayloadCodec()
HEAVY = "^a[ab]{1000}[ab]{1000}$"
LONG = "a" * 4_000
MIB = 2**20

TEXTS = st.sampled_from(["a", "b", "a" * 2_001, LONG])
VALUES = TEXTS | st.lists(TEXTS, max_size=3) | st.integers(0, 1)
PAYLOADS = st.fixed_dictionaries({}, optional={"x": VALUES, "y": VALUES, "z": st.builds(lambda x: {"x": x}, VALUES)})
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(TextTest, st.sampled_from(["x", "y"]), st.just(TextOperator.REGEX), st.just(HEAVY)),
    st.builds(Equal, st.sampled_from(["x", "y"]), st.sampled_from(["a", "b", 0])),
    st.just(Nested("z", Filter(must=(TextTest("x", TextOperator.REGEX, HEAVY),)))),
)
CLAUSE = st.lists(CONDITIONS, max_size=2).map(tuple)
FILTERS = st.builds(
    Filter,
    must=CLAUSE,
    should=CLAUSE,
    must_not=CLAUSE,
    min_should=st.none() | st.builds(MinShould, st.lists(CONDITIONS, min_size=1, max_size=3).map(tuple), st.just(1)),
)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[ab]{1000}" * 7 + "c", "ab" * (MIB // 2)),
        ("a[ab]{30}c", "ab" * (MIB // 2)),
        ("((a?){30}){30}c", "a" * 20_000),
        (r"\pL+x", "ö" * 10_000),
    ],
)
def test_what_would_take_long_is_refused(pattern: str, text: str) -> None:
    with pytest.raises(PatternTooCostly, match="MAX_MATCH_STEPS allows 6,000,000") as refused:
        compile_regex(pattern, "body")(text)
    facts = refused.value.metadata
    assert facts["path"] == "body"
    assert facts["pattern"] == pattern
    assert int(facts["length"]) == len(text.encode())
    assert int(facts["size"]) * int(facts["length"]) > int(facts["maximum"]) == MAX_MATCH_STEPS


def test_the_bound_is_exact() -> None:
    matches = compile_regex(HEAVY)
    with pytest.raises(PatternTooCostly) as refused:
        matches("a" * 100_000)
    longest = MAX_MATCH_STEPS // int(refused.value.metadata["size"])
    assert not matches("b" * longest)
    with pytest.raises(PatternTooCostly):
        matches("b" * (longest + 1))
    assert not matches("ö" * (longest // 2))
    with pytest.raises(PatternTooCostly):
        matches("ö" * (longest // 2 + 1))


@pytest.mark.parametrize("pattern", ["needle", "n.*e$", "a[ab]{9}c"])
def test_light_patterns_match_texts_of_any_length(pattern: str) -> None:
    """The last one's automaton has as many states as one of its size may have."""
    text = "".join(np.random.default_rng(1).choice(["a", "b"], MIB)) + "needle"
    assert compile_regex(pattern)(text) == pattern.startswith("n")


def test_globs_are_bounded_too() -> None:
    glob = "*".join("ab" * 20)
    with pytest.raises(PatternTooCostly) as refused:
        compile_glob(glob, "path")("ab" * (MIB // 2))
    assert refused.value.metadata["pattern"] == glob
    assert int(refused.value.metadata["size"]) > LIGHT_PROGRAM
    assert compile_glob(glob)("ab" * 20)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data", codec=CODEC)
    yield database
    database.close()


_names = (f"c{number}" for number in itertools.count())


def _filled(database: Database, payloads: Sequence[dict[str, object]]) -> Collection:
    collection = database.create_collection(next(_names), CollectionSchema(spaces={}))
    upsert = Upsert(ids=tuple(range(len(payloads))), payloads=tuple(map(CODEC.encode, payloads)), vectors={})
    collection.write([upsert]).result(timeout=30)
    return collection


def _outcome(read: Callable[[], object]) -> object:
    """What was read, or that it was refused."""
    try:
        found = read()
    except PatternTooCostly:
        return "refused"
    return np.asarray(found).tolist()


def _expected(filter: Filter, payloads: Sequence[dict[str, object]], limit: int | None = None) -> object:
    """By plain logic of three values, None for what a text is too long for; points behind the page do not count."""
    found: list[int] = []
    for number, payload in enumerate(payloads):
        verdict = _judge(filter, payload)
        if verdict is None:
            return "refused"
        if verdict:
            found.append(number)
        if len(found) == limit:
            break
    return found


def _judge(condition: Condition, payload: dict[str, object]) -> bool | None:
    match condition:
        case Equal(path=path, value=value):
            return any(element == value for element in _elements(payload, path))
        case TextTest(path=path):
            return _any([_fits(element) for element in _elements(payload, path)])
        case Nested(path=path, filter=filter):
            return _any([_judge(filter, element) for element in _elements(payload, path) if isinstance(element, dict)])
        case Filter():
            parts = [_judge(each, payload) for each in condition.must]
            parts += [_any([_judge(each, payload) for each in condition.should])] * bool(condition.should)
            parts += [_not(_judge(each, payload)) for each in condition.must_not]
            if condition.min_should is not None:
                parts.append(_any([_judge(each, payload) for each in condition.min_should.conditions]))
            return _not(_any([_not(part) for part in parts]))
    raise AssertionError(condition)


def _elements(payload: dict[str, object], path: str) -> list[object]:
    value = payload.get(path)
    return value if isinstance(value, list) else [value]


def _fits(value: object) -> bool | None:
    if not isinstance(value, str):
        return False
    return None if value == LONG else len(value) == 2_001


def _any(verdicts: list[bool | None]) -> bool | None:
    return True if True in verdicts else None if None in verdicts else False


def _not(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PAYLOADS, min_size=1, max_size=6), FILTERS, st.integers(1, 3))
def test_whether_a_filter_is_refused_depends_on_the_points_alone(
    database: Database, payloads: list[dict[str, object]], filter: Filter, limit: int
) -> None:
    collection = _filled(database, payloads)
    with collection.snapshot() as reader:
        slots = reader.slots_of(range(len(payloads))).tolist()
        assert slots == list(range(len(payloads)))
        expected, page = _expected(filter, payloads), _expected(filter, payloads, limit)
        checked = check_filter(filter, reader.schema, "filter")
        without, indexed = FilterCache(0), FilterCache(2**20, _indexes(reader))
        assert _outcome(lambda: matching_slots(reader, checked)) == expected
        assert _outcome(lambda: first_matching(reader, checked, limit, without, UNLIMITED)) == page
        assert _outcome(lambda: first_matching(reader, checked, limit, indexed, UNLIMITED)) == page
        for _ in range(2):
            assert _outcome(lambda: indexed.slots(reader, checked, UNLIMITED)) == expected
        assert _outcome(lambda: first_matching(reader, checked, limit, indexed, UNLIMITED)) == page
    database.delete_collection(collection.name)


def _indexes(reader: Snapshot) -> FieldIndexes:
    """Indexes of both paths."""
    fields = FieldIndexes(2**20)
    for path in ("x", "y") * (SCANS_BEFORE_INDEX + 1):
        fields.get(reader, path, UNLIMITED)
    assert fields.has(reader.collection_uid, "x")
    return fields


def test_the_budget_is_looked_at_between_two_texts(database: Database) -> None:
    """Each match may take 50 ms, so a caller that went away is noticed between two of one point."""
    collection = _filled(database, [{"x": ["ab" * 1_400] * 350}])
    looks = 0

    def gone() -> bool:
        nonlocal looks
        looks += 1
        return looks > 3

    conditions = tuple(TextTest("x", TextOperator.REGEX, f"^a[ab]{{1000}}[ab]{{900}}c{number}") for number in range(20))
    with collection.snapshot() as reader, pytest.raises(Cancelled):
        matching_slots(reader, derived_filter(Filter(should=conditions)), Budget(is_cancelled=gone))


def test_an_element_that_matches_decides_whatever_the_others_are(database: Database) -> None:
    collection = _filled(database, [{"x": [LONG, "a" * 2_001]}, {"x": ["a" * 2_001, LONG]}, {"x": "a"}])
    heavy = derived_filter(Filter(must=(TextTest("x", TextOperator.REGEX, HEAVY),)))
    with collection.snapshot() as reader:
        for fields in (None, _indexes(reader)):
            slots = matching_slots(reader, heavy, fields=fields)
            assert slots.tolist() == [0, 1]
