"""Full text through a real server: known answers, trees, filters, what is refused, and what survives."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import headwater
from headwater import (
    Bm25,
    Client,
    Distance,
    Field,
    Fusion,
    HeadwaterError,
    HighlightParams,
    PointStruct,
    PrefetchQuery,
    QueryRequest,
    Rrf,
    TextIndexParams,
    TextTokenizer,
    VectorParams,
)
from headwater.v1 import text_pb2
from tests.support.messages import query
from tests.support.server_process import doomed_server, running_server
from tests.support.wire import Wire

ENGINES = {
    1: "turbopuffer is a fast search engine with FTS, filtering, and vector search support",
    2: "turbopuffer can store billions and billions of documents cheaper than any other search engine",
    3: "turbopuffer will support many more types of queries as it evolves. turbopuffer will only get faster.",
}
FOXES = {1: "the fox is quick and brown", 2: "fox jumped over the lazy dog"}


def fill(client: Client, name: str, texts: dict[int, object], params: TextIndexParams | None = None) -> None:
    """A collection of points with `body` and a vector that points away from (1, 0) the higher the id is."""
    indexes = {"body": params or TextIndexParams()}
    client.collections.create(name, VectorParams(2, Distance.Dot), text_indexes=indexes)
    points = [PointStruct(key, [-key, 1], {"body": text, "n": key}) for key, text in texts.items()]
    if points:
        client.points.upsert(name, points)


def hits(client: Client, name: str, given: Bm25) -> list[tuple[int | str, float]]:
    return [(hit.id, round(hit.score, 4)) for hit in client.points.query(name, query=given)]


def ids(client: Client, name: str, text: str, **given: object) -> list[int | str]:
    return [hit.id for hit in client.points.query(name, query=Bm25(text, **given))]  # type: ignore[arg-type]


def test_a_term_in_every_document(client: Client, name: str) -> None:
    fill(client, name, dict(ENGINES))
    assert hits(client, name, Bm25("turbopuffer", ["body"])) == [(3, 0.1778), (1, 0.1388), (2, 0.1348)]
    assert ids(client, name, 'turbopuffer +"search engine"') == [1, 2]
    assert ids(client, name, "turbopuffer +search +engine", fields="body") == [1, 2]
    assert ids(client, name, "search engine turbopuffer", all_terms=True) == [1, 2]
    assert ids(client, name, "turbopuffer -engine") == [3]
    assert ids(client, name, "evol", last_as_prefix=True) == [3]
    assert ids(client, name, "evol") == []
    assert ids(client, name, "-engine") == []
    assert ids(client, name, "?!") == []


def test_stems(client: Client, name: str) -> None:
    fill(client, name, dict(FOXES), TextIndexParams("word", "english", stemming=True))
    assert ids(client, name, "fox jumping") == [2, 1]
    assert client.points.create_text_index(name, "body", TextIndexParams())
    assert hits(client, name, Bm25("fox jumping")) == [(1, 0.1823), (2, 0.1823)]
    assert not client.points.create_text_index(name, "body")


def test_tokens_that_are_given(client: Client, name: str) -> None:
    texts: dict[int, object] = {1: ["a", "self-evident"], 2: ["a", "self", "is", "evident"]}
    fill(client, name, texts, TextIndexParams(TextTokenizer.PreTokenized))
    assert [hit.id for hit in client.points.query(name, query=Bm25(["self", "evident"]))] == [2]
    assert [hit.id for hit in client.points.query(name, query=Bm25(["self-evident"]))] == [1]
    assert [hit.id for hit in client.points.query(name, query=Bm25(["Self"]))] == []
    with pytest.raises(headwater.InvalidQueryError, match="tokens"):
        client.points.query(name, query=Bm25("self"))


def test_several_fields(client: Client, name: str) -> None:
    client.collections.create(name, text_indexes={"title": TextIndexParams(), "meta.tags": TextIndexParams()})
    rows = [({"title": "fox"}, ["dog"]), ({"title": "dog"}, ["fox", "cat"]), ({"title": "fox"}, ["fox"])]
    points = [PointStruct(key, {}, {**title, "meta": {"tags": tags}}) for key, (title, tags) in enumerate(rows)]
    client.points.upsert(name, points)
    one = dict(hits(client, name, Bm25("fox", "title")))
    other = dict(hits(client, name, Bm25("fox", ["meta.tags"])))
    assert one.keys() | other.keys() == {0, 1, 2}
    assert ids(client, name, "fox", fields={"title": 2.0, "meta.tags": 1.0}) == [2, 0, 1]
    total = dict(hits(client, name, Bm25("fox", {"title": 2.0, "meta.tags": 1.0})))
    assert total[2] == pytest.approx(2 * one[2] + other[2], abs=1e-3)
    assert dict(hits(client, name, Bm25("fox", combine="max")))[2] == max(one[2], other[2])
    assert ids(client, name, "+fox +dog") == [0, 1]
    assert ids(client, name, "fox -cat", fields={"title": 1}) == [0, 2]
    assert ids(client, name, "fox -cat") == [2, 0]


def test_in_trees(client: Client, name: str) -> None:
    fill(client, name, dict(ENGINES))
    text, near = PrefetchQuery(query=Bm25("search engine")), PrefetchQuery(query=[1, 0], limit=2)
    assert [hit.id for hit in client.points.query(name, query=Fusion.RRF, prefetch=[text, near])] == [1, 2]
    assert [hit.id for hit in client.points.query(name, query=Rrf(weights=[0.1, 1]), prefetch=[text, near])] == [1, 2]
    assert [hit.id for hit in client.points.query(name, query=[-1, 0], prefetch=[text])] == [2, 1]
    assert [hit.id for hit in client.points.query(name, query=Bm25("more queries"), prefetch=[near])] == []
    assert [hit.id for hit in client.points.query(name, query=Bm25("documents"), prefetch=[near])] == [2]
    gated = client.points.query(name, query=Fusion.DBSF, prefetch=[text, near], filter=Field("n").eq(2))
    assert [hit.id for hit in gated] == [2]
    best = client.points.query(name, query=Bm25("turbopuffer"), score_threshold=0.1388)
    assert [hit.id for hit in best] == [3, 1]


def test_filters_are_applied_first_and_limits_are_filled(client: Client, name: str) -> None:
    fill(client, name, {key: "fox " * (1 + key % 7) + "dog" for key in range(200)})
    for wanted in (Field("n").lt(3), Field("n").gte(100), Field("n").eq(150), ~Field("n").lt(195)):
        allowed = {hit.id for hit in client.points.scroll(name, filter=wanted, limit=1000)[0]}
        found = client.points.query(name, query=Bm25("fox"), filter=wanted, limit=10)
        assert len(found) == min(10, len(allowed))
        assert {hit.id for hit in found} <= allowed
        everyone = client.points.query(name, query=Bm25("fox"), limit=1000)
        assert [hit.id for hit in found] == [hit.id for hit in everyone if hit.id in allowed][:10]
    pages = [client.points.query(name, query=Bm25("fox"), limit=50, offset=at) for at in (0, 50, 100, 150)]
    assert [hit.id for page in pages for hit in page] == [hit.id for hit in everyone]


def test_statistics_follow_writes(client: Client, name: str) -> None:
    fill(client, name, {1: "fox", 2: "dog dog", 3: "fox dog bird"})

    def fresh() -> list[tuple[int | str, float]]:
        """What a collection that never held anything else answers."""
        held = {record.id: record.payload for record in client.points.scroll(name, limit=100)[0]}
        other = f"{name} {len(held)} {client.collections.get_info(name).seq}"
        fill(client, other, {})
        if held:
            client.points.upsert(other, [PointStruct(key, [0, 0], payload) for key, payload in held.items()])
        return [(hit.id, hit.score) for hit in client.points.query(other, query=Bm25("fox dog"))]

    changes: list[Callable[[], object]] = [
        lambda: client.points.upsert(name, [PointStruct(4, [1, 1], {"body": ["a fox", "a dog"]})]),
        lambda: client.points.delete(name, [2]),
        lambda: client.points.set_payload(name, {"body": "dog"}, ids=[1]),
        lambda: client.points.delete_payload(name, ["body"], ids=[3]),
        lambda: client.points.overwrite_payload(name, {"body": 7}, ids=[1]),
        lambda: client.points.delete(name, [1, 3, 4]),
    ]
    for change in changes:
        change()
        assert [(hit.id, hit.score) for hit in client.points.query(name, query=Bm25("fox dog"))] == fresh()
    assert client.points.query(name, query=Bm25("fox")) == []


def test_a_batch_answers_as_single_queries(client: Client, name: str) -> None:
    fill(client, name, dict(ENGINES))
    asked = [Bm25("search"), Bm25("turbopuffer faster", highlight=True), Bm25("search"), Bm25("x")]
    batch = client.points.query_batch(name, [QueryRequest(query=each) for each in asked])
    assert batch == [client.points.query(name, query=each) for each in asked]


def test_highlights(client: Client, name: str) -> None:
    fill(client, name, {1: "A fox, and <b>foxes</b>.", 2: ["no", "the fox"], 3: "dog " * 100 + "fox " + "dog " * 100})
    client.points.create_text_index(name, "body", TextIndexParams(language="english", stemming=True))
    found = {hit.id: hit.highlights for hit in client.points.query(name, query=Bm25("fox", highlight=True))}
    assert [part.marked() for part in found[1]] == ["A <em>fox</em>, and <b><em>foxes</em></b>."]
    assert [(part.path, part.element, part.marked("[", "]")) for part in found[2]] == [("body", 1, "the [fox]")]
    (part,) = found[3]
    assert ("fox", 100) < (part.fragment[slice(*part.spans[0])], len(part.fragment)) < ("foxy", 160)
    assert part.offset > 300
    (whole,) = client.points.query(
        name, query=Bm25("dog", highlight=HighlightParams(fragment_length=0)), with_payload=False
    )
    assert (dict(whole.payload), len(whole.highlights[0].spans)) == ({}, 200)
    fused = client.points.query(name, query=Fusion.RRF, prefetch=[PrefetchQuery(query=Bm25("fox", highlight=True))])
    assert {hit.id: hit.highlights for hit in fused} == found


def test_words_of_every_script_and_long_ones(client: Client, name: str) -> None:
    sha, other = "3f" * 32, "4a" * 32
    texts: dict[int, object] = {
        1: f"parser {sha}",
        2: "東京都に行きました soft\u00adware",
        3: "엔진입니다 \ufefffox\u200b",
        4: "インターネット ﬁne",
    }
    fill(client, name, texts)
    assert ids(client, name, f"parser +{sha}") == [1]
    assert ids(client, name, f"parser +{other}") == []
    assert ids(client, name, f"parser -{sha}") == []
    assert ids(client, name, f"parser +{sha * 4}") == []
    assert ids(client, name, f"parser -{sha * 4}") == [1]
    for asked, point in {"東京": 2, "software": 2, "엔진": 3, "fox": 3, "ネット": 4, "fine": 4}.items():
        assert ids(client, name, asked) == [point]
        scrolled = [record.id for record in client.points.scroll_all(name, filter=Field("body").text(asked))]
        assert scrolled == [point]
    plan = client.points.explain(name, query=Bm25(f"parser +{sha * 4}")).text
    assert "longer than max_token_length (254 bytes), so what it is required in matches nothing" in plan


def test_explanations_show_terms_and_their_counts(client: Client, name: str) -> None:
    fill(client, name, dict(ENGINES))
    asked = Bm25('fast -"search engine"', {"body": 2})
    plan = client.points.explain(name, query=asked)
    (node,) = plan.root.children
    assert node.operator == "bm25"
    assert node.attributes["terms of body"] == 'fast -"search engine"'
    ran = client.points.explain(name, query=asked, analyze=True)
    (node,) = ran.root.children
    assert node.strategy == "inverted index"
    assert node.attributes["statistics of body"] == (
        'fast in 1, "search engine" in 2, points 3, average length 14.3333'
    )
    reranked = client.points.explain(name, query=Bm25("faster"), prefetch=[PrefetchQuery(query=[1, 0])], analyze=True)
    assert "faster in 1" in reranked.text


BAD: list[tuple[dict[str, object], type[HeadwaterError], str]] = [
    ({"text": ""}, headwater.InvalidQueryError, "query.bm25.text"),
    ({"text": " \n"}, headwater.InvalidQueryError, "query.bm25.text"),
    ({}, headwater.InvalidQueryError, "query.bm25"),
    ({"text": "x" * 8_193}, headwater.LimitExceededError, "query.bm25.text"),
    ({"text": "x " * 513}, headwater.LimitExceededError, "query.bm25.text"),
    ({"tokens": {"tokens": []}}, headwater.InvalidQueryError, "query.bm25.tokens"),
    ({"tokens": {"tokens": ["a", ""]}}, headwater.InvalidQueryError, "query.bm25.tokens[1]"),
    ({"text": "x", "fields": [{"path": "n"}]}, headwater.NoTextIndexError, "query.bm25.fields[0].path"),
    ({"text": "x", "fields": [{"path": "body"}] * 2}, headwater.InvalidQueryError, "query.bm25.fields[1].path"),
    (
        {"text": "x", "fields": [{"path": "body", "weight": 0}]},
        headwater.InvalidQueryError,
        "query.bm25.fields[0].weight",
    ),
    (
        {"text": "x", "fields": [{"path": "body", "weight": float("nan")}]},
        headwater.NotFiniteError,
        "query.bm25.fields[0].weight",
    ),
    ({"text": "x", "combine": 9}, headwater.InvalidArgumentError, "query.bm25.combine"),
    ({"text": "x", "highlight": {"fragments": 0}}, headwater.InvalidQueryError, "query.bm25.highlight.fragments"),
    (
        {"text": "x", "highlight": {"fragment_length": 9}},
        headwater.InvalidQueryError,
        "query.bm25.highlight.fragment_length",
    ),
]


def test_queries_that_are_refused(client: Client, wire: Wire, name: str) -> None:
    fill(client, name, dict(ENGINES))
    for given, kind, field in BAD:
        with pytest.raises(kind) as caught:
            wire.send(query(collection_name=name, query={"bm25": text_pb2.Bm25(**given)}))  # type: ignore[arg-type]
        assert (type(caught.value), caught.value.field) == (kind, field)
    with pytest.raises(headwater.InvalidQueryError, match="no vector space"):
        client.points.query(name, query=Bm25("x"), using="")
    client.points.delete_text_index(name, "body")
    with pytest.raises(headwater.NoTextIndexError, match="CreateTextIndex"):
        client.points.query(name, query=Bm25("x"))


def test_indexes_that_are_refused(client: Client, name: str) -> None:
    fill(client, name, dict(ENGINES))
    before = client.collections.get_info(name)
    for path, params, field in [
        ("", TextIndexParams(), "path"),
        ("a..b", TextIndexParams(), "path"),
        ("a", TextIndexParams(k1=-1), "params.k1"),
        ("a", TextIndexParams(b=2), "params.b"),
        ("a", TextIndexParams(language="klingon"), "params.language"),
        ("a", TextIndexParams(stemming=True, lowercase=False), "params.stemming"),
        ("a", TextIndexParams(min_token_length=0), "params.min_token_length"),
        ("a", TextIndexParams(max_token_length=255), "params.max_token_length"),
    ]:
        with pytest.raises(headwater.InvalidArgumentError) as caught:
            client.points.create_text_index(name, path, params)
        assert caught.value.field == field
    with pytest.raises(headwater.InvalidArgumentError) as caught:
        client.collections.create(f"{name} other", text_indexes={"a": TextIndexParams(b=2)})
    assert caught.value.field == 'text_indexes["a"].b'
    for field_number in range(63):
        client.points.create_text_index(name, f"f{field_number}")
    with pytest.raises(headwater.LimitExceededError):
        client.points.create_text_index(name, "one more")
    assert not client.points.delete_text_index(name, "one more")
    for field_number in range(63):
        assert client.points.delete_text_index(name, f"f{field_number}")
    assert client.collections.get_info(name).text_indexes == before.text_indexes
    with pytest.raises(headwater.CollectionNotFoundError):
        client.points.create_text_index(f"{name} other", "body")
    with pytest.raises(ValueError, match="not a TextTokenizer"):
        client.points.create_text_index(name, "body", TextIndexParams("words"))


def test_settings_come_back_and_travel(client: Client, name: str, tmp_path: Path) -> None:
    params = TextIndexParams("word", "english", True, True, ("foo",), True, True, 2, 20, 1.5, 0.5, 3.0)
    fill(client, name, dict(FOXES), params)
    expected = TextIndexParams(TextTokenizer.Word, "english", True, True, ("foo",), True, True, 2, 20, 1.5, 0.5, 3.0)
    assert client.collections.get_info(name).text_indexes == {"body": expected}
    client.export_jsonl(name, tmp_path / "c.jsonl")
    client.import_jsonl(f"{name} copy", tmp_path / "c.jsonl")
    assert client.collections.get_info(f"{name} copy").text_indexes == {"body": expected}
    assert client.points.query(f"{name} copy", query=Bm25("jumps foxes")) == client.points.query(
        name, query=Bm25("jumps foxes")
    )


def test_readers_and_writers_at_once(client: Client, name: str) -> None:
    """Each point is in one of two states, and no answer mixes commits: all points of a commit say the same word."""
    fill(client, name, dict.fromkeys(range(20), "word0 all"))

    def write(number: int) -> None:
        client.points.upsert(name, [PointStruct(key, [0, 0], {"body": f"word{number} all"}) for key in range(20)])

    def read(number: int) -> None:
        found = client.points.query(name, query=Bm25("all"), limit=100)
        assert len(found) == 20
        assert len({hit.payload["body"] for hit in found if hit.payload}) == 1
        assert len({hit.score for hit in found}) == 1

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(read if number % 3 else write, number) for number in range(120)]:
            done.result()


def test_a_restart_and_a_kill_keep_indexes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data) as address, Client(address) as client:
        fill(client, "c", dict(ENGINES), TextIndexParams(b=0.5))
        before = client.points.query("c", query=Bm25("search turbopuffer"))
    with doomed_server(data) as (process, address), Client(address) as client:
        assert client.points.query("c", query=Bm25("search turbopuffer")) == before
        client.points.upsert("c", [PointStruct(9, [0, 0], {"body": "search"})])
        client.points.create_text_index("c", "other")
        found = client.points.query("c", query=Bm25("search turbopuffer", "body"))
        process.kill()
        process.wait()
    with running_server(data) as address, Client(address) as client:
        assert client.points.query("c", query=Bm25("search turbopuffer", "body")) == found
        assert sorted(client.collections.get_info("c").text_indexes) == ["body", "other"]
