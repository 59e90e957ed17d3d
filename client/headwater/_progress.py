"""Reports how far an upload is: to a function, or as a bar on a terminal."""

import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import TextIO

Progress = bool | Callable[[int, int | None], object]
"""False: silent. True: a bar on stderr when it is a terminal. A function is called with (done, total or None)."""
_BAR_WIDTH = 30


@contextmanager
def progress_of(progress: Progress, items: object) -> Iterator[Callable[[int], object]]:
    """Yields what to call with the number done. The total is known when `items` has a length."""
    total = len(items) if isinstance(items, Sized) else None
    if not isinstance(progress, bool):
        yield lambda done: progress(done, total)
    elif progress and sys.stderr.isatty():
        with _bar(sys.stderr, total) as report:
            yield report
    else:
        yield lambda done: None


@contextmanager
def _bar(terminal: TextIO, total: int | None) -> Iterator[Callable[[int], object]]:
    def draw(done: int) -> None:
        terminal.write(f"\r{bar_text(done, total)}")
        terminal.flush()

    draw(0)
    try:
        yield draw
    finally:
        terminal.write("\n")


def bar_text(done: int, total: int | None) -> str:
    """One line: `[######........]  40 %  800 / 2,000 points`."""
    if not total:
        return f"{done:,} points"
    share = min(done / total, 1.0)
    filled = round(share * _BAR_WIDTH)
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {share:4.0%}  {done:,} / {total:,} points"
