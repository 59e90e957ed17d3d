"""Reports the progress of a transfer: to a function, or as a bar on a terminal."""

import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import TextIO

Progress = bool | Callable[[int, int | None], object]
"""False: silent. True: a bar on stderr when it is a terminal. A function is called with (done, total or None)."""
_BAR_WIDTH = 30


@contextmanager
def progress_of(progress: Progress, total: int | None, unit: str = "points") -> Iterator[Callable[[int], object]]:
    """Yields a function; call it with the number done. `total` None: unknown."""
    if not isinstance(progress, bool):
        yield lambda done: progress(done, total)
    elif progress and sys.stderr.isatty():
        with _bar(sys.stderr, total, unit) as report:
            yield report
    else:
        yield lambda done: None


@contextmanager
def _bar(terminal: TextIO, total: int | None, unit: str) -> Iterator[Callable[[int], object]]:
    def draw(done: int) -> None:
        terminal.write(f"\r{bar_text(done, total, unit)}")
        terminal.flush()

    draw(0)
    try:
        yield draw
    finally:
        terminal.write("\n")


def total_of(items: object) -> int | None:
    """The number of `items`, when they have a length."""
    return len(items) if isinstance(items, Sized) else None


def bar_text(done: int, total: int | None, unit: str = "points") -> str:
    """One line: `[######........]  40 %  800 / 2,000 points`."""
    if not total:
        return f"{done:,} {unit}"
    share = min(done / total, 1.0)
    filled = round(share * _BAR_WIDTH)
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {share:4.0%}  {done:,} / {total:,} {unit}"
