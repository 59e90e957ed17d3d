"""How uploads are cut into batches, and how progress is shown."""

import io
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from headwater import PointStruct
from headwater._methods.batches import batches
from headwater._methods.progress import bar_text, progress_of


def sizes(count: int, batch_size: int, max_bytes: int, dimensions: int = 100) -> list[int]:
    points = (PointStruct(number, np.ones(dimensions, np.float32)) for number in range(count))
    return [len(batch) for batch in batches(points, batch_size, max_bytes)]


def test_by_number() -> None:
    assert sizes(0, 3, 10**6) == []
    assert sizes(3, 3, 10**6) == [3]
    assert sizes(7, 3, 10**6) == [3, 3, 1]


def test_by_bytes() -> None:
    assert sizes(5, 100, 1000) == [2, 2, 1]  # a point has a little over 400 bytes
    assert sizes(3, 100, 10) == [1, 1, 1]  # one that is too large goes alone


def test_order_and_laziness() -> None:
    read: list[int] = []

    def points() -> Iterator[PointStruct]:
        for number in range(6):
            read.append(number)
            yield PointStruct(number)

    stream = batches(points(), 2)
    assert [point.id.number for point in next(stream)] == [0, 1]
    assert read == [0, 1, 2]
    assert [point.id.number for batch in stream for point in batch] == [2, 3, 4, 5]


@pytest.mark.parametrize("batch_size", [0, -1])
def test_bad_batch_size(batch_size: int) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        next(batches([], batch_size))


def test_a_bad_point_is_named_by_its_place_in_the_whole() -> None:
    with pytest.raises(TypeError, match=r"points\[3\]\.id"):
        list(batches([*(PointStruct(number) for number in range(3)), PointStruct(None)], 2))  # type: ignore[arg-type]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_of(True, 4) as report:
            report(4)
        assert (stream.getvalue().count("4 / 4 points") == 1) is drawn
        assert stream.getvalue().endswith("\n") is drawn


def test_silence_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_of(False, 1) as report:
        report(1)
    assert terminal.getvalue() == ""


def test_bar_text() -> None:
    assert bar_text(800, 2000) == "[############..................]  40%  800 / 2,000 points"
    assert bar_text(2500, 2000).startswith("[" + "#" * 30 + "] 100%")
    assert bar_text(1234, None) == "1,234 points"
    assert bar_text(1234, None, "bytes") == "1,234 bytes"
