"""Commands for the state of collections: stats, recall, optimize, tasks; and check, for a folder without a server."""

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater._cli import output
from headwater._cli.failures import Exit, Failure
from headwater._cli.program import shared

if TYPE_CHECKING:
    from headwater import RebuildTask

WATCH_SECONDS = 1.0
TASK_COLUMNS = ("collection", "space", "kind", "phase", "done", "total", "seconds left", "started", "task")


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (stats, recall, optimize, tasks, check):
        app.command()(command)


def stats(context: typer.Context, collection: str) -> None:
    """Show counts and sizes of a collection, and what its indexes cover.

    Example: headwater stats shop
    """
    about = shared(context)
    with about.client() as client:
        found = client.vde.get_stats(collection)
    if about.json:
        output.print_json(found)
        return
    rows = [
        (
            name or "(unnamed)",
            space.index,
            space.datatype,
            space.vectors,
            space.indexed_vectors,
            space.tail_vectors,
            space.segments,
            output.size(space.disk_bytes),
            "" if space.recall is None else f"{space.recall:.3f}",
            space.warning,
        )
        for name, space in found.spaces.items()
    ]
    print(f"{found.points:,} points, commit {found.seq:,}, payloads {output.size(found.payload_disk_bytes)}")
    columns = ("space", "index", "form", "vectors", "indexed", "tail", "segments", "disk", "recall", "warning")
    output.print_table(columns, rows)


def recall(
    context: typer.Context,
    collection: str,
    using: Annotated[str | None, typer.Option(help="Vector space.")] = None,
    k: Annotated[int, typer.Option(help="Points of an answer that are compared.")] = 10,
    sample: Annotated[int, typer.Option(help="Stored vectors that are asked for.")] = 100,
    ef: Annotated[list[int] | None, typer.Option(help="Width of the graph walk; may be given several times.")] = None,
    filter: Annotated[str | None, typer.Option("--filter", "-f", help="Only points that match.")] = None,
) -> None:
    """Measure how many of the exact best points searches find, on stored vectors.

    Example: headwater recall shop --ef 32 --ef 64 --ef 128
    """
    about = shared(context)
    widths: list[int | None] = [*ef] if ef else [None]
    rows = []
    with about.client() as client:
        for width in widths:
            params = None if width is None else {"hnsw_ef": width}
            found = client.vde.evaluate_recall(
                collection, using=using, k=k, sample=sample, filter=filter, params=params
            )
            rows.append((width, found))
    if about.json:
        for width, found in rows:
            output.print_json({"ef": width, **output.plain(found)})
        return
    table = [
        (width or "default", *(f"{share:.4f}" for share in (each.average, each.p10, each.minimum)), each.queries)
        for width, each in rows
    ]
    output.print_table(("ef", "average", "p10", "minimum", "queries"), table)


def optimize(
    context: typer.Context,
    collection: str,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
) -> None:
    """Build what indexes lack, merge segments and remove deleted rows, now.

    Example: headwater optimize shop
    """
    about = shared(context)
    with about.client() as client:
        found = client.vde.optimize(collection, wait=False)
        while wait and any(not task.ended for task in found):
            time.sleep(WATCH_SECONDS / 4)
            found = [client.vde.get_rebuild_task(task.task_id) if task.task_id else task for task in found]
    _print_tasks(found, about.json)
    failed = [task for task in found if task.phase == "failed"]
    if failed:
        raise Failure(f"{len(failed)} of {len(found)} tasks failed: {failed[0].error}")


def tasks(
    context: typer.Context,
    collection: Annotated[str | None, typer.Argument(help="Only those of this collection.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show them as they go on, until Ctrl-C.")] = False,
) -> None:
    """Show background work: builds, merges and vacuums.

    Example: headwater tasks --watch
    """
    about = shared(context)
    is_live = watch and not about.json and sys.stdout.isatty()
    with about.client() as client, output.live() if is_live else nullcontext() as screen:
        while True:
            found = client.vde.list_rebuild_tasks(collection)
            if screen is not None:
                screen.update(output.table(TASK_COLUMNS, _task_rows(found)), refresh=True)
            else:
                _print_tasks(found, about.json)
            sys.stdout.flush()
            if not watch:
                return
            time.sleep(WATCH_SECONDS)


def check(folder: Path) -> None:
    """Verify a data directory while no server has it open. Needs the server's package.

    Example: headwater check ./data
    """
    import subprocess
    from importlib.util import find_spec

    if find_spec("headwater_server") is None:
        raise Failure("check needs the server's package: pip install headwater-server", Exit.USAGE)
    done = subprocess.run([sys.executable, "-m", "headwater_server", "check", str(folder)])
    if done.returncode:
        raise typer.Exit(Exit.DATA_LOSS if done.returncode == 1 else Exit.USAGE)


def _print_tasks(found: "list[RebuildTask]", as_json: bool) -> None:
    if as_json:
        for task in found:
            output.print_json(task)
        return
    output.print_table(TASK_COLUMNS, _task_rows(found))


def _task_rows(found: "list[RebuildTask]") -> list[tuple[object, ...]]:
    return [
        (
            task.collection,
            task.using or "(unnamed)",
            task.kind.name.lower(),
            task.error or task.phase,
            task.done,
            task.total,
            None if task.eta_seconds is None else f"{task.eta_seconds:.0f}",
            output.moment(task.started or None),
            task.task_id,
        )
        for task in found
    ]
