"""Points through the client: every write and read in its main use and at its edges."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    AsyncClient,
    ClearPayload,
    Client,
    Comparison,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Distance,
    Field,
    FilterBuilder,
    OverwritePayload,
    PayloadNotAskedFor,
    PointStruct,
    PointVectors,
    SetPayload,
    StoredComparison,
    UpdateStatus,
    UpdateVectors,
    Upsert,
    UpsertMode,
    VectorParams,
    WithPayloadSelector,
    WithVectorsSelector,
    has_id,
    has_vector,
    is_empty,
    is_null,
)

ODD_IDS: list[int | str] = [
    0,
    1,
    2**53 + 1,
    2**63,
    2**64 - 1,
    "0",
    "1",
    " ",
    "a/b",
    "a\0b",
    "é",
    "日本",
    "😀",
    "\uffff",
    "x" * 512,
]
PAYLOAD: dict[str, Any] = {
    "text": "größer\0",
    "int": 2**63 - 1,
    "negative": -(2**63),
    "beyond double": 2**53 + 1,
    "double": 0.1,
    "whole double": 1.0,
    "true": True,
    "null": None,
    "list": [1, 1.0, "1", None, [], {}, [[{"deep": [1]}]]],
    "object": {"a": {"b.c": [{"d": 1}, {"d": 2}, {}]}},
    "empty": {},
}


@pytest.fixture
def shop(client: Client, name: str) -> Iterator[str]:
    """Ten points in two spaces: point n is at (1, n) in `text`, and those below 5 at (n, 0) in `image`."""
    client.collections.create(name, {"text": VectorParams(2), "image": VectorParams(2, Distance.Euclid)})
    points = [
        PointStruct(
            n,
            {"text": [1, n]} | ({"image": [n, 0]} if n < 5 else {}),
            {"n": n, "kind": "even" if n % 2 == 0 else "odd", "tags": [n, n + 1], "meta": {"half": n / 2}},
        )
        for n in range(10)
    ]
    client.points.upsert(name, points)
    yield name
    client.collections.delete(name)


def ids(hits: Any) -> list[int | str]:
    return [hit.id for hit in hits]


def payloads(client: Client, name: str, *wanted: int) -> list[Any]:
    return [record.payload for record in client.points.get(name, wanted)]


def test_points_come_back_as_they_were_written(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(3, Distance.Dot))
    generator = np.random.default_rng(1)
    vectors = generator.standard_normal((len(ODD_IDS), 3)).astype(np.float32)
    points = [PointStruct(each, vector, PAYLOAD) for each, vector in zip(ODD_IDS, vectors, strict=True)]
    result = client.points.upsert(name, points)
    assert (result.status, result.affected) == (UpdateStatus.COMPLETED, len(ODD_IDS))
    records = client.points.get(name, ODD_IDS[::-1], with_vectors=True)
    assert ids(records) == ODD_IDS[::-1]
    for record, vector in zip(records, vectors[::-1], strict=True):
        np.testing.assert_array_equal(record.vectors[""], vector, strict=True)
        assert record.payload == PAYLOAD
        assert list(map(type, record.payload["list"])) == list(map(type, PAYLOAD["list"]))
        assert type(record.payload["whole double"]) is float
        assert record.version == result.seq
    pages, _ = client.points.scroll(name, limit=100)
    numbers, texts = [n for n in ODD_IDS if isinstance(n, int)], [t for t in ODD_IDS if isinstance(t, str)]
    assert ids(pages) == sorted(numbers) + sorted(texts, key=str.encode)


def test_a_uuid_is_its_text(client: Client, shop: str) -> None:
    key = uuid.uuid4()
    client.points.upsert(shop, [PointStruct(key)])
    assert ids(client.points.get(shop, [key])) == [str(key)]
    assert client.points.count(shop, filter=has_id([key])) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8, np.uint64, ">f4"])
def test_arrays_of_any_number_type_are_taken(client: Client, shop: str, dtype: Any) -> None:
    wide = np.arange(8, dtype=dtype)[::2]  # not contiguous
    client.points.upsert(shop, [PointStruct(50, {"text": wide[1:3]})])
    [record] = client.points.get(shop, [50], with_vectors=True)
    np.testing.assert_array_equal(record.vectors["text"], np.array([2, 4], np.float32), strict=True)


def test_cosine_does_not_rewrite_vectors(client: Client, shop: str) -> None:
    client.points.upsert(shop, [PointStruct(50, {"text": [3e20, -4e20]}), PointStruct(51, {"text": [0, 0]})])
    hits = client.points.search(shop, [-3, 4], using="text", limit=20, with_vectors=True)
    assert hits[-1].id == 50
    assert hits[-1].score == -1.0
    np.testing.assert_array_equal(hits[-1].vectors["text"], np.array([3e20, -4e20], np.float32))
    [zero] = [hit for hit in hits if hit.id == 51]
    assert zero.score == 0.0


def test_an_upsert_replaces_the_whole_point(client: Client, shop: str) -> None:
    client.points.upsert(shop, [PointStruct(1, {"image": [9, 9]})])
    [record] = client.points.get(shop, [1], with_vectors=True)
    assert (record.payload, list(record.vectors)) == ({}, ["image"])
    assert 1 not in ids(client.points.search(shop, [1, 1], using="text", limit=20))
    assert client.points.count(shop) == 10


def test_the_last_of_one_id_wins(client: Client, shop: str) -> None:
    result = client.points.upsert(
        shop,
        [PointStruct(77, {"text": [1, 1]}, {"v": 1}), PointStruct("b"), PointStruct(77, {"image": [2, 2]}, {"v": 2})],
    )
    assert result.affected == 2
    [record] = client.points.get(shop, [77], with_vectors=True)
    assert (record.payload, list(record.vectors)) == ({"v": 2}, ["image"])


def test_missing_points_are_left_out_and_repeats_stay(client: Client, shop: str) -> None:
    assert ids(client.points.get(shop, [3, 99, 1, 3, "3"])) == [3, 1, 3]


def test_versions_and_sequences_only_grow(client: Client, shop: str) -> None:
    seen = [client.points.upsert(shop, [PointStruct(each)]).seq for each in (1, 2, 1)]
    assert seen == sorted(set(seen))
    assert [record.version for record in client.points.get(shop, [1, 2])] == [seen[2], seen[1]]
    moved = client.points.set_payload(shop, {"x": 1}, [2]).seq
    turned = client.points.update_vectors(shop, [PointVectors(1, {"text": [1, 1]})]).seq
    assert [record.version for record in client.points.get(shop, [1, 2])] == [turned, moved]
    assert client.collections.get_info(shop).seq == turned
    assert client.points.search(shop, [1, 1], using="text").seq == turned


def test_what_to_return_is_chosen(client: Client, shop: str) -> None:
    def got(**chosen: Any) -> Any:
        [record] = client.points.get(shop, [4], **chosen)
        asked = not isinstance(record.payload, PayloadNotAskedFor)
        vectors = None if record.vectors is None else sorted(record.vectors)
        return record.payload if asked else None, vectors

    everything = {"n": 4, "kind": "even", "tags": [4, 5], "meta": {"half": 2.0}}
    assert got() == (everything, None)
    assert got(with_payload=False, with_vectors=True) == (None, ["image", "text"])
    assert got(with_payload=["kind", "meta.half", "nowhere"], with_vectors=["text"]) == (
        {"kind": "even", "meta": {"half": 2.0}},
        ["text"],
    )
    assert got(with_payload=WithPayloadSelector(exclude=["tags", "meta.half"])) == (
        {"n": 4, "kind": "even", "meta": {}},
        None,
    )
    assert got(with_payload=[], with_vectors=WithVectorsSelector([])) == ({}, [])
    [hit] = client.points.search(shop, [1, 4], using="text", limit=1, with_payload=["n"], with_vectors=True)
    assert (hit.payload, sorted(hit.vectors)) == ({"n": 4}, ["image", "text"])


def test_vectors_are_updated_and_removed(client: Client, shop: str) -> None:
    result = client.points.update_vectors(
        shop, [PointVectors(7, {"image": [0, 0]}), PointVectors(1, {"text": [5, 0], "image": [8, 8]})]
    )
    assert result.affected == 2
    one, seven = client.points.get(shop, [1, 7], with_vectors=True)
    assert [one.vectors["text"].tolist(), one.vectors["image"].tolist()] == [[5, 0], [8, 8]]
    assert [seven.vectors["text"].tolist(), seven.vectors["image"].tolist()] == [[1, 7], [0, 0]]
    assert one.payload is not None
    assert one.payload["n"] == 1
    result = client.points.delete_vectors(shop, ["text", "image"], [1, 9])
    assert result.affected == 2
    assert ids(client.points.search(shop, [1, 0], using="text", limit=20)) == [0, 2, 3, 4, 5, 6, 7, 8]
    assert client.points.delete_vectors(shop, ["image"], filter=Field("n").gte(4)).affected == 2
    assert client.points.count(shop, filter=has_vector("image")) == 3
    assert client.vde.get_vector_count(shop) == 8


def test_payloads_are_merged_replaced_and_removed(client: Client, shop: str) -> None:
    client.points.set_payload(shop, {"n": "new", "more": [1]}, [1])
    assert payloads(client, shop, 1) == [
        {"n": "new", "kind": "odd", "tags": [1, 2], "meta": {"half": 0.5}, "more": [1]}
    ]
    client.points.set_payload(shop, {"whole": 2}, filter=Field("kind").eq("even") & Field("n").lt(3), key="meta")
    assert [each["meta"] for each in payloads(client, shop, 0, 2, 4)] == [
        {"half": 0.0, "whole": 2},
        {"half": 1.0, "whole": 2},
        {"half": 2.0},
    ]
    client.points.set_payload(shop, {"x": 1}, [3], key="kind.a.b")
    assert payloads(client, shop, 3)[0]["kind"] == {"a": {"b": {"x": 1}}}
    client.points.overwrite_payload(shop, {"only": None}, [5])
    assert payloads(client, shop, 5) == [{"only": None}]
    client.points.delete_payload(shop, ["tags", "meta.half", "nowhere"], [6, 7])
    assert payloads(client, shop, 6, 7) == [{"n": 6, "kind": "even", "meta": {}}, {"n": 7, "kind": "odd", "meta": {}}]
    assert client.points.clear_payload(shop, filter=Field("n").gte(8)).affected == 2
    assert payloads(client, shop, 8, 9) == [{}, {}]
    assert client.points.clear_payload(shop, filter=Field("n").gte(8)).affected == 0


def test_points_are_deleted_by_id_and_by_filter(client: Client, shop: str) -> None:
    assert client.points.delete(shop, [1, 99, 1]).affected == 1
    assert client.points.delete(shop, filter=Field("tags").eq(4)).affected == 2
    assert ids(client.points.scroll(shop, limit=20)[0]) == [0, 2, 5, 6, 7, 8, 9]
    assert client.points.count(shop) == 7
    client.points.upsert(shop, [PointStruct(1, {"text": [1, 1]})])
    assert ids(client.points.search(shop, [1, 1], using="text", limit=1)) == [1]
    assert client.points.delete(shop, filter=FilterBuilder()).affected == 8
    assert client.points.count(shop) == 0
    assert client.points.search(shop, [1, 1], using="text") == []
    assert client.points.delete(shop, []).affected == 0


def test_a_batch_applies_in_order_and_at_once(client: Client, shop: str) -> None:
    results = client.points.update_batch(
        shop,
        [
            Upsert([PointStruct(20, {"text": [1, 1]}, {"n": 1}), PointStruct(21)]),
            SetPayload({"n": 2}, filter=has_id([20])),
            UpdateVectors([PointVectors(21, {"image": [1, 1]})]),
            DeleteVectors(["text"], ids=[20]),
            OverwritePayload({"all": 1}, filter=Field("n").gte(8)),
            DeletePayload(["all"], ids=[8]),
            ClearPayload(ids=[9]),
            DeletePoints(filter=Field("kind").eq("odd")),
            SetPayload({"deep": 1}, key="a.b", ids=[0]),
        ],
    )
    assert [result.affected for result in results] == [2, 1, 1, 1, 2, 1, 1, 4, 1]
    assert len({result.seq for result in results}) == 1
    assert ids(client.points.scroll(shop, limit=20)[0]) == [0, 2, 4, 6, 8, 9, 20, 21]
    assert payloads(client, shop, 20, 21, 8, 9) == [{"n": 2}, {}, {}, {}]
    assert payloads(client, shop, 0)[0]["a"] == {"b": {"deep": 1}}
    assert client.points.count(shop, filter=has_id([20]) & has_vector("text")) == 0


def test_a_batch_that_fails_late_leaves_nothing(client: Client, shop: str) -> None:
    before = client.points.scroll(shop, limit=100, with_vectors=True)[0], client.collections.get_info(shop)
    with pytest.raises(headwater.PointNotFoundError):
        client.points.update_batch(
            shop,
            [
                Upsert([PointStruct(1, {"text": [7, 7]}), PointStruct(50, {"text": [7, 7]})]),
                DeletePoints(filter=Field("n").gte(3)),
                OverwritePayload({"x": 1}, ids=[0]),
                SetPayload({"x": 1}, ids=[1, 4]),
            ],
        )
    after = client.points.scroll(shop, limit=100, with_vectors=True)[0], client.collections.get_info(shop)
    assert after == before
    assert ids(client.points.search(shop, [7, 7], using="text", limit=100)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    # What was taken back must not be in the way of what comes next.
    client.points.upsert(shop, [PointStruct(50, {"text": [7, 7]})])
    assert client.points.search(shop, [7, 7], using="text", limit=1)[0].id in (1, 50)


def test_a_payload_that_grows_too_large_is_refused_when_it_is_applied(client: Client, shop: str) -> None:
    client.points.set_payload(shop, {"a": "x" * 600_000}, [1])
    before = client.points.get(shop, [1, 2])
    with pytest.raises(headwater.LimitExceededError):
        client.points.set_payload(shop, {"b": "x" * 600_000}, [2, 1])
    with pytest.raises(headwater.LimitExceededError):
        client.points.set_payload(shop, {"b": 1}, [2, 1], key=".".join("a" * 30))
    assert client.points.get(shop, [1, 2]) == before


def test_writes_nobody_waits_for_arrive_in_order(client: Client, shop: str) -> None:
    for number in range(50):
        result = client.points.upsert(shop, [PointStruct(100, payload={"number": number})], wait=False)
        assert (result.status, result.seq, result.affected) == (UpdateStatus.ACKNOWLEDGED, 0, 0)
    assert client.vde.flush(shop) > 0
    assert payloads(client, shop, 100) == [{"number": 49}]


@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11])
@pytest.mark.parametrize("filter", [None, Field("kind").eq("odd")])
def test_pages_leave_no_gaps(client: Client, shop: str, limit: int, filter: Any) -> None:
    found, offset, pages = [], None, 0
    while True:
        page, offset = client.points.scroll(shop, limit=limit, offset=offset, filter=filter)
        found += ids(page)
        pages += 1
        if offset is None:
            break
    wanted = list(range(10)) if filter is None else [1, 3, 5, 7, 9]
    assert found == wanted
    assert pages == -(-len(wanted) // limit), "the last full page says that it is the last"


def test_filters_reach_every_operator(client: Client, shop: str) -> None:
    client.points.upsert(
        shop, [PointStruct("null", payload={"n": None}), PointStruct("empty", payload={"n": []}), PointStruct("none")]
    )

    def count(condition: Any) -> int:
        return client.points.count(shop, filter=condition)

    n = Field("n")
    assert count(n.eq(3)) == count(n.eq(3.0)) == 1
    assert count(n.eq("3")) == count(n.eq(True)) == 0
    assert count(n.ne(3)) == 12
    assert count(n.any_of([1, 2, 99])) == 2
    assert count(n.except_of([1, 2, 99])) == 8
    assert count(n.between(2, 4)) == count(n.range(gt=1, lt=4.5)) == 3
    assert count(n.is_null()) == count(is_null("n")) == 1
    assert count(n.is_empty()) == count(is_empty("n")) == 3
    assert count(~n.gt(2) & ~n.is_empty()) == 3
    assert count(n.eq(1) | n.eq(2) | has_id(["none"])) == 3
    assert count(Field("meta.half").gte(4)) == 2
    assert count(Field("tags[]").eq(1)) == count(Field("tags").eq(1)) == 2
    assert count(FilterBuilder().must(n.lt(6)).must_not(n.eq(0)).should(n.gt(3), n.lt(2))) == 3
    assert count(FilterBuilder().min_should([n.gt(2), n.lt(5), Field("kind").eq("odd")], min_count=3).build()) == 1


def test_the_async_client_writes_and_reads_the_same(address: str, client: Client, shop: str) -> None:
    async def work() -> tuple[Any, ...]:
        async with AsyncClient(address) as other:
            await asyncio.gather(
                *(other.points.upsert(shop, [PointStruct(100 + n, {"text": [n, 1]})]) for n in range(20))
            )
            await other.points.set_payload(shop, {"late": True}, filter=has_id(range(100, 110)))
            await other.points.delete(shop, [119])
            return (
                await other.points.count(shop),
                await other.points.get(shop, [100]),
                await other.points.scroll(shop, filter=Field("late").eq(True), limit=4),
            )

    count, records, page = asyncio.run(work())
    assert count == client.points.count(shop) == 29
    assert records == client.points.get(shop, [100])
    assert page == client.points.scroll(shop, filter=Field("late").eq(True), limit=4)


@pytest.mark.parametrize("progress", [True, False])
def test_upload_sends_all_in_batches(client: Client, shop: str, progress: bool) -> None:
    told: list[tuple[int, int | None]] = []

    def report(done: int, total: int | None) -> None:
        told.append((done, total))

    watcher: bool | Callable[[int, int | None], None] = report if progress else False
    points = (PointStruct(n, {"text": [1, n]}) for n in range(1_000, 1_700))
    assert client.upload_points(shop, points, batch_size=300, progress=watcher) == 700
    assert client.points.count(shop) == 710
    assert [done for done, _ in told][-3:] == ([300, 600, 700] if progress else [])


def test_conditional_writes_tell_what_they_applied(client: Client, shop: str) -> None:
    newer = [StoredComparison("version", Comparison.LESS)]
    first = client.points.upsert(shop, [PointStruct(1), PointStruct(50)], mode=UpsertMode.INSERT_ONLY)
    assert (first.affected, first.skipped) == (1, 1)
    for version, affected in ((3, 1), (2, 0), (3, 0), (4, 1)):
        points = [PointStruct(60, payload={"version": version})]
        assert client.points.upsert(shop, points, compare=newer).affected == affected
    assert payloads(client, shop, 60) == [{"version": 4}]
    even = Field("kind").eq("even")
    assert client.points.delete(shop, [1, 2, 3], condition=even).skipped == 2
    changed = client.points.set_payload(shop, {"seen": True}, [1, 4], condition=even)
    assert (changed.affected, changed.skipped) == (1, 1)
    moved = client.points.update_vectors(shop, [PointVectors(n, {"text": [5, 5]}) for n in (3, 4)], condition=even)
    assert (moved.affected, moved.skipped) == (1, 1)
    renewed = client.points.overwrite_payload(shop, {"version": 5}, [60], compare=newer)
    assert (renewed.affected, payloads(client, shop, 60)) == (1, [{"version": 5}])
