"""What Hypothesis draws: worlds of few values, so that scores tie, and valid queries over them, up to four deep."""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st

from planner.filter import (
    AnyOf,
    Condition,
    Equal,
    ExceptOf,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Range,
    Scalar,
)
from planner.query import (
    Dbsf,
    FilterScope,
    FilterStrategy,
    Nearest,
    PayloadSelector,
    Query,
    QueryVector,
    Rrf,
    ScoreMode,
    SearchParams,
    Stage,
    StoredVector,
    VectorsSelector,
)
from storage.schema import Distance, PointId
from tests.support.oracle import Point, Vector, World

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
PATHS = st.sampled_from(["a", "a", "b", "b", "o", "o.x", "l", "l[]", "l[].x", "a[]", "nowhere"])


def random_world(seed: int) -> World:
    """About thirty points that lack some spaces and fields. Components and field values are few."""
    random = Random(seed)
    ids = random.sample(IDS, random.randint(24, len(IDS)))
    return World({point_id: Point(_random_payload(random), _random_vectors(random)) for point_id in ids}, DISTANCES)


def _random_vectors(random: Random) -> dict[str, Vector]:
    spaces = [space for space in SIZES if random.random() < 0.85]
    return {space: np.array(random.choices(_components(space), k=SIZES[space]), np.float32) for space in spaces}


def _components(space: str) -> tuple[int, ...]:
    """Values that a stored component may have."""
    return (0, 1) if DISTANCES[space].is_binary else (-1, 0, 1, 2)


def _random_payload(random: Random) -> dict[str, object]:
    def flat() -> object:
        kind = random.random()
        one: object = random.choice((*VALUES, None))
        return one if kind < 0.7 else [random.choice((*VALUES, None)) for _ in range(random.randint(0, 3))]

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
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
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
    nearest = isinstance(query, Nearest)
    modes = list(ScoreMode) if nearest else [ScoreMode.RAW, ScoreMode.SIMILARITY]
    return Stage(
        query=query,
        using=using if nearest else None,
        prefetch=prefetch,
        filter=draw(seldom(FILTERS)),
        filter_scope=draw(st.sampled_from(FilterScope)),
        params=SearchParams(exact=True, filter_strategy=draw(st.sampled_from(FilterStrategy))),
        score_threshold=None if query is None else draw(seldom(thresholds(query, using))),
        limit=draw(st.none() | st.integers(1, 40)),
        offset=draw(st.integers(0, 3)) if root else 0,
        score_mode=draw(st.sampled_from(modes)) if root else ScoreMode.RAW,
    )


def thresholds(rank: Nearest | Rrf | Dbsf, using: str | None) -> st.SearchStrategy[float]:
    """Scores that split typical lists."""
    if not isinstance(rank, Nearest):
        return st.sampled_from([0.0, 0.02, 0.5])
    return st.sampled_from([-1.0, 0.0, 0.5] if DISTANCES[using or ""].higher_is_better else [1.0, 2.0, 3.0])


@st.composite
def ranks(draw: st.DrawFn, world: World, space: str, width: int) -> Nearest | Rrf | Dbsf | None:
    usable = [key for key, point in world.points.items() if space in point.vectors and point.vectors[space].any()]
    kinds = ["vector", "vector", *(["stored"] if usable else []), *(["rrf", "dbsf"] if width else ["scan"])]
    match draw(st.sampled_from(kinds)):
        case "vector":
            return Nearest(QueryVector(draw(vectors(space))))
        case "stored":
            return Nearest(StoredVector(draw(st.sampled_from(usable))))
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
