"""Converts indexes and records between the client's models and the contract."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headwater._plain import member_of, snake_case
from headwater._wire.filters import filter_message
from headwater._wire.limits import unsigned
from headwater._wire.points import payload_selector, scored_point_of, vectors_selector
from headwater._wire.queries import params_message
from headwater._wire.values import write_id, write_payload
from headwater._wire.vectors import text_message, write_vector
from headwater.errors import InvalidArgumentError
from headwater.filters import FilterLike
from headwater.models import (
    Distance,
    Index,
    IndexHit,
    IndexHits,
    IndexSource,
    IndexStats,
    IndexStatus,
    PointIdLike,
    PropertyVector,
    PropertyVectorLike,
    ReadyPolicy,
    ScoreMode,
    SearchParamsLike,
    VectorLike,
    WithPayload,
    WithVectors,
)
from headwater.v1 import common_pb2, indexes_pb2


def index_arguments(
    given: Mapping[str, Any] | None, named: Mapping[str, Any], method: str, what: str
) -> dict[str, Any]:
    """The arguments of a call, given as a dict, by name, or both; those by name win. `camelCase` names are accepted
    too.

    Raises TypeError for an unknown name.
    """
    chosen = {name: value for name, value in named.items() if value is not None}
    for name, value in (given or {}).items():
        own = snake_case(name) if isinstance(name, str) else name
        if own not in named:
            raise TypeError(f"{what} of {method} has no {name!r}; there are: {', '.join(named)}")
        chosen.setdefault(own, value)
    return chosen


def index_create_request(given: Mapping[str, Any]) -> indexes_pb2.IndexesCreateRequest:
    external = given.get("external")
    source = given.get("source_type")
    if external is not None and source is None:
        source = IndexSource.EXTERNAL if external else IndexSource.MANAGED
    ready = given.get("ready_policy")
    return indexes_pb2.IndexesCreateRequest(
        label=given.get("label"),
        property_name=given.get("property_name"),
        source=_source(source),
        similarity=similarity(given.get("similarity_function")),
        dimensions=unsigned(given.get("dimensions"), "dimensions", InvalidArgumentError),
        ready_policy=None if ready is None else f"READY_POLICY_{member_of(ReadyPolicy, ready, 'ready_policy').name}",
        embedder=given.get("embedder"),
        space=given.get("using"),
    )


def similarity(given: Distance | str | None) -> str | None:
    """The name of a metric in the contract. Raises ValueError."""
    return None if given is None else member_of(Distance, given, "similarity_function").value


def index_of(message: indexes_pb2.Index) -> Index:
    return Index(
        id=message.id,
        label=message.label,
        property_name=message.property_name,
        source_type=IndexSource[_suffix(indexes_pb2.IndexSource.Name(message.source), "INDEX_SOURCE_")],
        similarity_function=Distance(common_pb2.Distance.Name(message.similarity)),
        dimensions=message.dimensions,
        status=IndexStatus[_suffix(indexes_pb2.IndexStatus.Name(message.status), "INDEX_STATUS_")],
        ready_policy=ReadyPolicy[_suffix(indexes_pb2.ReadyPolicy.Name(message.ready_policy), "READY_POLICY_")],
        space=message.space,
        embedder=message.embedder if message.HasField("embedder") else None,
        error=message.error,
    )


def index_stats_of(message: indexes_pb2.IndexCoverage) -> IndexStats:
    return IndexStats(
        total=message.total,
        indexed=message.indexed,
        pending=message.pending,
        seq=message.seq,
        index_id=message.index_id,
    )


def item_messages(items: Iterable[Any]) -> list[indexes_pb2.IndexItem]:
    """Items as `{"recordId", "vector"}`, or pairs of these two."""
    messages = []
    for position, item in enumerate(items):
        message, path = indexes_pb2.IndexItem(), f"items[{position}]"
        record_id, vector = _item(item, path)
        write_id(record_id, message.record_id, f"{path}.record_id")
        write_vector(vector, message.vector, f"{path}.vector")
        messages.append(message)
    return messages


def _item(item: Any, path: str) -> tuple[PointIdLike, VectorLike | str]:
    if isinstance(item, Mapping):
        named = {snake_case(name): value for name, value in item.items()}
        if named.keys() != {"record_id", "vector"}:
            raise ValueError(f'{path} is {{"recordId", "vector"}}, and has {", ".join(map(repr, item)) or "nothing"}')
        return named["record_id"], named["vector"]
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    raise TypeError(f'{path} is a dict {{"recordId", "vector"}} or a pair, not {type(item).__name__}')


def record_message(
    record_id: PointIdLike, data: Mapping[str, Any], vectors: Sequence[PropertyVectorLike], path: str
) -> indexes_pb2.IndexRecord:
    """`path` is that of the record in the call; errors name it."""
    message = indexes_pb2.IndexRecord()
    write_id(record_id, message.id, f"{path}.id")
    write_payload(data, message.payload, f"{path}.payload")
    for number, given in enumerate(vectors):
        vector = property_vector(given, f"{path}.vectors[{number}]")
        inline = message.vectors.add(
            property_name=vector.property_name, similarity=similarity(vector.similarity_function), using=vector.using
        )
        write_vector(vector.vector, inline.vector, f"{path}.vectors[{number}].vector")
    return message


def property_vector(given: PropertyVectorLike, path: str) -> PropertyVector:
    """Raises TypeError unless `given` is or describes a PropertyVector."""
    if isinstance(given, PropertyVector):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f'{path} is a dict {{"propertyName", "vector"}}, not {type(given).__name__}')
    try:
        return PropertyVector(**{snake_case(name): value for name, value in given.items()})
    except TypeError:
        known = "propertyName, vector, similarityFunction, using"
        raise TypeError(f"{path} has {', '.join(map(repr, given))}; it may have: {known}") from None


def index_search_request(
    given: Mapping[str, Any],
    *,
    params: SearchParamsLike | None,
    with_payload: WithPayload,
    with_vectors: WithVectors,
) -> indexes_pb2.IndexesSearchRequest:
    labels = given.get("labels", ())
    mode: ScoreMode | None = given.get("score_mode")
    where: FilterLike | None = given.get("where")
    request = indexes_pb2.IndexesSearchRequest(
        labels=[labels] if isinstance(labels, str) else labels,
        property_name=given.get("property_name"),
        similarity=similarity(given.get("similarity_function")),
        source=_source(given.get("source_type")),
        using=given.get("using"),
        where=filter_message(where),
        limit=unsigned(given.get("limit"), "limit"),
        offset=unsigned(given.get("skip", given.get("offset")), "skip" if "skip" in given else "offset"),
        score_threshold=given.get("score_threshold"),
        score_mode=None if mode is None else mode.value,
        params=params_message(params),
        with_payload=payload_selector(with_payload),
        with_vectors=vectors_selector(with_vectors),
    )
    text, vector = given.get("query"), given.get("query_vector")
    if text is not None and vector is not None:
        raise ValueError("a search takes a query text or a query vector, not both")
    if text is not None:
        request.query_text = text_message(text, "query").text
    elif vector is not None:
        write_vector(vector, request.query_vector, "query_vector")
    return request


def index_hits_of(message: indexes_pb2.IndexesSearchResponse, vectors: bool) -> IndexHits:
    hits = [IndexHit(hit.label, scored_point_of(hit.point, vectors)) for hit in message.hits]
    return IndexHits(hits, [index_stats_of(each) for each in message.coverage])


def _source(given: IndexSource | str | None) -> str | None:
    return None if given is None else f"INDEX_SOURCE_{member_of(IndexSource, given, 'source_type').name}"


def _suffix(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)
