"""Writes and reads by id that are refused before anything is written: the typed error, its field, and nothing changed.

The tables are made of messages, since clients in other languages can send what ours cannot say.
"""

import numpy as np
import pytest
from google.protobuf.message import Message

import headwater
from headwater import Client, PointStruct, PointVectors, PrefetchQuery, Rrf
from headwater.v1 import common_pb2 as common
from headwater.v1 import filter_pb2 as filters
from headwater.v1 import payload_pb2
from headwater.v1 import points_pb2 as points
from tests.support.messages import (
    by_ids,
    filtered,
    must,
    nearest,
    nested_payload,
    number,
    point,
    point_id,
    query,
    search,
    text,
    vector,
)
from tests.support.refusals import INFINITY, NAN, PLAIN, REFUSAL, Error, check_refused, refusal, stored
from tests.support.wire import Wire

GOOD = point(7, {"text": [1, 2, 3]})


def upsert(*given: common.PointStruct) -> points.PointsUpsertRequest:
    return points.PointsUpsertRequest(points=given)


def batch(*operations: points.UpdateOperation) -> points.PointsUpdateBatchRequest:
    return points.PointsUpdateBatchRequest(operations=operations)


VECTORS = [
    refusal(
        "nan", upsert(GOOD, point(8, {"text": [1, NAN, 0]})), headwater.NotFiniteError, 'points[1].vectors["text"]'
    ),
    refusal(
        "infinity", upsert(point(8, {"image": [1, -INFINITY]})), headwater.NotFiniteError, 'points[0].vectors["image"]'
    ),
    refusal(
        "too short",
        upsert(GOOD, GOOD, GOOD, point(8, {"text": [1, 2]})),
        headwater.DimensionMismatchError,
        'points[3].vectors["text"]',
        expected="3",
        actual="2",
    ),
    refusal(
        "too long",
        upsert(point(8, {"image": [1, 2, 3]})),
        headwater.DimensionMismatchError,
        'points[0].vectors["image"]',
    ),
    refusal(
        "empty vector", upsert(GOOD, point(8, {"text": []})), headwater.EmptyVectorError, 'points[1].vectors["text"]'
    ),
    refusal(
        "vector without a kind",
        upsert(common.PointStruct(id=point_id(8), vectors={"text": common.Vector()})),
        headwater.EmptyVectorError,
        'points[0].vectors["text"]',
    ),
    refusal(
        "unknown space",
        upsert(GOOD, point(8, {"audio": [1.0]})),
        headwater.SpaceNotFoundError,
        'points[1].vectors["audio"]',
    ),
    refusal("no unnamed space", upsert(point(8, {"": [1.0]})), headwater.SpaceNotFoundError, 'points[0].vectors[""]'),
    refusal("no points", upsert(), PLAIN, "points"),
    refusal(
        "vectors to update: nan",
        points.PointsUpdateVectorsRequest(
            points=[points.PointVectors(id=point_id(1), vectors={"text": vector([NAN, 1, 1])})]
        ),
        headwater.NotFiniteError,
        'points[0].vectors["text"]',
    ),
    refusal(
        "vectors to update: none",
        points.PointsUpdateVectorsRequest(points=[points.PointVectors(id=point_id(1))]),
        PLAIN,
        "points[0].vectors",
    ),
    refusal(
        "vectors to update: no such point",
        points.PointsUpdateVectorsRequest(
            points=[points.PointVectors(id=point_id(each), vectors={"text": vector([1, 1, 1])}) for each in (1, 999)]
        ),
        headwater.PointNotFoundError,
        "",
        ids="999",
        count="1",
    ),
    refusal(
        "vectors to delete: unknown space",
        points.PointsDeleteVectorsRequest(selector=by_ids(1), using=["text", "audio"]),
        headwater.SpaceNotFoundError,
        "using[1]",
    ),
    refusal("vectors to delete: no space", points.PointsDeleteVectorsRequest(selector=by_ids(1)), PLAIN, "using"),
]


IDS = [
    refusal("id missing", upsert(GOOD, common.PointStruct()), headwater.InvalidPointIdError, "points[1].id"),
    refusal("id without a kind", upsert(GOOD, point(None)), headwater.InvalidPointIdError, "points[1].id"),
    refusal("id empty", upsert(point("")), headwater.InvalidPointIdError, "points[0].id"),
    refusal("id of 513 bytes", upsert(point("é" * 256 + "e")), headwater.InvalidPointIdError, "points[0].id"),
    refusal(
        "id to get", points.PointsGetRequest(ids=[point_id(1), point_id("")]), headwater.InvalidPointIdError, "ids[1]"
    ),
    refusal("no id to get", points.PointsGetRequest(), PLAIN, "ids"),
    refusal("too many ids", points.PointsGetRequest(ids=[point_id(1)] * 10_001), headwater.LimitExceededError, "ids"),
    refusal(
        "id to delete",
        points.PointsDeleteRequest(selector=by_ids(1, None)),
        headwater.InvalidPointIdError,
        "selector.ids.ids[1]",
    ),
    refusal("no selector", points.PointsDeleteRequest(), PLAIN, "selector"),
    refusal("id to start at", points.PointsScrollRequest(offset=point_id("")), headwater.InvalidPointIdError, "offset"),
    refusal(
        "id in a filter",
        filtered(must(filters.Condition(has_id=common.PointIdList(ids=[point_id("x" * 513)])))),
        headwater.InvalidPointIdError,
        "filter.must[0].has_id.ids[0]",
    ),
    refusal("id as a query", query(query=nearest(""), using="text"), headwater.InvalidPointIdError, "query.nearest.id"),
    refusal(
        "no such point as a query", query(query=nearest(999), using="text"), headwater.PointNotFoundError, "", ids="999"
    ),
    refusal(
        "no such vector as a query",
        query(query=nearest(3), using="image"),
        headwater.VectorNotFoundError,
        "",
        id="3",
        space="image",
    ),
]


PAYLOADS = [
    refusal(
        "nan", upsert(GOOD, point(8, payload={"a": number(NAN)})), headwater.NotFiniteError, 'points[1].payload["a"]'
    ),
    refusal(
        "infinity in a list",
        upsert(
            point(
                8,
                payload={
                    "a": payload_pb2.Value(list_value=payload_pb2.ListValue(values=[number(1), number(INFINITY)]))
                },
            )
        ),
        headwater.NotFiniteError,
        'points[0].payload["a"][1]',
    ),
    refusal(
        "value without a kind",
        upsert(point(8, payload={"a": payload_pb2.Value()})),
        headwater.InvalidPayloadError,
        'points[0].payload["a"]',
    ),
    refusal("empty key", upsert(point(8, payload={"": number(1)})), headwater.InvalidPayloadError, "points[0].payload"),
    refusal(
        "key of 513 bytes",
        upsert(point(8, payload={"k" * 513: number(1)})),
        headwater.InvalidPayloadError,
        "points[0].payload",
    ),
    refusal(
        "too deep",
        upsert(point(8, payload=nested_payload(25))),
        headwater.LimitExceededError,
        "points[0].payload" + '["a"]' * 24,
    ),
    refusal(
        "too large",
        upsert(GOOD, point(8, payload={"a": text("x" * 2**20)})),
        headwater.LimitExceededError,
        "points[1].payload",
    ),
    refusal(
        "to set: nan",
        points.PointsSetPayloadRequest(selector=by_ids(1), payload={"fields": {"a": number(NAN)}}),
        headwater.NotFiniteError,
        'payload["a"]',
    ),
    refusal("to set: none", points.PointsSetPayloadRequest(selector=by_ids(1)), PLAIN, "payload"),
    refusal(
        "to set: key of an array",
        points.PointsSetPayloadRequest(selector=by_ids(1), payload={}, key="a[].b"),
        PLAIN,
        "key",
    ),
    refusal(
        "to set: bad key", points.PointsSetPayloadRequest(selector=by_ids(1), payload={}, key="a..b"), PLAIN, "key"
    ),
    refusal(
        "to set: no such point",
        points.PointsSetPayloadRequest(selector=by_ids(1, 999), payload={"fields": {"a": number(1)}}),
        headwater.PointNotFoundError,
        "",
        ids="999",
    ),
    refusal("to overwrite: none", points.PointsOverwritePayloadRequest(selector=by_ids(1)), PLAIN, "payload"),
    refusal("to delete: no path", points.PointsDeletePayloadRequest(selector=by_ids(1)), PLAIN, "keys"),
    refusal(
        "to delete: bad path", points.PointsDeletePayloadRequest(selector=by_ids(1), keys=["a", "."]), PLAIN, "keys[1]"
    ),
    refusal(
        "to return: bad path",
        search([1, 2, 3], with_payload={"include": {"names": ["a", "b["]}}),
        headwater.InvalidQueryError,
        "with_payload.include[1]",
    ),
    refusal(
        "to return: selector without a kind",
        search([1, 2, 3], with_payload=common.WithPayloadSelector()),
        PLAIN,
        "with_payload",
    ),
    refusal(
        "vectors to return: unknown space",
        search([1, 2, 3], with_vectors={"include": {"names": ["audio"]}}),
        headwater.SpaceNotFoundError,
        "with_vectors.include[0]",
    ),
]


BATCHES = [
    refusal("no operations", batch(), PLAIN, "operations"),
    refusal("operation without a kind", batch(points.UpdateOperation()), PLAIN, "operations[0]"),
    refusal(
        "257 operations",
        batch(*[points.UpdateOperation(upsert=upsert(GOOD))] * 257),
        headwater.LimitExceededError,
        "operations",
    ),
    refusal(
        "bad vector in the last",
        batch(
            points.UpdateOperation(upsert=upsert(GOOD)),
            points.UpdateOperation(upsert=upsert(GOOD, point(8, {"text": [NAN, 0, 0]}))),
        ),
        headwater.NotFiniteError,
        'operations[1].upsert.points[1].vectors["text"]',
    ),
    refusal(
        "no such point in the last",
        batch(
            points.UpdateOperation(upsert=upsert(GOOD)),
            points.UpdateOperation(delete_points=points.PointsDeleteRequest(selector=by_ids(1))),
            points.UpdateOperation(clear_payload=points.PointsClearPayloadRequest(selector=by_ids(1))),
        ),
        headwater.PointNotFoundError,
        "",
        ids="1",
    ),
    refusal(
        "own collection",
        batch(points.UpdateOperation(upsert=points.PointsUpsertRequest(collection_name="x", points=[GOOD]))),
        PLAIN,
        "operations[0].upsert.collection_name",
    ),
    refusal(
        "own wait",
        batch(points.UpdateOperation(upsert=points.PointsUpsertRequest(wait=True, points=[GOOD]))),
        PLAIN,
        "operations[0].upsert.wait",
    ),
]


@pytest.mark.parametrize(REFUSAL, [*VECTORS, *IDS, *PAYLOADS, *BATCHES])
def test_it_is_refused_and_changes_nothing(
    client: Client, wire: Wire, bad_input: str, asked: Message, kind: Error, where: str, facts: dict[str, str]
) -> None:
    before = stored(client, bad_input)
    check_refused(wire, bad_input, asked, kind, where, facts)
    assert stored(client, bad_input) == before


def test_the_client_raises_the_same(client: Client, bad_input: str) -> None:
    search, upsert = client.points.search, client.points.upsert
    with pytest.raises(headwater.DimensionMismatchError) as caught:
        upsert(bad_input, [PointStruct(8, {"text": np.ones(4)})])
    assert (caught.value.expected, caught.value.actual) == (3, 4)
    assert caught.value.field == 'points[0].vectors["text"]'
    with pytest.raises(headwater.NotFiniteError):
        search(bad_input, [1e39, 0, 0], using="text")
    with pytest.raises(headwater.ZeroVectorError):
        search(bad_input, np.zeros(3, np.float16), using="text")
    with pytest.raises(headwater.InvalidLimitError):
        search(bad_input, 1, using="text", limit=0)
    with pytest.raises(headwater.InvalidPayloadError) as refused:
        upsert(bad_input, [PointStruct(8), PointStruct(9, payload={"a": {"b": [0, 2**63]}})])
    assert refused.value.field == 'points[1].payload["a"]["b"][1]'
    with pytest.raises(headwater.InvalidPointIdError):
        upsert(bad_input, [PointStruct(2**64)])
    with pytest.raises(headwater.InvalidPointIdError):
        client.points.get(bad_input, [-1])
    with pytest.raises(headwater.PointNotFoundError):
        client.points.update_vectors(bad_input, [PointVectors(999, {"text": [1, 1, 1]})])
    with pytest.raises(headwater.InvalidQueryError):
        client.points.query(bad_input, Rrf(weights=[1, 2, 3]), prefetch=PrefetchQuery(1, "text"))
    with pytest.raises(headwater.CollectionNotFoundError) as missing:
        search("nowhere", [1.0])
    assert missing.value.metadata["collection"] == "nowhere"


def test_a_write_that_nobody_waits_for_is_checked_too(client: Client, bad_input: str) -> None:
    before = stored(client, bad_input)
    with pytest.raises(headwater.NotFiniteError):
        client.points.upsert(bad_input, [PointStruct(8, {"text": [1, 2, np.nan]})], wait=False)
    client.vde.flush(bad_input)
    assert stored(client, bad_input) == before
