"""Settings of the whole suite: Hypothesis profiles, the share of slow tests, durations, and recorded (golden) files.

Owns no fixture that starts anything; those live beside the tests that use them or in `tests/support`.
"""

import os
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.durations import Durations

# Generated examples are the same on every run of a commit, so a failure seen once is seen again. `thorough` draws anew.
settings.register_profile(
    "default", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", max_examples=600, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

# Set once by the first process, so that all test processes agree also when midnight passes between them.
ROTATION_VARIABLE = "HEADWATER_TEST_ROTATION"

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow-share",
        type=int,
        default=1,
        metavar="N",
        help="run one in N of the slow tests, another part each day (1: all, 0: none)",
    )
    parser.addoption(
        "--durations-file", type=Path, metavar="FILE", help="write how long each test took to this file, slowest first"
    )
    parser.addoption("--update-goldens", action="store_true", help="record golden files instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault(ROTATION_VARIABLE, str(date.today().toordinal()))
    file: Path | None = config.getoption("--durations-file")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations(file))


def pytest_report_header(config: pytest.Config) -> str:
    share: int = config.getoption("--slow-share")
    part = f"part {rotation() % share + 1} of {share}" if share else "none"
    return f"slow tests: {part} ({ROTATION_VARIABLE}={rotation()})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    share: int = config.getoption("--slow-share")
    left_out = [item for item in items if not is_chosen(item, share)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def is_chosen(item: pytest.Item, share: int) -> bool:
    if item.get_closest_marker("long") and share != 1:
        return False
    return not item.get_closest_marker("slow") or in_share(item.nodeid, share)


def rotation() -> int:
    return int(os.environ[ROTATION_VARIABLE])


def in_share(name: str, share: int) -> bool:
    """Whether a slow test belongs to today's part of `share` parts. Each test is in exactly one of them."""
    return share > 0 and zlib.crc32(name.encode()) % share == rotation() % share


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with a recorded file; with `--update-goldens` records it instead."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} is not recorded yet: run `make goldens`"
        assert text == path.read_text(encoding="utf-8")

    return compare
