"""The proto files follow the rules of `tests/protos/rules.py`, and each rule notices what it forbids."""

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.protos.contract import load
from tests.protos.rules import RULES, Rule, prefix

# Breaks every rule at least once.
BAD_PROTO = """
syntax = "proto3";
package Wrong.place;
import public "other.proto";
message lower_case { int32 CamelField = 1; }
enum Colour { RED = 0; COLOUR_blue = 1; }
service Things { rpc get(lower_case) returns (Shared); }
message Shared {}
"""
OTHER_PROTO = 'syntax = "proto3";\npackage Wrong.place;\noption java_package = "elsewhere";\n'


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorSet:
    return load(tmp_path_factory.mktemp("contract"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_contract_follows(rule: Rule, contract: FileDescriptorSet) -> None:
    assert list(rule(contract)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_notices(rule: Rule, tmp_path: Path) -> None:
    (tmp_path / "Bad.proto").write_text(BAD_PROTO)
    (tmp_path / "other.proto").write_text(OTHER_PROTO)
    assert list(rule(load(tmp_path, root=tmp_path)))


def test_prefixes() -> None:
    assert prefix("ScoreMode") == "SCORE_MODE_"
    assert prefix("VDEState") == "VDE_STATE_"
    assert prefix("Int8Kind") == "INT8_KIND_"
