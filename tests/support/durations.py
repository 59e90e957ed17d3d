"""Records how long each test took, in one text file, slowest first."""

from collections import defaultdict
from pathlib import Path

import pytest


class Durations:
    """A pytest plugin. It runs in the first process only, which hears of the tests of all processes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds one phase of a test: what its fixtures took counts, too."""
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        slowest_first = sorted(self._seconds.items(), key=lambda entry: (-entry[1], entry[0]))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("".join(f"{seconds:8.2f} {name}\n" for name, seconds in slowest_first), encoding="utf-8")
