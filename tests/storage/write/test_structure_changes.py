"""Changes of the structure of a collection that touch one name twice, or that a waiting write did not expect."""

import numpy as np
import pytest

from storage.errors import InvalidRequest, SpaceNotFound
from storage.schema import CollectionSchema, DenseSpace, MultiSpace, SchemaChange, SpaceDiff
from storage.write.operations import BySlots, DeletePoints, SpaceVectors, Upsert
from tests.support.directories import CODEC, Directories

SCHEMA = CollectionSchema(spaces={"text": DenseSpace(size=2)})
PAYLOAD = CODEC.encode({})


def test_a_space_dropped_and_added_at_once_is_replaced_by_an_empty_one(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    vectors = {"text": SpaceVectors(np.array([0]), np.array([[1, 2]], np.float32))}
    collection.write([Upsert(ids=(1,), payloads=(PAYLOAD,), vectors=vectors)]).result()
    after = collection.change_schema(SchemaChange(drop=("text",), add={"text": DenseSpace(size=3)}))
    assert after.dense["text"].size == 3
    assert collection.stats().spaces["text"].vectors == 0
    assert collection.stats().points == 1


def test_a_filter_on_a_space_that_was_dropped_meanwhile_fails_its_write_only(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    collection.change_schema(SchemaChange(drop=("text",)))
    late = collection.write([DeletePoints(selector=BySlots(lambda reader: reader.slots_with_vector("text")))])
    with pytest.raises(SpaceNotFound):
        late.result()
    collection.write([Upsert(ids=(1,), payloads=(PAYLOAD,), vectors={})]).result()


def test_multi_vectors_get_no_embedder_later_either(directories: Directories) -> None:
    schema = CollectionSchema(spaces={"tokens": MultiSpace(tokens=DenseSpace(size=2))})
    collection = directories.open().create_collection("c", schema)
    with pytest.raises(InvalidRequest, match="embedder"):
        collection.change_schema(SchemaChange(update={"tokens": SpaceDiff(embedder="words")}))
    assert collection.schema.row_spaces["tokens"].embedder is None
