"""Python's plain stubs answer as the conformance cases say, and what is not a case is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.v1 import points_pb2
from tests.clients import cases
from tests.clients.asking import METHODS, check, new_names, outcomes
from tests.clients.cases import FILES, BadCase, filled, tree_of
from tests.clients.servers import channel_to, client_servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with client_servers(tmp_path_factory.mktemp("clients")) as environment:
        yield environment


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path, servers: dict[str, str]) -> None:
    case = cases.load(path)
    with channel_to(case.server, servers) as channel:
        for step, outcome in outcomes(case, channel, new_names(servers["HEADWATER_API_KEY"])):
            check(step, outcome)


def test_the_cases_call_each_method_of_points_and_collections() -> None:
    called = {step.call for path in FILES for step in cases.load(path).steps}
    wanted = {name for name in METHODS if name.startswith(("Points/", "Collections/"))}
    assert wanted - called == set()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"call": "Points/Get", "request": {}, "answer": {}, "expect": {}}, "of others only"),
        ({"call": "Points/Get", "answer": {}}, "one of request"),
        ({"call": "Points/Get", "request": {}}, "one of answer"),
        ({"call": "Points/Get", "request": {}, "answer": {}, "error": {}}, "one of answer"),
    ],
)
def test_a_step_that_is_not_one(tmp_path: Path, step: object, message: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"about": "x", "server": "plain", "steps": [step]}))
    with pytest.raises(BadCase, match=message):
        cases.load(path)


def test_names_are_filled_in_everywhere() -> None:
    assert filled({"${a}": ["x ${a}", 1, None]}, {"a": "b"}) == {"b": ["x b", 1, None]}
    with pytest.raises(KeyError):
        filled("${unknown}", {})


def test_paths_that_are_not_compared() -> None:
    message = points_pb2.PointsGetResponse()
    for number in (1, 2):
        message.points.add(version=number).id.number = number
    assert tree_of(message, ["points.*.version"]) == {"points": [{"id": {"number": "1"}}, {"id": {"number": "2"}}]}
    assert tree_of(message, ["points"]) == {}
