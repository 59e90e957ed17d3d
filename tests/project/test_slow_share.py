"""The share of slow tests that runs: over as many days as there are parts, every test runs exactly once."""

import pytest

from tests.conftest import ROTATION_VARIABLE, in_share


@pytest.mark.parametrize("share", [1, 2, 4, 7])
def test_every_slow_test_has_its_day(share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"tests/test_{number}.py::test" for number in range(50)]
    chosen: list[str] = []
    for day in range(739_000, 739_000 + share):
        monkeypatch.setenv(ROTATION_VARIABLE, str(day))
        chosen += [name for name in names if in_share(name, share)]
    assert sorted(chosen) == sorted(names)


def test_no_share_is_none() -> None:
    assert not in_share("tests/test_1.py::test", 0)
