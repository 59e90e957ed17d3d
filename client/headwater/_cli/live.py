"""The command `top`: what a server does now, refreshed each second."""

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from headwater._cli import output
from headwater._cli.program import shared

if TYPE_CHECKING:
    from headwater import Client

COLUMNS = ("collection", "points", "points/s", "commits/s", "tail rows", "work")


@dataclass(frozen=True, slots=True)
class Row:
    """A collection at one moment."""

    collection: str
    points: int
    seq: int
    tail: int
    work: str


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(top)


def top(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look twice, print, and end, as where no terminal is.")] = False,
) -> None:
    """Show what collections do now: points, commits a second, rows without an index, background work.

    Example: headwater top
    """
    about = shared(context)
    with about.client() as client:
        before, since = _look(client), time.monotonic()
        time.sleep(seconds)
        if about.json or once or not sys.stdout.isatty():
            now = _look(client)
            rows = _rates(before, now, time.monotonic() - since)
            if about.json:
                for row in rows:
                    output.print_json(dict(zip(COLUMNS, row, strict=True)))
            else:
                output.print_table(COLUMNS, rows)
            return
        with output.live() as screen:
            while True:
                now, moment = _look(client), time.monotonic()
                rows = _rates(before, now, moment - since)
                screen.update(output.table(COLUMNS, rows), refresh=True)
                before, since = now, moment
                time.sleep(seconds)


def _look(client: "Client") -> list[Row]:
    from headwater import NotFoundError

    work: dict[str, list[str]] = {}
    for task in client.vde.list_rebuild_tasks():
        if not task.ended:
            share = f" {task.done / task.total:.0%}" if task.total else ""
            work.setdefault(task.collection, []).append(f"{task.kind.name.lower()} {task.phase}{share}")
    rows = []
    for name in client.collections.list():
        try:
            stats = client.vde.get_stats(name)
        except NotFoundError:  # it was dropped meanwhile
            continue
        rows.append(Row(name, stats.points, stats.seq, stats.total.tail_vectors, ", ".join(work.get(name, []))))
    return rows


def _rates(before: list[Row], now: list[Row], seconds: float) -> list[tuple[object, ...]]:
    earlier = {row.collection: row for row in before}
    rows: list[tuple[object, ...]] = []
    for row in now:
        old = earlier.get(row.collection, row)
        points, commits = (row.points - old.points) / seconds, (row.seq - old.seq) / seconds
        rows.append((row.collection, row.points, round(points), round(commits, 1), row.tail, row.work))
    return rows
