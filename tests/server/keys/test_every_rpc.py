"""Every RPC with every kind of key: none, wrong, expired, each scope, of another collection, and with a filter."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from headwater.v1 import collections_pb2, points_pb2
from server.app import DESCRIPTORS
from server.keys import SCOPES, Scope, hashed
from server.keys.names import collections_of, is_name
from server.keys.scopes import NOT_LIMITED
from server.keys.tenants import _NARROWERS
from tests.server.messages import point, space
from tests.support.serving import Service, serving

METHODS = {f"{service.full_name}/{method.name}": method for service in DESCRIPTORS for method in service.methods}
SECRETS = {name: f"secret of {name}" for name in ("read", "write", "admin", "expired", "theirs", "mine", "tenant")}


def _key(name: str, scope: str, *more: str) -> str:
    return "\n".join(
        ["[[key]]", f'name = "{name}"', f'scope = "{scope}"', f'sha256 = "{hashed(SECRETS[name])}"', *more]
    )


KEYS = "\n".join(
    [
        _key("read", "read"),
        _key("write", "write"),
        _key("admin", "admin"),
        _key("expired", "admin", f"expires = {datetime(2020, 1, 1, tzinfo=UTC).isoformat()}"),
        _key("theirs", "admin", 'collections = ["their*"]'),
        _key("mine", "admin", 'collections = ["shop"]'),
        _key("tenant", "write", 'collections = ["shop"]', "filter = 'tenant == \"a\"'"),
    ]
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.toml").write_text(KEYS)
    with serving(folder / "data", keys=folder / "keys.toml") as running:
        metadata = [("api-key", SECRETS["admin"])]
        create = collections_pb2.CollectionsCreateRequest(collection_name="shop", vectors={"": space(2)})
        running.collections.Create(create, metadata=metadata)
        upsert = points_pb2.PointsUpsertRequest(
            collection_name="shop", points=[point(1, {"": [1, 0]}, {"tenant": "b"})]
        )
        running.points.Upsert(upsert, metadata=metadata)
        yield running


def test_every_rpc_has_a_scope() -> None:
    assert SCOPES.keys() == METHODS.keys()
    assert SCOPES.keys() >= NOT_LIMITED
    assert {f"headwater.v1.Points/{name}" for name in _NARROWERS} <= SCOPES.keys()


def _request(method: MethodDescriptor) -> Any:
    """A request that names the collection `shop`, wherever it can name one at its top."""
    request = GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if is_name(field) and not field.is_repeated:
            setattr(request, field.name, "shop")
        elif field.name in ("header", "query") and field.message_type is not None and not field.is_repeated:
            inner = getattr(request, field.name)
            if "collection_name" in field.message_type.fields_by_name:
                inner.collection_name = "shop"
    return request


def _code(service: Service, name: str, secret: str | None) -> tuple[grpc.StatusCode, str]:
    """How a call of an RPC ends."""
    method = METHODS[name]
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    reply_type = GetMessageClass(method.output_type)
    call: Callable[..., Any] = getattr(service.channel, kind)(
        f"/{name}", lambda message: message.SerializeToString(), reply_type.FromString
    )
    request = _request(method)
    metadata = [] if secret is None else [("api-key", secret)]
    try:
        answer = call(iter([request]) if method.client_streaming else request, metadata=metadata, timeout=60)
        if method.server_streaming:
            list(answer)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize("name", sorted(METHODS))
def test_who_may_call(guarded: Service, name: str) -> None:
    unauthenticated, denied = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
    for secret in (None, "", "wrong", SECRETS["expired"], hashed(SECRETS["admin"])):
        assert _code(guarded, name, secret)[0] is unauthenticated
    for key, scope in (("read", Scope.READ), ("write", Scope.WRITE)):
        code, told = _code(guarded, name, SECRETS[key])
        assert (code is denied) == (SCOPES[name] > scope), told
    code, told = _code(guarded, name, SECRETS["theirs"])
    names_none = name in ("headwater.v1.Collections/List", "headwater.v1.Points/CloseCursor")
    assert (code is not denied) if names_none else (code is denied), told
    if SCOPES[name] <= Scope.WRITE and not name.startswith("headwater.v1.Points/"):
        code, told = _code(guarded, name, SECRETS["tenant"])
        names_only = name in ("headwater.v1.Collections/List", "headwater.v1.Collections/Exists")
        assert (code is not denied) == names_only, told


def test_the_collections_of_a_request_are_found_wherever_they_are() -> None:
    query = points_pb2.PointsQueryRequest(collection_name="a")
    stage = query.prefetch.add().prefetch.add()
    stage.lookup_from.collection_name = "b"
    groups = points_pb2.PointsQueryGroupsRequest(query=query)
    groups.with_lookup.collection_name = "c"
    assert sorted(collections_of(groups)) == ["a", "b", "c"]
    aliases = collections_pb2.CollectionsUpdateAliasesRequest()
    aliases.operations.add().create_alias.collection_name = "d"
    assert list(collections_of(aliases)) == ["d"]
