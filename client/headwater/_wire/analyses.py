"""Groups, facets, aggregations and distance matrices between the client's models and the contract."""

from collections.abc import Mapping, Sequence
from typing import Any

from headwater._wire.enum_names import made
from headwater._wire.points import asks_vectors, payload_selector, record_of, scored_point_of, vectors_selector
from headwater._wire.queries import explanation_of
from headwater._wire.values import id_of, value_of
from headwater.models import (
    AggregateGroup,
    Aggregates,
    Aggregation,
    AggregationKind,
    AggregationLike,
    FacetHit,
    Facets,
    Groups,
    MatrixOffsets,
    MatrixPair,
    MatrixPairs,
    PointGroup,
    WithLookup,
)
from headwater.v1 import points_pb2

_KINDS = {kind.value.removeprefix("AGGREGATION_KIND_").lower(): kind for kind in AggregationKind}


def lookup_message(given: WithLookup | str | Mapping[str, Any] | None) -> points_pb2.GroupLookup | None:
    if given is None:
        return None
    lookup = WithLookup(given) if isinstance(given, str) else made(WithLookup, given)
    return points_pb2.GroupLookup(
        collection_name=lookup.collection,
        with_payload=payload_selector(lookup.with_payload),
        with_vectors=vectors_selector(lookup.with_vectors),
    )


def groups_of(message: points_pb2.PointsQueryGroupsResponse, request: points_pb2.PointsQueryGroupsRequest) -> Groups:
    vectors, of_lookup = asks_vectors(request.query.with_vectors), asks_vectors(request.with_lookup.with_vectors)
    return Groups(
        [_group_of(group, vectors, of_lookup) for group in message.groups],
        seq=message.seq,
        explanation=explanation_of(message.explanation) if message.HasField("explanation") else None,
    )


def _group_of(message: points_pb2.PointGroup, vectors: bool, of_lookup: bool) -> PointGroup:
    return PointGroup(
        value=value_of(message.value),
        points=[scored_point_of(point, vectors) for point in message.points],
        lookup=record_of(message.lookup, of_lookup) if message.HasField("lookup") else None,
    )


def facets_of(message: points_pb2.PointsFacetResponse) -> Facets:
    hits = [FacetHit(value_of(hit.value), hit.count) for hit in message.hits]
    return Facets(hits, value_count=message.value_count, seq=message.seq)


def aggregation_messages(given: Mapping[str, AggregationLike]) -> list[points_pb2.Aggregation]:
    """Raises TypeError or ValueError, which names the aggregation."""
    if not isinstance(given, Mapping):
        raise TypeError(f"aggregations are a dict by name, not {type(given).__name__}")
    return [_aggregation_message(each, f'aggregations["{name}"]') for name, each in given.items()]


def _aggregation_message(given: AggregationLike, path: str) -> points_pb2.Aggregation:
    match given:
        case Aggregation():
            aggregation = given
        case str():
            aggregation = Aggregation(_kind_of(given, path))
        case (str() as kind, str() as field):
            aggregation = Aggregation(_kind_of(kind, path), field)
        case _:
            raise TypeError(f'{path} is an Aggregation, "count" or a pair such as ("sum", "price"), not {given!r}')
    return points_pb2.Aggregation(kind=aggregation.kind.value, path=aggregation.path)


def _kind_of(name: str, path: str) -> AggregationKind:
    if name not in _KINDS:
        raise ValueError(f"{path}: {name!r} is not one of {', '.join(_KINDS)}")
    return _KINDS[name]


def aggregates_of(message: points_pb2.PointsAggregateResponse, names: Sequence[str]) -> Aggregates:
    """`names` are the names of the aggregations, in order."""
    groups = [
        AggregateGroup(
            value=value_of(group.value) if group.HasField("value") else None,
            count=group.count,
            results=dict(zip(names, map(value_of, group.results), strict=True)),
        )
        for group in message.groups
    ]
    return Aggregates(groups, group_count=message.group_count, seq=message.seq)


def pairs_of(message: points_pb2.PointsSearchMatrixPairsResponse) -> MatrixPairs:
    pairs = [MatrixPair(id_of(pair.a), id_of(pair.b), pair.score) for pair in message.pairs]
    return MatrixPairs(pairs, seq=message.seq)


def offsets_of(message: points_pb2.PointsSearchMatrixOffsetsResponse) -> MatrixOffsets:
    return MatrixOffsets(
        ids=[id_of(point_id) for point_id in message.ids],
        offsets_row=list(message.offsets_row),
        offsets_col=list(message.offsets_col),
        scores=list(message.scores),
        seq=message.seq,
    )
