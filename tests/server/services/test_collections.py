"""The RPCs of Collections over a real server: what they do, and what they refuse."""

from functools import partial
from typing import Any

import grpc
import pytest

from headwater.v1 import collections_pb2 as wire
from headwater.v1 import common_pb2
from tests.server.messages import space
from tests.support.serving import Service, failure_of


def create(name: str, **spaces: wire.VectorParams) -> wire.CollectionsCreateRequest:
    return wire.CollectionsCreateRequest(collection_name=name, vectors=spaces)


def test_a_collection_tells_every_default(service: Service) -> None:
    info = service.collections.Create(create("defaults", text=wire.VectorParams(size=4))).collection
    params = info.vectors["text"].params
    assert (params.size, params.distance, params.datatype) == (4, common_pb2.DISTANCE_COSINE, wire.DATATYPE_BFLOAT16)
    assert (params.hnsw_config.m, params.hnsw_config.ef_construct, params.hnsw_config.ef) == (16, 200, 128)
    assert info.optimizers_config.indexing_threshold == 20_000
    assert info.vectors["text"].state == wire.SPACE_STATE_AWAITING_VECTORS
    assert service.collections.Get(wire.CollectionsGetRequest(collection_name="defaults")).collection == info


def test_settings_arrive(service: Service) -> None:
    params = wire.VectorParams(
        size=4,
        distance=common_pb2.DISTANCE_MANHATTAN,
        hnsw_config=wire.HnswConfig(m=8, ef_construct=50, ef=33),
        datatype=wire.DATATYPE_FLOAT16,
        index=wire.INDEX_KIND_FLAT,
    )
    request = create("settings", a=params)
    request.optimizers_config.indexing_threshold = 123
    info = service.collections.Create(request).collection
    assert info.vectors["a"].params == params
    assert info.optimizers_config.indexing_threshold == 123


def test_names_exist_are_listed_and_go(service: Service) -> None:
    for name in ("list-b", "list-a", "other"):
        service.collections.Create(create(name))
    listed = service.collections.List(wire.CollectionsListRequest(prefix="list-")).collection_names
    assert list(listed) == ["list-a", "list-b"]
    assert service.collections.Exists(wire.CollectionsExistsRequest(collection_name="other")).exists
    delete = wire.CollectionsDeleteRequest(collection_name="other")
    assert service.collections.Delete(delete).deleted
    assert not service.collections.Delete(delete).deleted
    assert not service.collections.Exists(wire.CollectionsExistsRequest(collection_name="other")).exists


def test_spaces_are_added_changed_and_dropped(service: Service, collection: str) -> None:
    request = wire.CollectionsUpdateRequest(
        collection_name=collection,
        add_vectors={"new": space(7)},
        drop_vectors=["flat"],
        update_vectors={"text": wire.VectorParamsDiff(hnsw_config=wire.HnswConfig(ef=99))},
        optimizers_config=wire.OptimizersConfig(indexing_threshold=5),
    )
    info = service.collections.Update(request).collection
    assert set(info.vectors) == {"", "text", "new"}
    assert info.vectors["text"].params.hnsw_config == wire.HnswConfig(m=16, ef_construct=200, ef=99)
    assert info.vectors["text"].params.datatype == wire.DATATYPE_BFLOAT16
    assert info.optimizers_config.indexing_threshold == 5


def test_aliases(service: Service, collection: str) -> None:
    def change(**operation: Any) -> None:
        service.collections.UpdateAliases(
            wire.CollectionsUpdateAliasesRequest(operations=[wire.AliasOperation(**operation)])
        )

    change(create_alias=wire.CreateAlias(collection_name=collection, alias_name="first"))
    change(rename_alias=wire.RenameAlias(old_alias_name="first", new_alias_name="second"))
    info = service.collections.Get(wire.CollectionsGetRequest(collection_name="second")).collection
    assert (info.collection_name, list(info.aliases)) == (collection, ["second"])
    listed = service.collections.ListAliases(wire.CollectionsListAliasesRequest(collection_name=collection)).aliases
    assert [(each.alias_name, each.collection_name) for each in listed] == [("second", collection)]
    change(delete_alias=wire.DeleteAlias(alias_name="second"))
    assert not service.collections.Exists(wire.CollectionsExistsRequest(collection_name="second")).exists


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"size": 0}, 'vectors["a"].size'),
        ({"size": 65_537}, 'vectors["a"].size'),
        ({"size": 2, "hnsw_config": {"m": 1}}, 'vectors["a"].hnsw_config.m'),
        ({"size": 2, "hnsw_config": {"ef": 0}}, 'vectors["a"].hnsw_config.ef'),
        ({"size": 2, "distance": 9}, 'vectors["a"].distance'),
        ({"size": 2, "datatype": 9}, 'vectors["a"].datatype'),
        ({"size": 2, "index": 9}, 'vectors["a"].index'),
        ({"size": 2, "hnsw_config": {"preset": 9}}, 'vectors["a"].hnsw_config.preset'),
        ({"size": 2, "distance": 6, "datatype": 2}, 'vectors["a"].datatype'),
    ],
)
def test_a_bad_space_is_refused_by_field(service: Service, params: dict[str, Any], field: str) -> None:
    failure = failure_of(lambda: service.collections.Create(create("bad", a=wire.VectorParams(**params))))
    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    assert not service.collections.Exists(wire.CollectionsExistsRequest(collection_name="bad")).exists


@pytest.mark.parametrize("name", ["", " a", "a/b", "a\nb", "n" * 256])
def test_a_bad_name_is_refused_by_field(service: Service, name: str) -> None:
    failure = failure_of(lambda: service.collections.Create(create(name)))
    assert (failure.reason, failure.fields) == ("INVALID_NAME", ["collection_name"])


def test_a_name_that_is_taken(service: Service, collection: str) -> None:
    failure = failure_of(lambda: service.collections.Create(create(collection)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "COLLECTION_ALREADY_EXISTS")
    assert failure.metadata == {"collection": collection}


@pytest.mark.parametrize("name", ["", "absent", "n" * 600, "é" * 1_000_000])
def test_a_collection_that_is_not_there(service: Service, name: str) -> None:
    failure = failure_of(lambda: service.collections.Get(wire.CollectionsGetRequest(collection_name=name)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "COLLECTION_NOT_FOUND")


@pytest.mark.parametrize("name", ["", "absent", "n" * 600])
def test_deleting_what_is_not_there(service: Service, name: str) -> None:
    assert not service.collections.Delete(wire.CollectionsDeleteRequest(collection_name=name)).deleted


@pytest.mark.parametrize(
    "operation",
    [
        {"create_alias": {"collection_name": "n" * 600, "alias_name": "a"}},
        {"delete_alias": {"alias_name": "n" * 600}},
        {"rename_alias": {"old_alias_name": "n" * 600, "new_alias_name": "a"}},
    ],
)
def test_aliases_of_what_cannot_be_there(service: Service, operation: dict[str, Any]) -> None:
    request = wire.CollectionsUpdateAliasesRequest(operations=[wire.AliasOperation(**operation)])
    assert failure_of(lambda: service.collections.UpdateAliases(request)).code == grpc.StatusCode.NOT_FOUND


def test_alias_operations_that_lack_something(service: Service) -> None:
    for operations, field in (([], "operations"), ([wire.AliasOperation()], "operations[0]")):
        request = wire.CollectionsUpdateAliasesRequest(operations=operations)
        assert failure_of(partial(service.collections.UpdateAliases, request)).fields == [field]


def test_presets_are_told_as_settings(service: Service) -> None:
    """What is given beside a preset wins, when a space is made and when it is changed."""
    high_recall = wire.HnswConfig(preset=wire.HNSW_PRESET_HIGH_RECALL, ef=99)
    request = create("presets", a=wire.VectorParams(size=2, hnsw_config=high_recall), b=wire.VectorParams(size=2))
    vectors = service.collections.Create(request).collection.vectors
    assert vectors["a"].params.hnsw_config == wire.HnswConfig(m=32, ef_construct=400, ef=99)
    assert vectors["b"].params.hnsw_config == wire.HnswConfig(m=16, ef_construct=200, ef=128)
    high_speed = wire.VectorParamsDiff(hnsw_config=wire.HnswConfig(preset=wire.HNSW_PRESET_HIGH_SPEED))
    update = wire.CollectionsUpdateRequest(collection_name="presets", update_vectors={"a": high_speed})
    vectors = service.collections.Update(update).collection.vectors
    assert vectors["a"].params.hnsw_config == wire.HnswConfig(m=8, ef_construct=100, ef=64)


def test_kinds_and_stored_forms_are_told(service: Service) -> None:
    request = create(
        "kinds",
        plain=wire.VectorParams(size=2),
        bits=wire.VectorParams(size=2, distance=common_pb2.DISTANCE_HAMMING),
        small=wire.VectorParams(size=2, datatype=wire.DATATYPE_INT8, index=wire.INDEX_KIND_FLAT),
    )
    vectors = service.collections.Create(request).collection.vectors
    told = {name: (each.params.index, each.params.datatype) for name, each in vectors.items()}
    assert told == {
        "plain": (wire.INDEX_KIND_AUTO, wire.DATATYPE_BFLOAT16),
        "bits": (wire.INDEX_KIND_AUTO, wire.DATATYPE_BINARY),
        "small": (wire.INDEX_KIND_FLAT, wire.DATATYPE_INT8),
    }
    diff = wire.VectorParamsDiff(index=wire.INDEX_KIND_HNSW, datatype=wire.DATATYPE_BINARY)
    update = wire.CollectionsUpdateRequest(collection_name="kinds", update_vectors={"small": diff})
    small = service.collections.Update(update).collection.vectors["small"].params
    assert (small.index, small.datatype) == (wire.INDEX_KIND_HNSW, wire.DATATYPE_BINARY)
    bits = wire.VectorParamsDiff(datatype=wire.DATATYPE_FLOAT16)
    update = wire.CollectionsUpdateRequest(collection_name="kinds", update_vectors={"bits": bits})
    assert failure_of(lambda: service.collections.Update(update)).fields == ['update_vectors["bits"].datatype']
