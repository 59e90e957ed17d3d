"""Between Python values and messages: payloads, ids, vectors, points, writes and settings, and what is refused."""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headwater
from headwater import (
    HnswConfigDiff,
    MultiVector,
    OptimizersConfig,
    PointStruct,
    PointVectors,
    SparseVector,
    VectorParams,
    WithPayloadSelector,
)
from headwater._wire import writes
from headwater._wire.collections import info_of, optimizers_message, vectors_diff_messages, vectors_messages
from headwater._wire.limits import MAX_DEPTH
from headwater._wire.points import payload_selector, point_message, record_of, scored_point_of, vectors_selector
from headwater._wire.values import id_message, id_messages, id_of, payload_message, payload_of
from headwater._wire.vectors import vector_message
from headwater.v1 import collections_pb2, common_pb2, payload_pb2, points_pb2

UUID_TEXT = "7d444840-9dc0-11d1-b245-5ffdce74fad2"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
payloads = st.dictionaries(
    st.text(max_size=5),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
    max_size=4,
)


def typed(value: Any) -> Any:
    """The value with its types, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    return type(value).__name__, value


@given(payloads)
def test_payloads_come_back_as_they_were(payload: dict[str, Any]) -> None:
    wire = payload_pb2.Payload.FromString(payload_message(payload).SerializeToString())
    assert typed(payload_of(wire)) == typed(payload)


def test_payloads_take_tuples_and_numpy_scalars() -> None:
    payload = {"a": np.int32(7), "b": np.float32(0.5), "c": np.bool_(True), "d": (1, np.uint8(2)), "e": np.str_("x")}
    expected = {"a": 7, "b": 0.5, "c": True, "d": [1, 2], "e": "x"}
    assert typed(payload_of(payload_message(payload))) == typed(expected)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, np.uint64(2**64 - 1)])
def test_integers_beyond_64_bits_are_refused_before_sending(value: int) -> None:
    with pytest.raises(headwater.InvalidPayloadError) as caught:
        payload_message({"a": [{"b": value}]})
    assert caught.value.field == 'payload["a"][0]["b"]'
    assert caught.value.reason == "INVALID_PAYLOAD"


@pytest.mark.parametrize("payload", [{"a": [b"x"]}, {1: "a"}, {"a": {None: 1}}, {"a": 1j}, {"a": object()}])
def test_types_that_a_payload_cannot_hold_are_type_errors(payload: Any) -> None:
    with pytest.raises(TypeError, match=r"payload"):
        payload_message(payload)


def test_payloads_nested_as_deeply_as_is_sent_can_be_parsed_and_deeper_ones_are_refused() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"a": nested(depth - 1)} if depth > 1 else {}

    request = writes.upsert_request(headwater.Upsert([PointStruct(1, payload=nested(MAX_DEPTH))]), "c", True)
    assert points_pb2.PointsUpsertRequest.FromString(request.SerializeToString()) == request
    with pytest.raises(headwater.LimitExceededError):
        payload_message(nested(MAX_DEPTH + 1))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(headwater.LimitExceededError):
        payload_message({"a": endless})


@pytest.mark.parametrize(
    ("given_id", "returned"),
    [(0, 0), (2**64 - 1, 2**64 - 1), (np.int64(5), 5), ("a", "a"), (UUID(UUID_TEXT), UUID_TEXT)],
)
def test_ids(given_id: Any, returned: Any) -> None:
    assert id_of(id_message(given_id)) == returned


@pytest.mark.parametrize("given_id", [1.0, True, None, b"a", np.float64(1), np.True_])
def test_ids_of_another_type_are_type_errors(given_id: Any) -> None:
    with pytest.raises(TypeError):
        id_message(given_id)


@pytest.mark.parametrize("given_id", [-1, 2**64])
def test_ids_beyond_64_bits_are_refused(given_id: int) -> None:
    with pytest.raises(headwater.InvalidPointIdError) as caught:
        point_message(PointStruct(given_id), 3)
    assert caught.value.field == "points[3].id"


def test_one_string_is_no_list() -> None:
    for call in (
        lambda: id_messages("abc"),
        lambda: payload_selector("abc"),
        lambda: vectors_selector("abc"),
        lambda: writes.delete_payload_request(headwater.DeletePayload("abc", ids=[1])),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("size", [0, 1, 31, 32, 384, 5000])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2", "i4", "u1", "list", "tuple"])
def test_vectors_arrive_as_float32(size: int, dtype: str) -> None:
    numbers = np.arange(size) % 100
    given_vector = {"list": list, "tuple": tuple}.get(dtype, lambda values: values.astype(dtype))(numbers)
    message = common_pb2.Vector.FromString(vector_message(given_vector).SerializeToString())
    assert message.WhichOneof("kind") == "dense"  # also when empty: the server says that, not that it is missing
    assert list(message.dense.values) == list(numbers)


def test_a_vector_that_is_a_view_with_strides_is_sent_right() -> None:
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert list(vector_message(matrix[:, 1]).dense.values) == [1, 5, 9]
    assert list(vector_message(matrix[1, ::-1]).dense.values) == [7, 6, 5, 4]


def test_what_is_not_finite_in_float32_is_left_to_the_server() -> None:
    values = list(vector_message([1e39, -1e39, math.nan]).dense.values)
    assert values[:2] == [math.inf, -math.inf]
    assert math.isnan(values[2])


@pytest.mark.parametrize(
    "vector", [["1", "2"], [None], [[1.0], ["2"]], [[[1.0]], [[1.0, 2.0]]], [True], [1j], {1.0, 2.0}, {"a": 1.0}]
)
def test_what_is_not_numbers_is_refused(vector: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"points\[0\].vectors"):
        point_message(PointStruct(1, vector), 0)


def test_matrices_and_sparse_vectors_are_told_apart() -> None:
    sparse = common_pb2.SparseVector(indices=[7, 2], values=[0.5, 1])
    given_sparse: list[Any] = [SparseVector([7, 2], [0.5, 1]), {"indices": [7, 2], "values": [0.5, 1]}]
    for each in (*given_sparse, {7: 0.5, np.int64(2): 1}):
        assert vector_message(each).sparse == sparse
    rows = [common_pb2.DenseVector(values=row) for row in ([1, 2], [3, 4])]
    lists = [[1, 2], [3, 4]]
    matrices: list[Any] = [MultiVector(lists), lists, np.array(lists), [np.array([1, 2]), [3, 4]]]
    for matrix in matrices:
        assert [*vector_message(matrix).multi.vectors] == rows
    assert vector_message([1, 2]).WhichOneof("kind") == vector_message([]).WhichOneof("kind") == "dense"
    for empty in (MultiVector([]), np.empty((0, 3))):
        assert vector_message(empty).WhichOneof("kind") == "multi"
    assert vector_message(SparseVector([], [])).WhichOneof("kind") == "sparse"


@pytest.mark.parametrize("vector", [np.ones((1, 1, 3)), [[[1.0]]], 5.0])
def test_what_is_not_one_dimensional_is_refused(vector: Any) -> None:
    with pytest.raises(ValueError, match=r'points\[0\].vectors\["text"\]'):
        point_message(PointStruct(1, {"text": vector}), 0)


def test_points_in_full() -> None:
    point = PointStruct("a", {"text": np.ones(2, np.float32), "": [1, 2]}, {"price": 3})
    message = point_message(point, 0)
    assert {space: list(vector.dense.values) for space, vector in message.vectors.items()} == {
        "text": [1, 1],
        "": [1, 2],
    }
    assert (message.id.key, payload_of(message.payload)) == ("a", {"price": 3})
    assert list(point_message(PointStruct(1, [1.0, 2.0]), 0).vectors[""].dense.values) == [1, 2]
    bare = point_message(PointStruct(1), 0)
    assert not bare.vectors
    assert not bare.HasField("payload")


def test_read_points() -> None:
    message = common_pb2.ScoredPoint(id={"number": 0}, score=0.5, payload={}, vectors={"": vector_message([1, 2])})
    point = scored_point_of(message, True)
    assert (point.id, point.score, point.payload) == (0, 0.5, {})
    assert point.vectors[""].dtype == np.float32
    point.vectors[""][0] = 9  # the caller's own
    assert list(scored_point_of(message, True).vectors[""]) == [1, 2]
    assert record_of(common_pb2.RetrievedPoint(id={"key": "a"}, version=4), True) == headwater.Record("a", version=4)
    absent = record_of(common_pb2.RetrievedPoint(id={"key": "a"}), False).payload
    assert isinstance(absent, headwater.PayloadNotAskedFor)


def test_payload_selectors() -> None:
    assert payload_selector(True).enable
    assert not payload_selector(False).enable
    assert list(payload_selector(["a", "b[].c"]).include.names) == ["a", "b[].c"]
    assert list(payload_selector(WithPayloadSelector(include=["a"])).include.names) == ["a"]
    assert list(payload_selector(WithPayloadSelector(exclude=["a"])).exclude.names) == ["a"]
    assert payload_selector(WithPayloadSelector(exclude=[])).WhichOneof("kind") == "exclude"
    assert payload_selector([]).WhichOneof("kind") == "include"
    for arguments in ({}, {"include": ["a"], "exclude": ["b"]}):
        with pytest.raises(ValueError):
            WithPayloadSelector(**arguments)


def test_vectors_selectors() -> None:
    assert vectors_selector(True).enable
    assert list(vectors_selector(["text"]).include.names) == ["text"]
    assert list(vectors_selector(headwater.WithVectorsSelector(["text"])).include.names) == ["text"]


OPERATIONS: dict[str, headwater.WriteOperation] = {
    "upsert": headwater.Upsert([PointStruct(1, [1.0])]),
    "delete_points": headwater.DeletePoints(ids=[1, "a"]),
    "update_vectors": headwater.UpdateVectors([PointVectors(1, {"text": [1.0]})]),
    "delete_vectors": headwater.DeleteVectors(["text"], filter=headwater.Field("a").eq(1)),
    "set_payload": headwater.SetPayload({"a": 1}, "b.c", ids=[1]),
    "overwrite_payload": headwater.OverwritePayload({"a": 1}, ids=[1]),
    "delete_payload": headwater.DeletePayload(["a.b"], ids=[1]),
    "clear_payload": headwater.ClearPayload(filter=headwater.has_id([1])),
}


def test_every_operation_of_the_contract_can_be_batched() -> None:
    contract = points_pb2.UpdateOperation.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert [field.name for field in contract] == list(OPERATIONS)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_operations_in_a_batch_carry_neither_collection_nor_wait(kind: str) -> None:
    message = writes.operation_message(OPERATIONS[kind])
    assert message.WhichOneof("kind") == kind
    request = getattr(message, kind)
    assert request.collection_name == ""
    assert not request.HasField("wait")
    assert request.ByteSize() > 0


def test_conditions_of_writes_are_sent() -> None:
    newer = headwater.StoredComparison("v", headwater.Comparison.LESS)
    condition = headwater.Field("a").eq(1)
    given = points_pb2.StoredComparison(path="v", comparison=points_pb2.COMPARISON_LESS)
    upsert = writes.upsert_request(
        headwater.Upsert([PointStruct(1)], headwater.UpsertMode.UPDATE_ONLY, condition, [newer])
    )
    assert upsert.mode == points_pb2.UPSERT_MODE_UPDATE_ONLY
    assert list(upsert.compare) == [given]
    operations: list[headwater.WriteOperation] = [
        headwater.SetPayload({}, None, condition, [newer], ids=[1]),
        headwater.OverwritePayload({}, condition, [newer], ids=[1]),
        headwater.DeletePoints(condition, ids=[1]),
        headwater.UpdateVectors([PointVectors(1, {"text": [1.0]})], condition),
    ]
    for operation in operations:
        message = writes.operation_message(operation)
        request = getattr(message, message.WhichOneof("kind") or "")
        assert request.condition == upsert.condition
        if hasattr(request, "compare"):
            assert list(request.compare) == [given]


def test_a_selected_write_takes_ids_or_a_filter() -> None:
    with pytest.raises(ValueError, match="ids or filter"):
        headwater.DeletePoints()
    with pytest.raises(ValueError, match="ids or filter"):
        headwater.DeletePoints(ids=[1], filter=headwater.has_id([1]))
    nothing = writes.delete_request(headwater.DeletePoints(ids=[]))
    assert nothing.selector.WhichOneof("kind") == "ids"
    everything = writes.delete_request(headwater.DeletePoints(filter=headwater.Filter()))
    assert everything.selector.WhichOneof("kind") == "filter"


def test_operations_of_another_type_are_type_errors() -> None:
    with pytest.raises(TypeError, match="write operations"):
        writes.operation_message(PointStruct(1))  # type: ignore[arg-type]


def test_settings_there_and_back() -> None:
    params = VectorParams(
        4,
        headwater.Distance.HAMMING,
        HnswConfigDiff(8, 100, 64),
        headwater.Datatype.BINARY,
        headwater.IndexKind.HNSW,
    )
    info = collections_pb2.CollectionInfo(
        collection_name="c",
        vectors={
            "text": collections_pb2.SpaceInfo(
                params=vectors_messages({"text": params})["text"], state="SPACE_STATE_READY"
            )
        },
        optimizers_config=optimizers_message({"indexing_threshold": 5}),
        aliases=["a"],
    )
    back = info_of(info)
    assert back.vectors["text"].params == params
    assert back.vectors["text"].state is headwater.SpaceState.READY
    assert (back.optimizers_config, back.aliases) == (OptimizersConfig(5), ("a",))


def test_settings_that_are_not_given_stay_unset() -> None:
    (message,) = vectors_messages(VectorParams(4)).values()
    assert (message.size, message.distance) == (4, common_pb2.DISTANCE_COSINE)
    assert not message.HasField("hnsw_config")
    assert message.datatype == collections_pb2.DATATYPE_UNSPECIFIED
    assert list(vectors_messages(VectorParams(4))) == [""]
    assert vectors_messages(None) == {}
    assert optimizers_message(None) is None
    diff = vectors_diff_messages({"a": headwater.VectorParamsDiff(HnswConfigDiff(m=8))})["a"]
    assert diff.hnsw_config.m == 8
    assert not diff.hnsw_config.HasField("ef")
    assert not diff.HasField("datatype")
    assert not diff.HasField("index")
    with pytest.raises(TypeError):
        optimizers_message({"indexing_treshold": 5})


@pytest.mark.parametrize("preset", [headwater.HnswPreset.HIGH_RECALL, "high_recall"])
def test_presets_are_sent_by_name(preset: headwater.HnswPreset | str) -> None:
    (message,) = vectors_messages(VectorParams(4, hnsw_config=HnswConfigDiff(m=9, preset=preset))).values()
    assert message.hnsw_config == collections_pb2.HnswConfig(m=9, preset=collections_pb2.HNSW_PRESET_HIGH_RECALL)


def test_kinds_of_index_by_name() -> None:
    messages = vectors_messages(
        {"a": VectorParams(4, index="hnsw"), "b": VectorParams(4, index=headwater.IndexKind.FLAT)}
    )
    assert messages["a"].index == collections_pb2.INDEX_KIND_HNSW
    assert messages["b"].index == collections_pb2.INDEX_KIND_FLAT
    with pytest.raises(ValueError, match="one of auto, flat, hnsw"):
        vectors_messages(VectorParams(4, index="HNSWW"))
