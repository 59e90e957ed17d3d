"""Searches, queries and explanations on the wire: every field arrives, and what is not given stays unset."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import headwater
from headwater import (
    Bm25,
    Client,
    Context,
    Dbsf,
    Discover,
    Field,
    FilterScope,
    Formula,
    Fusion,
    HighlightParams,
    LookupFrom,
    NearestWithMmr,
    OrderBy,
    PrefetchQuery,
    QueryRequest,
    Recommend,
    Rescore,
    Rrf,
    Sample,
    ScoredPoint,
    ScoreMode,
    SearchAfter,
    SearchParams,
    SearchRequest,
    TextCombine,
    TextIndexParams,
    TextTokenizer,
)
from headwater._wire.queries import explanation_of, hits_of, query_request, search_request
from headwater._wire.text import text_index_message
from headwater.v1 import points_pb2, query_pb2, text_pb2
from tests.client.scripted_server import ScriptedServer

EVERYTHING: dict[str, Any] = {
    "using": "text",
    "limit": 3,
    "filter": Field("a").eq(1),
    "params": SearchParams(
        hnsw_ef=64,
        exact=True,
        indexed_only=False,
        filter_strategy=headwater.FilterStrategy.Pre,
        quantization=headwater.QuantizationSearchParams(rescore=True, oversampling=2.5),
    ),
    "score_threshold": 0.5,
    "offset": 2,
    "with_payload": ["a"],
    "with_vectors": True,
    "score_mode": ScoreMode.Similarity,
    "lookup_from": LookupFrom("other", "image"),
    "explain": True,
}


def fields(message: Any) -> set[str]:
    return {field.name for field, _ in message.ListFields()}


def test_a_search_with_everything() -> None:
    message = search_request(SearchRequest([1.0, 2.0], **EVERYTHING), "c")
    assert fields(message) == {field.name for field in points_pb2.PointsSearchRequest.DESCRIPTOR.fields}
    assert list(message.vector.vector.dense.values) == [1, 2]
    assert (message.collection_name, message.using, message.limit, message.offset) == ("c", "text", 3, 2)
    assert message.params == query_pb2.SearchParams(
        hnsw_ef=64,
        exact=True,
        indexed_only=False,
        filter_strategy=query_pb2.FILTER_STRATEGY_PRE,
        quantization=query_pb2.QuantizationSearchParams(rescore=True, oversampling=2.5),
    )
    assert message.score_mode == query_pb2.SCORE_MODE_SIMILARITY
    assert (message.lookup_from.collection_name, message.lookup_from.using) == ("other", "image")


def test_a_query_with_everything() -> None:
    scope = FilterScope.PushDown
    query = QueryRequest("id", [PrefetchQuery()], filter_scope=scope, search_after=(0.5, "last"), **EVERYTHING)
    message = query_request(query, "c")
    of_points_query = {"cursor", "cursor_ttl_seconds"}  # a query in a batch has none
    every = {field.name for field in points_pb2.PointsQueryRequest.DESCRIPTOR.fields}
    assert fields(message) == every - of_points_query
    assert (message.search_after.score, message.search_after.id.key) == (0.5, "last")
    assert message.query.nearest.id.key == "id"
    assert message.filter_scope == query_pb2.FILTER_SCOPE_PUSH_DOWN


def test_a_place_in_a_ranking_is_a_hit_or_its_score_and_id() -> None:
    hit = ScoredPoint(7, 0.25)
    for given in (hit, SearchAfter(0.25, 7), (0.25, 7)):
        message = query_request(QueryRequest(search_after=given))
        assert (message.search_after.score, message.search_after.id.number) == (0.25, 7)
    with pytest.raises(TypeError, match="search_after takes a hit"):
        query_request(QueryRequest(search_after=7))  # type: ignore[arg-type]


def test_a_prefetch_with_everything() -> None:
    taken = {
        name: EVERYTHING[name] for name in ("using", "limit", "filter", "params", "score_threshold", "lookup_from")
    }
    stage = PrefetchQuery(7, prefetch=PrefetchQuery([1.0]), filter_scope=FilterScope.Gate, **taken)
    (message,) = query_request(QueryRequest(prefetch=stage)).prefetch
    assert fields(message) == {field.name for field in query_pb2.PrefetchQuery.DESCRIPTOR.fields}
    assert message.query.nearest.id.number == 7
    assert list(message.prefetch[0].query.nearest.vector.dense.values) == [1]


def test_what_is_not_given_stays_unset() -> None:
    selectors = {"with_payload", "with_vectors"}
    assert fields(search_request(SearchRequest([1.0]))) == {"vector", "limit"} | selectors
    assert fields(query_request(QueryRequest())) == {"limit"} | selectors
    (stage,) = query_request(QueryRequest(prefetch=[PrefetchQuery()])).prefetch
    assert fields(stage) == set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Fusion.RRF, query_pb2.Query(rrf={})),
        ({"fusion": Fusion.RRF}, query_pb2.Query(rrf={})),
        (Fusion.DBSF, query_pb2.Query(dbsf={})),
        (Rrf(k=2, weights=[1, 3]), query_pb2.Query(rrf={"k": 2, "weights": [1, 3]})),
        ({"fusion": Dbsf([0.5, 2])}, query_pb2.Query(dbsf={"weights": [0.5, 2]})),
        (5, query_pb2.Query(nearest={"id": {"number": 5}})),
        (np.int64(5), query_pb2.Query(nearest={"id": {"number": 5}})),
        ("5", query_pb2.Query(nearest={"id": {"key": "5"}})),
        (UUID(int=0), query_pb2.Query(nearest={"id": {"key": str(UUID(int=0))}})),
        ([5], query_pb2.Query(nearest={"vector": {"dense": {"values": [5]}}})),
        (np.array([5.0]), query_pb2.Query(nearest={"vector": {"dense": {"values": [5]}}})),
        ([], query_pb2.Query(nearest={"vector": {"dense": {}}})),
    ],
)
def test_forms_of_a_query(query: Any, expected: query_pb2.Query) -> None:
    message = query_request(QueryRequest(query)).query
    assert message == expected
    assert message.WhichOneof("kind") == expected.WhichOneof("kind")


def test_every_kind_of_query_of_the_contract_can_be_said() -> None:
    others = (
        OrderBy("a"),
        Sample(),
        Recommend([1]),
        Discover(1, []),
        Context([]),
        NearestWithMmr(1),
        Formula(1),
        Rescore(1),
        Bm25("a"),
    )
    queries = (Fusion.RRF, Fusion.DBSF, 1, *others)
    kinds = {query_request(QueryRequest(query)).query.WhichOneof("kind") for query in queries}
    assert kinds == {field.name for field in query_pb2.Query.DESCRIPTOR.oneofs_by_name["kind"].fields}


@pytest.mark.parametrize(
    "query", [True, 5.0, {"fusion": "rrf"}, {"fusion": Fusion.RRF, "k": 2}, {}, {"nearest": [1.0]}, {1.0, 2.0}]
)
def test_what_is_no_query_is_refused(query: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        query_request(QueryRequest(query))


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_that_the_wire_has_no_room_for_name_their_field(client: Client, number: int) -> None:
    limit, query = headwater.InvalidLimitError, headwater.InvalidQueryError
    points = client.points
    calls: list[tuple[str, type[headwater.InvalidArgumentError], Callable[[], object]]] = [
        ("limit", limit, lambda: points.search("c", [1], limit=number)),
        ("offset", limit, lambda: points.query("c", [1], offset=number)),
        ("prefetch.limit", limit, lambda: points.query("c", prefetch=PrefetchQuery(limit=number))),
        ("limit", limit, lambda: points.scroll("c", limit=number)),
        ("limit", limit, lambda: points.facet("c", "a", limit=number)),
        ("limit", limit, lambda: points.aggregate("c", {"n": "count"}, limit=number)),
        ("group_size", limit, lambda: points.query_groups("c", group_by="a", group_size=number)),
        ("sample", query, lambda: points.search_matrix_pairs("c", sample=number)),
        ("seed", query, lambda: points.search_matrix_offsets("c", seed=number)),
        ("query.sample.seed", query, lambda: points.query("c", Sample(number))),
        ("params.hnsw_ef", query, lambda: points.search("c", 1, params=SearchParams(number))),
    ]
    for field, kind, call in calls:
        with pytest.raises(kind) as caught:
            call()
        assert [violation.field for violation in caught.value.field_violations] == [field]


def test_names_stand_for_members() -> None:
    def sent(query: Any) -> query_pb2.Query:
        return query_request(QueryRequest(query)).query

    assert sent(OrderBy("a", "descending")) == sent(OrderBy("a", headwater.Direction.Descending))
    best = headwater.RecommendStrategy.BestScore
    assert sent(Recommend([1], strategy="best_score")) == sent(Recommend([1], strategy=best))
    assert sent(Formula(1, undefined="drop")) == sent(Formula(1, undefined=headwater.UndefinedScore.Drop))
    with pytest.raises(ValueError, match="'down' is not a Direction; it is one of ascending, descending"):
        sent(OrderBy("a", "down"))


def test_what_is_no_prefetch_is_refused() -> None:
    with pytest.raises(TypeError, match="PrefetchQuery"):
        query_request(QueryRequest(prefetch=[{"query": [1.0]}]))


def test_batches_take_dicts_and_requests(server: ScriptedServer, client: Client) -> None:
    server.answer = lambda _: points_pb2.PointsSearchBatchResponse(results=[{"seq": 1}, {"seq": 2}])
    first, second = client.points.search_batch("c", [{"vector": [1.0], "limit": 2}, SearchRequest("id")])
    assert (first.seq, second.seq) == (1, 2)
    sent = points_pb2.PointsSearchBatchRequest.FromString(server.received[0].request)
    assert sent.collection_name == "c"
    assert [search.limit for search in sent.searches] == [2, 10]
    assert {search.collection_name for search in sent.searches} == {""}
    with pytest.raises(TypeError):
        client.points.search_batch("c", [{"vector": [1.0], "limits": 2}])


def test_query_batches_take_dicts_and_requests(server: ScriptedServer, client: Client) -> None:
    server.answer = lambda _: points_pb2.PointsQueryBatchResponse(results=[{}, {}])
    stages = [PrefetchQuery([1.0], using="text"), PrefetchQuery([2.0], using="image")]
    assert client.points.query_batch("c", [{"query": Fusion.RRF, "prefetch": stages}, QueryRequest(3)]) == [[], []]
    sent = points_pb2.PointsQueryBatchRequest.FromString(server.received[0].request)
    assert [len(query.prefetch) for query in sent.queries] == [2, 0]


def test_explain_and_query_send_the_same_query(server: ScriptedServer, client: Client) -> None:
    arguments = {
        name: value for name, value in EVERYTHING.items() if name not in ("explain", "with_payload", "with_vectors")
    }
    server.answer = lambda received: (
        points_pb2.PointsQueryResponse()
        if received.path.endswith("Query")
        else points_pb2.PointsExplainResponse(explanation={"text": "fetch\n└── search", "analyzed": True})
    )
    client.points.query("c", [1.0], prefetch=PrefetchQuery(), **arguments)
    explanation = client.points.explain("c", [1.0], prefetch=PrefetchQuery(), analyze=True, **arguments)
    assert str(explanation) == "fetch\n└── search"
    queried = points_pb2.PointsQueryRequest.FromString(server.received[0].request)
    explained = points_pb2.PointsExplainRequest.FromString(server.received[1].request)
    assert explained.analyze
    assert explained.query == queried


def test_hits_are_a_list_that_knows_its_commit() -> None:
    message = points_pb2.QueryResult(points=[{"id": {"number": 1}, "score": 0.5}], seq=9)
    hits = hits_of(message, vectors=True)
    assert hits == [headwater.ScoredPoint(1, 0.5)]
    assert (hits.seq, hits.explanation) == (9, None)
    message.explanation.text = "plan"
    assert str(hits_of(message, vectors=True).explanation) == "plan"


def test_explanations_in_full() -> None:
    leaf = query_pb2.ExplainNode(operator="search", stage="root.prefetch[0]", rows_out=0, attributes={"using": "text"})
    message = query_pb2.Explanation(
        root=query_pb2.ExplainNode(operator="rrf", stage="root", strategy="exact", reason="few", children=[leaf, leaf]),
        hits=[{"id": {"key": "a"}, "stages": [{"stage": "root", "rank": 1, "score": 0.5}]}],
        seq=3,
        microseconds=7,
    )
    explanation = explanation_of(message)
    assert [node.operator for node in explanation.root] == ["rrf", "search", "search"]
    assert explanation.root.children[0].rows_out == 0
    assert explanation.root.children[0].rows_in is None
    assert explanation.hits == (headwater.HitExplanation("a", (headwater.StageRank("root", 1, 0.5),)),)
    assert (explanation.seq, explanation.microseconds, explanation.analyzed) == (3, 7, False)


def test_scroll_pages(server: ScriptedServer, client: Client) -> None:
    answer = points_pb2.PointsScrollResponse(points=[{"id": {"number": 0}}], next_offset={"number": 0})
    server.answer = lambda _: answer
    assert client.points.scroll("c") == ([headwater.Record(0)], 0)
    answer = points_pb2.PointsScrollResponse()
    assert client.points.scroll("c", offset="a", limit=5) == ([], None)
    last = points_pb2.PointsScrollRequest.FromString(server.received[-1].request)
    assert (last.offset.key, last.limit) == ("a", 5)
    assert not points_pb2.PointsScrollRequest.FromString(server.received[0].request).HasField("offset")


def bm25(query: Bm25) -> Any:
    return query_request(QueryRequest(query)).query.bm25


def test_bm25() -> None:
    assert bm25(Bm25("a b")) == text_pb2.Bm25(text="a b")
    assert bm25(Bm25(["a", "b"], "t")) == text_pb2.Bm25(tokens={"tokens": ["a", "b"]}, fields=[{"path": "t"}])
    weighted = bm25(Bm25("a", {"t": 2, "u": 0.5}, "max", True, True, True, True))
    assert [(field.path, field.weight) for field in weighted.fields] == [("t", 2), ("u", 0.5)]
    assert (weighted.combine, weighted.HasField("highlight")) == (text_pb2.TEXT_COMBINE_MAX, True)
    assert (weighted.all_terms, weighted.last_as_prefix, weighted.plain) == (True, True, True)
    assert bm25(Bm25("a", ["t"], TextCombine.Sum, highlight=HighlightParams(1))).highlight.fragments == 1


@pytest.mark.parametrize(
    "query",
    [Bm25("a", []), Bm25("a", {}), Bm25("a", combine="mean"), Bm25([1]), Bm25("a", [1])],  # type: ignore[list-item]
)
def test_bm25_that_cannot_be(query: Bm25) -> None:
    with pytest.raises((TypeError, ValueError)):
        bm25(query)


def test_settings_of_text_indexes() -> None:
    assert text_index_message(None) == text_pb2.TextIndexParams()
    english = text_index_message(TextIndexParams(stop_words="english", extra_stop_words=["foo"]))
    assert (english.language, english.remove_stop_words, list(english.stop_words.words)) == ("english", True, ["foo"])
    named = text_index_message(TextIndexParams(stop_words=("a", "b"), tokenizer=TextTokenizer.Prefix))
    assert (named.remove_stop_words, list(named.stop_words.words), named.tokenizer) == (False, ["a", "b"], 3)
    for params in (TextIndexParams("words"), TextIndexParams(language="french", stop_words="english")):
        with pytest.raises(ValueError, match="word"):
            text_index_message(params)
    with pytest.raises(TypeError, match="TextIndexParams"):
        text_index_message({"tokenizer": "word"})
