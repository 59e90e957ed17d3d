"""The public surface is what it says: complete exports, both clients alike, every RPC reachable, nothing heavy."""

import ast
import enum
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import headwater
from headwater import AsyncClient, Client, models
from headwater import _rpcs as rpcs
from headwater._methods.point_reads import PointReads
from headwater._rpc.surface import remote, remote_items, run_blocking
from headwater.v1 import collections_pb2, common_pb2, indexes_pb2, keys_pb2, points_pb2, query_pb2, vde_pb2

NAMESPACES = ["collections", "points", "vde", "indexes", "records", "keys"]
CLIENT_FOLDER = Path(headwater.__file__).parent


def public(target: object) -> set[str]:
    return {name for name in dir(target) if not name.startswith("_")}


def test_all_is_true() -> None:
    submodules = {path.stem for path in CLIENT_FOLDER.iterdir() if not path.name.startswith("_")} - {"py"}
    exported = {name for name in public(headwater) if not inspect.ismodule(getattr(headwater, name))}
    assert set(headwater.__all__) == exported
    assert headwater.__all__ == sorted(headwater.__all__)
    assert public(headwater) - exported <= submodules


def test_every_model_error_and_condition_is_exported() -> None:
    assert set(models.__all__) <= set(headwater.__all__)
    modules = (headwater.errors, headwater.filters, headwater.fusion, *map(models.__dict__.get, NAMESPACES[:2]))
    for module in (*modules, importlib.import_module("headwater._conditions.conditions")):
        for name, value in vars(module).items():
            if not name.startswith("_") and getattr(value, "__module__", "") == getattr(module, "__name__", None):
                assert name in headwater.__all__ or name in {"Selected", "error_class"}


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_sync_and_async_have_the_same_methods(namespace: str) -> None:
    blocking, awaited = getattr(Client(), namespace), getattr(AsyncClient(), namespace)
    assert public(blocking) == public(awaited) != set()
    for name in public(blocking):
        sync_method, async_method = getattr(blocking, name), getattr(awaited, name)
        assert inspect.signature(sync_method) == inspect.signature(async_method), name
        assert sync_method.__doc__ == async_method.__doc__ is not None, name
        if inspect.isgeneratorfunction(sync_method):
            assert inspect.isasyncgenfunction(inspect.unwrap(async_method.__func__)), name
        else:
            assert inspect.iscoroutinefunction(async_method), name
        assert not inspect.iscoroutinefunction(sync_method), name
        assert not inspect.isasyncgenfunction(sync_method), name
        assert "timeout" in inspect.signature(sync_method).parameters, name


def test_both_clients_have_the_same_members_and_arguments() -> None:
    assert public(Client()) == public(AsyncClient())
    assert inspect.signature(Client) == inspect.signature(AsyncClient)


def test_every_rpc_of_the_contract_is_in_the_table_and_used_by_a_method() -> None:
    services = {
        "Collections": (rpcs.Collections, collections_pb2),
        "Points": (rpcs.Points, points_pb2),
        "VDE": (rpcs.VDE, vde_pb2),
        "Indexes": (rpcs.Indexes, indexes_pb2),
        "Keys": (rpcs.Keys, keys_pb2),
    }
    sources = "".join(path.read_text() for path in CLIENT_FOLDER.glob("_*/*.py"))
    for service, (table, module) in services.items():
        known = {name: rpc for name, rpc in vars(table).items() if isinstance(rpc, rpcs.Rpc)}
        described = {
            f"/headwater.v1.{service}/{method.name}": (method.input_type.full_name, method.output_type.full_name)
            for method in module.DESCRIPTOR.services_by_name[service].methods
        }
        assert {
            rpc.path: (rpc.request.DESCRIPTOR.full_name, rpc.response.DESCRIPTOR.full_name) for rpc in known.values()
        } == described
        for name in known:
            assert f"rpcs.{service}.{name}" in sources, f"no method calls {service}.{name}"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (headwater.Distance, common_pb2.Distance),
        (headwater.Datatype, collections_pb2.Datatype),
        (headwater.SpaceState, collections_pb2.SpaceState),
        (headwater.FieldType, collections_pb2.FieldType),
        (headwater.FieldIndexState, collections_pb2.FieldIndexState),
        (headwater.CollectionState, vde_pb2.CollectionState),
        (headwater.TaskKind, vde_pb2.TaskKind),
        (headwater.KeyScope, keys_pb2.KeyScope),
        (headwater.UpdateStatus, points_pb2.UpdateStatus),
        (headwater.AggregationKind, points_pb2.AggregationKind),
        (headwater.FilterStrategy, query_pb2.FilterStrategy),
        (headwater.FilterScope, query_pb2.FilterScope),
        (headwater.ScoreMode, query_pb2.ScoreMode),
        (headwater.AbsenceReason, query_pb2.AbsenceReason),
    ],
)
def test_enums_are_those_of_the_contract(ours: type[enum.Enum], theirs: object) -> None:
    names = [name for name in theirs.keys() if not name.endswith("_UNSPECIFIED")]  # type: ignore[attr-defined]  # noqa: SIM118
    assert [member.value for member in ours] == names


def test_the_client_imports_no_engine_module() -> None:
    names = "sorted({name.split('.')[0] for name in sys.modules})"
    program = f"import json, sys; from headwater import Client; print(json.dumps({names}))"
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CLIENT_FOLDER.parent
    ).stdout
    assert not {"server", "planner", "storage", "lmdb", "usearch", "tqdm", "grpc_status"} & set(json.loads(output))


def test_the_client_is_loaded_by_the_first_use_of_it_and_not_by_the_messages() -> None:
    program = """
import sys
import headwater
from headwater import v1
from headwater.v1 import points_pb2
assert "headwater._client" not in sys.modules and "numpy" not in sys.modules
assert {"Client", "errors"} <= set(dir(headwater))
assert not hasattr(headwater, "Clients")
print(headwater.errors.HeadwaterError is headwater.HeadwaterError, headwater.Client.__name__)
"""
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CLIENT_FOLDER.parent
    ).stdout
    assert output.split() == ["True", "Client"]


def test_every_name_is_what_type_checkers_are_told() -> None:
    told = {
        name.name: statement.module
        for statement in ast.walk(ast.parse((CLIENT_FOLDER / "__init__.py").read_text()))
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("headwater.")
        for name in statement.names
    }
    assert sorted(told) == headwater.__all__
    for name, module in told.items():
        assert getattr(headwater, name) is getattr(importlib.import_module(str(module)), name), name


def test_a_blocking_call_never_waits_for_an_event_loop() -> None:
    class Suspends:
        def __await__(self):  # type: ignore[no-untyped-def]
            yield

    async def suspends() -> None:
        await Suspends()

    with pytest.raises(RuntimeError, match="event loop"):
        run_blocking(suspends())


def test_methods_found_on_the_class_are_functions_with_their_text() -> None:
    assert all(isinstance(vars(PointReads)[name], remote | remote_items) for name in public(PointReads))
    assert "best `limit`" in (headwater.reciprocal_rank_fusion.__doc__ or "")
    assert inspect.isfunction(type(Client().points).search)
    assert inspect.iscoroutinefunction(type(AsyncClient().points).search)
