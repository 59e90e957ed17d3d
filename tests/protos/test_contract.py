"""What was once on the wire stays: names, numbers and types of the contract against a record of them."""

import re
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.protos.contract import lines, load

RECORD = Path(__file__).with_name("contract.txt")
FIELD = re.compile(r"(?P<owner>\S+)\.\w+ = (?P<number>-?\d+)\b")


def broken(recorded: list[str], current: list[str]) -> list[str]:
    """Recorded lines that hold no more. A field or value may go if its number is reserved in its place."""
    now = set(current)
    return [line for line in recorded if line not in now and reservation(line) not in now]


def reservation(line: str) -> str | None:
    match = FIELD.match(line)
    return match and f"{match['owner']} reserves {match['number']}"


@pytest.mark.golden
def test_the_contract_is_recorded_and_nothing_recorded_changed(tmp_path: Path, golden: Golden) -> None:
    current = lines(load(tmp_path))
    if RECORD.exists():
        assert broken(RECORD.read_text().splitlines(), current) == [], "this breaks clients: numbers and types stay"
    golden(RECORD, "\n".join(current) + "\n")


def test_what_breaks() -> None:
    before = ["a.M.x = 1 int32", "a.E.E_ONE = 1", "a.S/Get a.Q -> a.R"]
    assert broken(before, [*before, "a.M.y = 2 string"]) == []
    assert broken(before, ["a.M.x = 2 int32", *before[1:]]) == ["a.M.x = 1 int32"]
    assert broken(before, ["a.M.x = 1 int64", *before[1:]]) == ["a.M.x = 1 int32"]
    assert broken(before, ["a.M reserves 1", *before[1:]]) == []
    assert broken(before, before[:2]) == ["a.S/Get a.Q -> a.R"]
