"""Searches, queries and filters that are refused before anything is searched: the typed error and its field."""

import pytest
from google.protobuf.message import Message

import headwater
from headwater import Client
from headwater.v1 import filter_pb2 as filters
from headwater.v1 import payload_pb2, query_pb2
from headwater.v1 import points_pb2 as points
from tests.support.messages import (
    by_filter,
    chain,
    dbsf,
    field,
    filtered,
    leaf,
    must,
    nearest,
    nested_filters,
    number,
    query,
    rrf,
    search,
    text,
)
from tests.support.refusals import INFINITY, NAN, PLAIN, REFUSAL, Error, check_refused, refusal, stored
from tests.support.wire import Wire

TEXT = leaf([1, 2, 3], "text")
IMAGE = leaf([1, 2], "image")


SEARCHES = [
    refusal("nan", search([NAN, 0, 0]), headwater.NotFiniteError, "vector"),
    refusal("infinity", search([INFINITY, 0, 0]), headwater.NotFiniteError, "vector"),
    refusal("wrong length", search([1, 0]), headwater.DimensionMismatchError, "vector", expected="3", actual="2"),
    refusal("empty", search([]), headwater.EmptyVectorError, "vector"),
    refusal("missing", points.PointsSearchRequest(using="text"), headwater.InvalidQueryError, "vector"),
    refusal("zero and cosine", search([0, -0.0, 0]), headwater.ZeroVectorError, "vector"),
    refusal(
        "zero stored point and cosine",
        query(query=nearest(2), using="text"),
        headwater.ZeroVectorError,
        "query.nearest",
    ),
    refusal("unknown space", search([1, 0, 0], "audio"), headwater.SpaceNotFoundError, "using", space="audio"),
    refusal("space not named", search([1, 0, 0], None), headwater.AmbiguousSpaceError, "using"),
    refusal("limit 0", search([1, 0, 0], limit=0), headwater.InvalidLimitError, "limit"),
    refusal("limit too large", search([1, 0, 0], limit=10_001), headwater.InvalidLimitError, "limit", maximum="10000"),
    refusal(
        "limit and offset too large", search([1, 0, 0], limit=1, offset=10_000), headwater.InvalidLimitError, "limit"
    ),
    refusal("limit of a page", points.PointsScrollRequest(limit=0), headwater.InvalidLimitError, "limit"),
    refusal("ef 0", search([1, 0, 0], params={"hnsw_ef": 0}), headwater.InvalidQueryError, "params.hnsw_ef"),
    refusal("unknown enum", search([1, 0, 0], score_mode=77), PLAIN, "score_mode"),
    refusal("nan as a threshold", search([1, 0, 0], score_threshold=NAN), headwater.NotFiniteError, "score_threshold"),
    refusal(
        "lookup without an id",
        search([1, 0, 0], lookup_from={"using": "text"}),
        headwater.InvalidQueryError,
        "lookup_from",
    ),
    refusal(
        "lookup in no collection",
        query(query=nearest(1), using="text", lookup_from={"collection_name": "nowhere"}),
        headwater.CollectionNotFoundError,
        "",
        collection="nowhere",
    ),
    refusal("going on after no id", query(search_after={"score": 1}), headwater.InvalidQueryError, "search_after.id"),
    refusal(
        "going on after nan",
        query(search_after={"score": NAN, "id": {"number": 1}}),
        headwater.NotFiniteError,
        "search_after.score",
    ),
    refusal(
        "going on and an offset",
        query(search_after={"id": {"number": 1}}, offset=1),
        headwater.InvalidQueryError,
        "offset",
    ),
    refusal(
        "a cursor in a batch",
        points.PointsQueryBatchRequest(queries=[points.PointsQueryRequest(cursor="x")]),
        PLAIN,
        "queries[0].cursor",
    ),
    refusal("a cursor for no time", query(cursor_ttl_seconds=0), PLAIN, "cursor_ttl_seconds"),
    refusal("no searches", points.PointsSearchBatchRequest(), PLAIN, "searches"),
    refusal(
        "257 searches",
        points.PointsSearchBatchRequest(searches=[search([1, 2, 3])] * 257),
        headwater.LimitExceededError,
        "searches",
        limit="MAX_BATCH",
        maximum="256",
        actual="257",
    ),
    refusal(
        "one of a batch",
        points.PointsSearchBatchRequest(searches=[search([1, 2, 3]), search([1, 2, NAN])]),
        headwater.NotFiniteError,
        "searches[1].vector",
    ),
    refusal(
        "another collection in a batch",
        points.PointsSearchBatchRequest(searches=[search([1, 2, 3]), search([1, 2, 3], collection_name="nowhere")]),
        PLAIN,
        "searches[1].collection_name",
    ),
]


QUERIES = [
    refusal("prefetch without a query", query(TEXT), headwater.InvalidQueryError, "query"),
    refusal("query without a kind", query(TEXT, query=query_pb2.Query()), headwater.InvalidQueryError, "query"),
    refusal("threshold without a query", query(score_threshold=0.5), headwater.InvalidQueryError, "score_threshold"),
    refusal("space without a query", query(using="text"), headwater.InvalidQueryError, "using"),
    refusal("fusion of nothing", query(query=rrf()), headwater.InvalidQueryError, "query.rrf"),
    refusal("score fusion of nothing", query(query=dbsf()), headwater.InvalidQueryError, "query.dbsf"),
    refusal("fusion in a space", query(TEXT, IMAGE, query=rrf(), using="text"), headwater.InvalidQueryError, "using"),
    refusal(
        "too few weights", query(TEXT, IMAGE, query=rrf(weights=[1])), headwater.InvalidQueryError, "query.rrf.weights"
    ),
    refusal(
        "negative weight",
        query(TEXT, IMAGE, query=rrf(weights=[1, -1])),
        headwater.InvalidQueryError,
        "query.rrf.weights[1]",
    ),
    refusal(
        "nan as a weight",
        query(TEXT, IMAGE, query=dbsf(weights=[NAN, 1])),
        headwater.NotFiniteError,
        "query.dbsf.weights[0]",
    ),
    refusal(
        "weights of 0",
        query(TEXT, IMAGE, query=dbsf(weights=[0, 0])),
        headwater.InvalidQueryError,
        "query.dbsf.weights",
    ),
    refusal("negative k", query(TEXT, query=rrf(k=-1)), headwater.InvalidQueryError, "query.rrf.k"),
    refusal("infinite k", query(TEXT, query=rrf(k=INFINITY)), headwater.NotFiniteError, "query.rrf.k"),
    refusal(
        "distances of a fusion",
        query(TEXT, query=rrf(), score_mode="SCORE_MODE_DISTANCE"),
        headwater.InvalidQueryError,
        "score_mode",
    ),
    refusal(
        "limit 0 below",
        query(TEXT, leaf([1, 2], "image", limit=0), query=rrf()),
        headwater.InvalidLimitError,
        "prefetch[1].limit",
    ),
    refusal(
        "nan below",
        query(TEXT, leaf([1, NAN], "image"), query=rrf()),
        headwater.NotFiniteError,
        "prefetch[1].query.nearest",
    ),
    refusal(
        "zero below",
        query(leaf([0, 0, 0], "text"), query=rrf()),
        headwater.ZeroVectorError,
        "prefetch[0].query.nearest",
    ),
    refusal(
        "unknown space far below",
        query(leaf([1, 2, 3], "text", prefetch=[leaf([1], "audio")]), query=rrf()),
        headwater.SpaceNotFoundError,
        "prefetch[0].prefetch[0].using",
    ),
    refusal(
        "17 levels",
        query(chain(16, [1, 2, 3], "text"), query=rrf()),
        headwater.LimitExceededError,
        "prefetch[0]." * 15 + "prefetch[0]",
        limit="MAX_DEPTH",
        maximum="16",
        actual="17",
    ),
    refusal(
        "65 stages",
        query(*[TEXT] * 64, query=rrf()),
        headwater.LimitExceededError,
        "prefetch",
        limit="MAX_STAGES",
        maximum="64",
        actual="65",
    ),
    refusal(
        "257 queries", points.PointsQueryBatchRequest(queries=[query()] * 257), headwater.LimitExceededError, "queries"
    ),
    refusal(
        "one of a batch",
        points.PointsQueryBatchRequest(queries=[query(), query(TEXT)]),
        headwater.InvalidQueryError,
        "queries[1].query",
    ),
    refusal(
        "to explain",
        points.PointsExplainRequest(query=query(query=rrf())),
        headwater.InvalidQueryError,
        "query.query.rrf",
    ),
]


FILTERS = [
    refusal(
        "condition without a kind", filtered(must(filters.Condition())), headwater.InvalidFilterError, "filter.must[0]"
    ),
    refusal("no predicate", filtered(must(field("a"))), headwater.InvalidFilterError, "filter.must[0].field"),
    refusal(
        "no bounds",
        filtered(must(field("a", range=filters.Range()))),
        headwater.InvalidFilterError,
        "filter.must[0].field.range",
    ),
    refusal(
        "text and number as bounds",
        filtered(must(field("a", range=filters.Range(gt=text("b"), lt=number(1))))),
        headwater.InvalidFilterError,
        "filter.must[0].field.range.lt",
    ),
    refusal(
        "no expression",
        filtered(must(field("a", regex="("))),
        headwater.InvalidFilterError,
        "filter.must[0].field.regex",
    ),
    refusal(
        "text that cannot be read",
        filtered(filters.Filter(expression="a == 1 and")),
        headwater.InvalidFilterError,
        "filter.expression",
    ),
    refusal(
        "text with an unknown space",
        filtered(filters.Filter(expression='has_vector("txt")')),
        headwater.SpaceNotFoundError,
        "filter.expression",
    ),
    refusal(
        "nan as a bound",
        filtered(must(field("a", range=filters.Range(gt=number(NAN))))),
        headwater.NotFiniteError,
        "filter.must[0].field.range.gt",
    ),
    refusal(
        "nan as a value",
        filtered(must(field("a", equal=number(NAN)))),
        headwater.NotFiniteError,
        "filter.must[0].field.equal",
    ),
    refusal(
        "null as a value",
        filtered(must(field("a", equal=payload_pb2.Value(null_value="NULL_VALUE_UNSPECIFIED")))),
        headwater.InvalidFilterError,
        "filter.must[0].field.equal",
    ),
    refusal(
        "value without a kind",
        filtered(must(field("a", any_of=payload_pb2.ListValue(values=[text("a"), payload_pb2.Value()])))),
        headwater.InvalidFilterError,
        "filter.must[0].field.any_of[1]",
    ),
    refusal(
        "bad path",
        filtered(filters.Filter(should=[field("a", equal=text("x")), field("a..b", equal=text("x"))])),
        headwater.InvalidFilterError,
        "filter.should[1].field.path",
    ),
    refusal(
        "no path",
        filtered(filters.Filter(must_not=[filters.Condition(is_null=filters.PathCondition())])),
        headwater.InvalidFilterError,
        "filter.must_not[0].is_null.path",
    ),
    refusal(
        "min_count 0",
        filtered(filters.Filter(min_should={"conditions": [field("a", equal=text("x"))]})),
        headwater.InvalidFilterError,
        "filter.min_should.min_count",
    ),
    refusal(
        "min_count too large",
        filtered(filters.Filter(min_should={"conditions": [field("a", equal=text("x"))], "min_count": 2})),
        headwater.InvalidFilterError,
        "filter.min_should.min_count",
    ),
    refusal(
        "min_should of nothing",
        filtered(filters.Filter(min_should={"min_count": 1})),
        headwater.InvalidFilterError,
        "filter.min_should.conditions",
    ),
    refusal(
        "unknown space",
        filtered(must(filters.Condition(has_vector={"using": "audio"}))),
        headwater.SpaceNotFoundError,
        "filter.must[0].has_vector.using",
    ),
    refusal(
        "17 levels",
        filtered(nested_filters(17)),
        headwater.LimitExceededError,
        "filter" + ".must[0].filter" * 16,
        limit="MAX_FILTER_DEPTH",
    ),
    refusal(
        "1,025 conditions",
        filtered(must(*[field("a", equal=text("x"))] * 1_025)),
        headwater.LimitExceededError,
        "filter",
        limit="MAX_CONDITIONS",
        actual="1025",
    ),
    refusal(
        "of a write",
        points.PointsDeleteRequest(selector=by_filter(must(field("a")))),
        headwater.InvalidFilterError,
        "selector.filter.must[0].field",
    ),
    refusal(
        "of a write: unknown space",
        points.PointsDeleteRequest(selector=by_filter(must(filters.Condition(has_vector={"using": "audio"})))),
        headwater.SpaceNotFoundError,
        "selector.filter.must[0].has_vector.using",
    ),
    refusal(
        "of a stage",
        query(TEXT, leaf([1, 2], "image", filter=must(field("a"))), query=rrf()),
        headwater.InvalidFilterError,
        "prefetch[1].filter.must[0].field",
    ),
]


@pytest.mark.parametrize(REFUSAL, [*SEARCHES, *QUERIES, *FILTERS])
def test_it_is_refused_and_changes_nothing(
    client: Client, wire: Wire, bad_input: str, asked: Message, kind: Error, where: str, facts: dict[str, str]
) -> None:
    before = stored(client, bad_input)
    check_refused(wire, bad_input, asked, kind, where, facts)
    assert stored(client, bad_input) == before


@pytest.mark.parametrize("junk", [b"\xff", b"\x0a\x05ab", b"\x0a\x01\xff"])
def test_bytes_that_are_no_request(wire: Wire, junk: bytes) -> None:
    with pytest.raises(headwater.InvalidArgumentError):
        wire.send_bytes("/headwater.v1.Points/Query", junk)


def test_a_request_nested_beyond_all_bounds(wire: Wire) -> None:
    """Deeper than protobuf's parsers go: 200 prefetches within each other, written by hand."""
    inner = b""
    for _ in range(200):
        inner = b"\x0a" + _varint(len(inner)) + inner
    with pytest.raises(headwater.InvalidArgumentError):
        wire.send_bytes("/headwater.v1.Points/Query", b"\x12" + _varint(len(inner)) + inner)


def test_a_method_that_is_none(wire: Wire) -> None:
    with pytest.raises(headwater.UnimplementedError):
        wire.send_bytes("/headwater.v1.Points/Guess", b"")


def _varint(given: int) -> bytes:
    parts = bytearray()
    while given > 0x7F:
        parts.append(given & 0x7F | 0x80)
        given >>= 7
    return bytes([*parts, given])
