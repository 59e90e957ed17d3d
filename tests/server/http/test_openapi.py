"""The OpenAPI description has every RPC, is that of the protos, and tells what messages look like."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from docs import write_openapi
from headwater._wire.queries import query_request
from headwater.v1 import collections_pb2, points_pb2
from server.app import DESCRIPTORS
from tests.server.messages import ids, point, space
from tests.support.client_queries import query_of
from tests.support.connect import ask
from tests.support.strategies import queries, random_world

WORLD = random_world(3)


@pytest.fixture(scope="module")
def description(http: str) -> Any:
    answer = ask(http, "/openapi.json", method="GET")
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def test_every_rpc_is_described(description: Any) -> None:
    paths = {f"/{service.full_name}/{method.name}" for service in DESCRIPTORS for method in service.methods}
    assert description["paths"].keys() == paths
    assert all(each["post"]["description"] for each in description["paths"].values())


def test_it_is_that_of_the_protos() -> None:
    assert write_openapi.TARGET.read_text() == write_openapi.text(write_openapi.read_protos()), "run `make protos`"


def test_all_references_lead_somewhere(description: Any) -> None:
    def references(value: Any) -> Any:
        if isinstance(value, dict):
            yield from (each for key, each in value.items() if key == "$ref")
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from references(each)

    schemas = description["components"]["schemas"]
    found = {each.removeprefix("#/components/schemas/") for each in references(description)}
    assert found <= schemas.keys()
    assert len(found) > 150


def _validator(description: Any, name: str) -> Draft202012Validator:
    """Checks messages of one kind."""
    schemas = json.loads(json.dumps(description).replace("#/components/schemas/", "about:schemas#/"))
    resource = Resource.from_contents(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas["components"]["schemas"]}
    )
    registry: Any = Registry().with_resource("about:schemas", resource)
    return Draft202012Validator({"$ref": f"about:schemas#/{name}"}, registry=registry)


def _check(validator: Draft202012Validator, message: Message) -> None:
    validator.validate(json.loads(json_format.MessageToJson(message)))


@settings(max_examples=30)
@given(query=queries(WORLD))
def test_queries_are_as_described(description: Any, query: Any) -> None:
    _check(_validator(description, "PointsQueryRequest"), query_request(query_of(query), "world"))


def test_other_messages_are_as_described(description: Any) -> None:
    create = collections_pb2.CollectionsCreateRequest(collection_name="c", vectors={"": space(2)})
    _check(_validator(description, "CollectionsCreateRequest"), create)
    payload = {"n": 2**63 - 1, "x": -0.5, "list": [None, True, {"deep": "é"}]}
    points = [point(2**64 - 1, {"": [1, float("nan")]}, payload)]
    _check(
        _validator(description, "PointsUpsertRequest"),
        points_pb2.PointsUpsertRequest(collection_name="c", points=points),
    )
    _check(_validator(description, "PointsGetRequest"), points_pb2.PointsGetRequest(ids=ids(1, "k").ids))


def test_what_is_no_message_is_not_as_described(description: Any) -> None:
    validator = _validator(description, "PointsQueryRequest")
    no_messages: list[Any] = [{"limt": 1}, {"limit": "x"}, {"prefetch": {}}, {"collectionName": 3}, {"limit": -1}, []]
    for wrong in no_messages:
        assert not validator.is_valid(wrong)


def test_errors_are_as_described(http: str, description: Any) -> None:
    error = ask(http, "/headwater.v1.Collections/Get", b'{"collectionName": "nobody"}')
    _validator(description, "Error").validate(error.json)
