"""Collections that cannot be and changes of schema that cannot be: the typed error, its field, and nothing changed."""

import pytest
from google.protobuf.message import Message

import headwater
from headwater import Client
from headwater.v1 import collections_pb2 as collections
from tests.support.refusals import PLAIN, REFUSAL, Error, check_refused, refusal, stored
from tests.support.wire import Wire

LONG = "n" * 256
TEXT = collections.VectorParams(size=3)
NAMES = {"empty": "", "blank": " x", "line": "a\nb", "slash": "a/b", "zero": "a\0", "long": LONG}


@pytest.mark.parametrize("bad", NAMES.values(), ids=NAMES)
def test_a_name_that_cannot_be(client: Client, bad: str) -> None:
    before = client.collections.list()
    with pytest.raises(headwater.InvalidNameError) as caught:
        client.collections.create(bad)
    assert caught.value.field == "collection_name"
    assert client.collections.list() == before


def create(**params: object) -> collections.CollectionsCreateRequest:
    return collections.CollectionsCreateRequest(vectors={"a": collections.VectorParams(**params)})  # type: ignore[arg-type]


SCHEMAS = [
    refusal("size 0", create(), PLAIN, 'vectors["a"].size'),
    refusal("size too large", create(size=65_537), PLAIN, 'vectors["a"].size'),
    refusal("m 1", create(size=3, hnsw_config={"m": 1}), PLAIN, 'vectors["a"].hnsw_config.m'),
    refusal("unknown metric", create(size=3, distance=99), PLAIN, 'vectors["a"].distance'),
    refusal("metric of bits", create(size=3, distance=5, datatype="DATATYPE_INT8"), PLAIN, 'vectors["a"].datatype'),
    refusal(
        "name of a space",
        collections.CollectionsCreateRequest(vectors={"a/b": TEXT}),
        headwater.InvalidNameError,
        'vectors["a/b"]',
    ),
    refusal(
        "threshold 0",
        collections.CollectionsCreateRequest(vectors={"a": TEXT}, optimizers_config={"indexing_threshold": 0}),
        PLAIN,
        "optimizers_config.indexing_threshold",
    ),
]


@pytest.mark.parametrize(REFUSAL, SCHEMAS)
def test_a_collection_that_cannot_be_is_not_made(
    client: Client, wire: Wire, name: str, asked: Message, kind: Error, where: str, facts: dict[str, str]
) -> None:
    check_refused(wire, name, asked, kind, where, facts)
    assert not client.collections.exists(name)


UPDATES = [
    refusal(
        "add one that exists",
        collections.CollectionsUpdateRequest(add_vectors={"audio": TEXT, "text": TEXT}),
        headwater.SpaceAlreadyExistsError,
        'add_vectors["text"]',
        space="text",
    ),
    refusal(
        "add with size 0",
        collections.CollectionsUpdateRequest(add_vectors={"audio": collections.VectorParams()}),
        PLAIN,
        'add_vectors["audio"].size',
    ),
    refusal(
        "add with a bad name",
        collections.CollectionsUpdateRequest(add_vectors={" ": TEXT}),
        headwater.InvalidNameError,
        'add_vectors[" "]',
    ),
    refusal(
        "drop one that does not exist",
        collections.CollectionsUpdateRequest(add_vectors={"new": TEXT}, drop_vectors=["audio"]),
        headwater.SpaceNotFoundError,
        "drop_vectors[0]",
        space="audio",
    ),
    refusal(
        "change one that does not exist",
        collections.CollectionsUpdateRequest(update_vectors={"audio": collections.VectorParamsDiff()}),
        headwater.SpaceNotFoundError,
        'update_vectors["audio"]',
    ),
    refusal(
        "change beyond bounds",
        collections.CollectionsUpdateRequest(
            drop_vectors=["image"], update_vectors={"text": collections.VectorParamsDiff(hnsw_config={"ef": 0})}
        ),
        PLAIN,
        'update_vectors["text"].hnsw_config.ef',
    ),
]


@pytest.mark.parametrize(REFUSAL, UPDATES)
def test_a_schema_that_cannot_be_is_not_taken(
    client: Client, wire: Wire, bad_input: str, asked: Message, kind: Error, where: str, facts: dict[str, str]
) -> None:
    before = stored(client, bad_input)
    check_refused(wire, bad_input, asked, kind, where, facts)
    assert stored(client, bad_input) == before
