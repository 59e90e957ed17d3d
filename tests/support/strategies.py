"""What Hypothesis draws: worlds of few values, so that scores tie, and valid queries over them, up to four deep."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st

from planner.query.bm25 import Bm25, Combine, Highlighting
from planner.query.filter import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Range,
    Scalar,
    TextOperator,
    TextTest,
    ValuesCount,
)
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Div,
    Expression,
    FieldValue,
    Formula,
    Function,
    GeoDistance,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
)
from planner.query.metrics import Metric
from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Dbsf,
    Discover,
    FilterScope,
    FilterStrategy,
    Mmr,
    Nearest,
    OrderBy,
    PayloadSelector,
    Query,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Rrf,
    Sample,
    ScoreMode,
    SearchParams,
    Stage,
    StoredVector,
    VectorInput,
    VectorRank,
    VectorsSelector,
    WeightedMetric,
    is_by_metric,
)
from storage.schema import Distance, PointId
from storage.schema.text_settings import TextSettings
from tests.support.oracle.query import Point, Vector, World

T = TypeVar("T")

SIZES: Mapping[str, int] = {"": 2, "dot": 3, "euclid": 3, "manhattan": 2, "hamming": 4, "jaccard": 4}
DISTANCES: Mapping[str, Distance] = {
    "": Distance.COSINE,
    "dot": Distance.DOT,
    "euclid": Distance.EUCLID,
    "manhattan": Distance.MANHATTAN,
    "hamming": Distance.HAMMING,
    "jaccard": Distance.JACCARD,
}
NUMBERS: tuple[PointId, ...] = (*range(24), 2**53, 2**64 - 1)
STRINGS: tuple[PointId, ...] = ("a", "b", "aa", "Z", "10", "9", "é", "\U0001f600", "\uffff", "a ", "\x00")
IDS: tuple[PointId, ...] = (*NUMBERS, *STRINGS)
VALUES: tuple[Scalar, ...] = (0, 1, 2, 1.0, 1.5, True, False, "", "x", "y", 2**53 + 1)
INSTANTS = ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00.250+00:00", "2026-03-01T14:00:00+01:00", "2026-03-01")
INDEXED: Mapping[str, TextSettings] = {"a": TextSettings(), "b": TextSettings(lowercase=False, stop_words=("y",))}
"""Text indexes: of fields that hold strings, arrays of them and other values."""
TEXTS = ("red shoe", "Rote Größe", "shoe, red; shoe", *INSTANTS)
PLACES: tuple[object, ...] = (
    {"lat": 52.52, "lon": 13.41},
    {"lat": 48.14, "lon": 11.58},
    {"lat": -36.85, "lon": 174.76},
    {"lat": 91, "lon": 0},
    {"lat": 1},
)
PATHS = st.sampled_from(["a", "a", "b", "b", "o", "o.x", "l", "l[]", "l[].x", "a[]", "nowhere"])


def random_world(seed: int) -> World:
    """About thirty points that lack some spaces and fields. Components and field values are few."""
    random = Random(seed)
    ids = random.sample(IDS, random.randint(24, len(IDS)))
    points = {point_id: Point(_random_payload(random), _random_vectors(random)) for point_id in ids}
    return World(points, DISTANCES, INDEXED)


def _random_vectors(random: Random) -> dict[str, Vector]:
    spaces = [space for space in SIZES if random.random() < 0.85]
    return {space: np.array(random.choices(_components(space), k=SIZES[space]), np.float32) for space in spaces}


def _components(space: str) -> tuple[int, ...]:
    """Values that a stored component may have."""
    return (0, 1) if DISTANCES[space].is_binary else (-1, 0, 1, 2)


def _random_payload(random: Random) -> dict[str, object]:
    def flat() -> object:
        kind = random.random()
        values: tuple[object, ...] = (*VALUES, *VALUES, None, *TEXTS, *PLACES)
        one = random.choice(values)
        return one if kind < 0.7 else [random.choice(values) for _ in range(random.randint(0, 3))]

    payload: dict[str, object] = {
        "a": flat(),
        "b": flat(),
        "o": {"x": flat()},
        "l": [{"x": flat()}, {"y": 1, "x": flat()}],
    }
    return {key: value if random.random() < 0.8 else flat() for key, value in payload.items() if random.random() < 0.9}


def vectors(space: str) -> st.SearchStrategy[Vector]:
    """Query vectors, zero only where the metric takes it."""
    binary = DISTANCES[space].is_binary
    component = st.integers(0, 1) if binary else st.integers(-2, 2)
    numbers = st.lists(component, min_size=SIZES[space], max_size=SIZES[space])
    return numbers.filter(lambda values: binary or any(values)).map(lambda values: np.array(values, np.float32))


SCALARS = st.sampled_from(VALUES)
SOME_SCALARS = st.lists(SCALARS, max_size=5).map(tuple)
RANGES = st.builds(
    lambda path, low, high: Range(path=path, **low, **high),
    PATHS,
    st.sampled_from([{"gt": 0}, {"gte": 1}, {"gte": 0}, {"gt": 2**53}]),
    st.sampled_from([{}, {}, {"lt": 2**53 + 1}, {"lte": 1.5}]),
)
STRING_RANGES = st.builds(
    lambda path, low, high: Range(path=path, **low, **high),
    PATHS,
    st.sampled_from([{"gt": ""}, {"gte": "x"}, {"gte": "A"}]),
    st.sampled_from([{}, {"lt": "y"}, {"lte": "\U0001f600"}]),
)
DATETIME_RANGES = st.builds(
    lambda path, low, high: DatetimeRange(path=path, **low, **high),
    PATHS,
    st.sampled_from([{"gt": "2026-03-01T12:00:00+00:00"}, {"gte": "2026-03-01T14:00:00+02:00"}, {"gte": INSTANTS[2]}]),
    st.sampled_from([{}, {"lt": "2026-03-01T12:00:01-00:30"}, {"lte": "2026-03-01T12:00:00.250+00:00"}]),
)
COUNTS = st.builds(
    lambda path, low, high: ValuesCount(path=path, **low, **high),
    PATHS,
    st.sampled_from([{"gt": 0}, {"gte": 2}, {"gte": 0}]),
    st.sampled_from([{}, {"lt": 1}, {"lte": 2}]),
)
TEXT_TESTS = st.one_of(
    st.builds(
        TextTest,
        PATHS,
        st.sampled_from([TextOperator.TEXT, TextOperator.PHRASE]),
        st.sampled_from(["x", "red SHOE", "shoe red", "größe"]),
    ),
    st.builds(
        TextTest,
        PATHS,
        st.sampled_from([TextOperator.STARTS_WITH, TextOperator.CONTAINS]),
        st.sampled_from(["", "x", "red", "Shoe", "Grö"]),
    ),
    st.builds(
        TextTest,
        PATHS,
        st.sampled_from([TextOperator.GLOB, TextOperator.IGLOB]),
        st.sampled_from(["*", "?", "[xy]", "R*e*", "*[!a]hoe", "2026-*"]),
    ),
    st.builds(TextTest, PATHS, st.just(TextOperator.REGEX), st.sampled_from(["", "^x$", "[A-Z]", "r.d|ö"])),
)
PLACE_TESTS = st.one_of(
    st.builds(GeoRadius, PATHS, st.just(GeoPoint(52.5, 13.4)), st.sampled_from([0.0, 60_000.0, 9e5, 3e7])),
    st.builds(GeoBox, PATHS, st.just(GeoPoint(60, 0)), st.sampled_from([GeoPoint(40, 20), GeoPoint(-40, -170)])),
    st.builds(
        GeoPolygon,
        PATHS,
        st.just((GeoPoint(60, -1), GeoPoint(60, 20), GeoPoint(45.5, 10), GeoPoint(-60, -1))),
        st.sampled_from([(), ((GeoPoint(53, 13), GeoPoint(53, 14), GeoPoint(52.1, 13.2)),)]),
    ),
)
FLAT_CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Exists, PATHS), STRING_RANGES, DATETIME_RANGES, COUNTS, TEXT_TESTS, PLACE_TESTS
)
ON_ID = st.just("$id")
ID_SCALARS = st.sampled_from(
    [*(key for key in IDS if not isinstance(key, int) or key < 2**63), 99, -1, 1.0, 2.5, True, "", "zzz"]
)
ID_BOUNDS = st.sampled_from([-1, 0, 2, 2.5, 7, 2**62, 1e300, -1e300])
ID_STRING_BOUNDS = st.sampled_from(["", "a", "a-1", "b", "zzz", "\U0010ffff"])
ID_CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Equal, ON_ID, ID_SCALARS),
    st.builds(AnyOf, ON_ID, st.lists(ID_SCALARS, max_size=4).map(tuple)),
    st.builds(ExceptOf, ON_ID, st.lists(ID_SCALARS, max_size=4).map(tuple)),
    st.builds(Range, path=ON_ID, gt=ID_BOUNDS, lte=st.none() | ID_BOUNDS),
    st.builds(Range, path=ON_ID, gte=st.none() | ID_BOUNDS, lt=ID_BOUNDS),
    st.builds(Range, path=ON_ID, gt=st.none() | ID_STRING_BOUNDS, lte=ID_STRING_BOUNDS),
    st.builds(Range, path=ON_ID, gte=ID_STRING_BOUNDS, lt=st.none() | ID_STRING_BOUNDS),
    st.builds(TextTest, ON_ID, st.just(TextOperator.STARTS_WITH), st.sampled_from(["", "a", "a-", "x"])),
    st.builds(Exists, ON_ID),
)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    ID_CONDITIONS,
    FLAT_CONDITIONS,
    st.builds(Nested, PATHS, st.deferred(lambda: NESTED_FILTERS)),
    st.builds(Equal, PATHS, SCALARS),
    st.builds(AnyOf, PATHS, SOME_SCALARS),
    st.builds(ExceptOf, PATHS, SOME_SCALARS),
    RANGES,
    st.builds(IsNull, PATHS),
    st.builds(IsEmpty, PATHS),
    st.builds(HasId, st.lists(st.sampled_from([*IDS, 99]), max_size=30).map(tuple)),
    st.builds(HasVector, st.sampled_from(sorted(SIZES))),
)


@st.composite
def _filters(draw: st.DrawFn, conditions: st.SearchStrategy[Condition]) -> Filter:
    """One or two clauses of a few conditions each; seldom none."""
    some = st.lists(conditions, min_size=1, max_size=3).map(tuple)
    given = draw(st.sets(st.sampled_from(["must", "should", "must_not", "min_should"]), max_size=2))
    enough = draw(some) if "min_should" in given else ()
    return Filter(
        must=draw(some)[:2] if "must" in given else (),
        should=draw(some) if "should" in given else (),
        must_not=draw(some)[:2] if "must_not" in given else (),
        min_should=MinShould(enough, draw(st.integers(1, len(enough)))) if enough else None,
    )


NESTED_FILTERS: st.SearchStrategy[Filter] = _filters(
    st.one_of(st.builds(Equal, st.just("x"), SCALARS), st.builds(Equal, st.just("y"), SCALARS), FLAT_CONDITIONS)
)
FILTERS: st.SearchStrategy[Filter] = _filters(
    st.one_of(CONDITIONS, CONDITIONS, _filters(CONDITIONS | _filters(CONDITIONS)))
)


def seldom(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.one_of(st.none(), st.none(), strategy)


@st.composite
def stages(draw: st.DrawFn, world: World, depth: int, *, root: bool = False) -> Stage:
    """A valid stage of at most `depth` levels."""
    width = draw(st.integers(0, 3)) if depth > 1 else 0
    prefetch = tuple(draw(stages(world, depth - 1)) for _ in range(width))
    using = draw(st.sampled_from([None, *SIZES]))
    query = draw(ranks(world, using or "", width))
    limit, offset = draw(st.none() | st.integers(1, 40)), draw(st.integers(0, 3)) if root else 0
    if limit is not None and isinstance(query, Nearest) and query.mmr is not None and draw(st.booleans()):
        query = replace(query, mmr=replace(query.mmr, candidates=limit + offset + draw(st.integers(0, 5))))
    modes = list(ScoreMode) if is_by_metric(query) else [ScoreMode.RAW, ScoreMode.SIMILARITY]
    return Stage(
        query=query,
        using=using if isinstance(query, VectorRank) else None,
        prefetch=prefetch,
        filter=draw(seldom(FILTERS)),
        filter_scope=draw(st.sampled_from(FilterScope)),
        params=SearchParams(exact=True, filter_strategy=draw(st.sampled_from(FilterStrategy))),
        score_threshold=None if isinstance(query, OrderBy | Sample | None) else draw(seldom(thresholds(query, using))),
        limit=limit,
        offset=offset,
        score_mode=draw(st.sampled_from(modes)) if root else ScoreMode.RAW,
    )


def thresholds(rank: Rank, using: str | None) -> st.SearchStrategy[float]:
    """Scores that split typical lists."""
    if not is_by_metric(rank):
        return st.sampled_from([0.0, 0.02, 0.5])
    if isinstance(rank, ByMetrics):
        return st.sampled_from([0.0, 0.5, 1.0])
    return st.sampled_from([-1.0, 0.0, 0.5] if DISTANCES[using or ""].higher_is_better else [1.0, 2.0, 3.0])


def vector_inputs(world: World, space: str, *, unlike_zero: bool = False) -> st.SearchStrategy[VectorInput]:
    """Vectors that the space's metric takes as queries, or that any metric takes; or points that have one."""
    usable = [key for key, point in world.points.items() if space in point.vectors and point.vectors[space].any()]
    given = vectors(space).filter(lambda vector: not unlike_zero or bool(vector.any()))
    inputs: st.SearchStrategy[VectorInput] = given.map(QueryVector)
    return inputs | st.sampled_from(usable).map(StoredVector) if usable else inputs


MMRS = st.builds(Mmr, st.sampled_from([0.0, 0.3, 0.5, 1.0]))

ORDERS = st.builds(
    OrderBy, st.sampled_from(["a", "b", "nowhere"]), st.booleans(), seldom(st.sampled_from([0, 1, 1.5, "", "x"]))
)


BM25 = st.builds(
    Bm25,
    text=st.sampled_from(["shoe", "x", "red shoe", "+red x", "shoe -red", '"red shoe" Rote', "2026 x y", "sho"]),
    fields=st.sampled_from([(), (("a", 1.0),), (("b", 2.0), ("a", 0.5))]),
    combine=st.sampled_from(Combine),
    all_terms=st.booleans(),
    last_as_prefix=st.booleans(),
    highlight=seldom(st.builds(Highlighting)),
)


@st.composite
def by_examples(
    draw: st.DrawFn, inputs: st.SearchStrategy[VectorInput], distance: Distance
) -> Recommend | Discover | Context:
    pairs = draw(st.lists(st.builds(ContextPair, inputs, inputs), min_size=1, max_size=2).map(tuple))
    match draw(st.sampled_from(["recommend", "discover", "context"])):
        case "discover":
            return Discover(draw(inputs), pairs)
        case "context":
            return Context(pairs)
        case _:
            scored = [RecommendStrategy.BEST_SCORE, RecommendStrategy.SUM_SCORES]
            # Averages may be zero, which Cosine refuses, or no longer of zeros and ones.
            averages = [] if distance is Distance.COSINE or distance.is_binary else [RecommendStrategy.AVERAGE]
            positive = draw(st.lists(inputs, min_size=1, max_size=3).map(tuple))
            negative = draw(st.lists(inputs, max_size=2).map(tuple))
            return Recommend(positive, negative, draw(st.sampled_from([*scored, *averages])))


def expressions(lists: int) -> st.SearchStrategy[Expression]:
    """Expressions over `lists` prefetches, few of which have no value anywhere."""
    numbers = st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.25, 1e300])
    variables = st.one_of(
        st.builds(FieldValue, PATHS),
        st.builds(GeoDistance, st.just(GeoPoint(52.5, 13.4)), PATHS),
        st.builds(DatetimeKey, PATHS),
    )
    scores = [st.builds(PrefetchScore, st.integers(0, lists - 1))] * 2 if lists else []
    leaves = st.one_of(
        numbers.map(Constant),
        CONDITIONS.map(lambda condition: Holds(Filter(must=(condition,)))),
        st.sampled_from(INSTANTS[:3]).map(Datetime),
        variables,
        *scores,
    )

    def grown(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        decays = st.builds(
            Decay,
            st.sampled_from(DecayShape),
            parts,
            st.none() | parts,
            st.sampled_from([0.5, 1.0, 1e6]),
            st.sampled_from([0.5, 0.1]),
        )
        return st.one_of(
            st.builds(OfList, st.sampled_from(ListFunction), several),
            st.builds(OfOne, st.sampled_from(Function), parts),
            st.builds(Pow, parts, parts),
            st.builds(Div, parts, parts, st.none() | numbers),
            decays,
        )

    return st.recursive(leaves, grown, max_leaves=5)


def formulas(lists: int) -> st.SearchStrategy[Formula]:
    """Formulas that drop points without a value, so that none is refused."""
    defaults = st.sampled_from([(), (("$score", 0.25),), (("$score[1]", -1.0),)])
    return st.builds(Formula, expressions(lists), defaults, st.just(True))


@st.composite
def by_metrics(draw: st.DrawFn, inputs: Callable[[str], st.SearchStrategy[VectorInput]], space: str) -> ByMetrics:
    """With vectors of its own for each part, some of them in other spaces."""
    if draw(st.booleans()):
        return ByMetrics(draw(inputs(space)), draw(st.sampled_from(Metric)))
    parts = []
    for using in draw(st.lists(st.sampled_from([None, None, *SIZES]), min_size=1, max_size=3)):
        vector = draw(inputs(space if using is None else using)) if using is not None or draw(st.booleans()) else None
        parts.append(
            WeightedMetric(draw(st.sampled_from(Metric)), draw(st.sampled_from([1.0, 0.3, -2.0])), vector, using)
        )
    return ByMetrics(draw(inputs(space)), composite=tuple(parts))


@st.composite
def ranks(draw: st.DrawFn, world: World, space: str, width: int) -> Rank | None:
    kinds = [
        "nearest",
        "nearest",
        "nearest",
        *(["rrf", "dbsf"] if width else ["scan"]),
        "order_by",
        "sample",
        "examples",
        "rescore",
        "formula",
        "bm25",
    ]
    inputs = vector_inputs(world, space)
    match draw(st.sampled_from(kinds)):
        case "nearest":
            return Nearest(draw(inputs), mmr=draw(seldom(MMRS)))
        case "order_by":
            return draw(ORDERS)
        case "sample":
            return Sample(draw(st.sampled_from([0, 7, 2**64 - 1])))
        case "examples":
            return draw(by_examples(inputs, DISTANCES[space]))
        case "rescore":
            return draw(by_metrics(partial(vector_inputs, world, unlike_zero=True), space))
        case "formula":
            return draw(formulas(width))
        case "bm25":
            return draw(BM25)
        case "scan":
            return None
        case kind:
            weights = draw(st.none() | st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5]), min_size=width, max_size=width))
            chosen = tuple(weights) if weights and any(weights) else None
            return Rrf(draw(st.sampled_from([0.0, 1.0, 60.0])), chosen) if kind == "rrf" else Dbsf(chosen)


SELECTORS = st.none() | st.builds(
    PayloadSelector,
    include=st.none() | st.lists(PATHS, max_size=3).map(tuple),
    exclude=st.lists(PATHS, max_size=2).map(tuple),
)
VECTOR_SELECTORS = st.none() | st.builds(
    VectorsSelector, include=st.none() | st.lists(st.sampled_from(sorted(SIZES)), max_size=3).map(tuple)
)


@st.composite
def queries(draw: st.DrawFn, world: World) -> Query:
    root = draw(stages(world, 4, root=True))
    return Query(
        root=root, with_payload=draw(SELECTORS), with_vectors=draw(VECTOR_SELECTORS), explain=draw(st.booleans())
    )
