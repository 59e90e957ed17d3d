"""Commands that move points between files and collections: import and export."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater._cli import output, sources
from headwater._cli.failures import Exit, Failure
from headwater._cli.program import shared
from headwater._cli.resuming import Standing

if TYPE_CHECKING:
    from headwater import Client

MAX_SHOWN = 20
"""Problems of single points that are shown; more are only counted."""


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("import")(import_points)
    app.command("export")(export)


def import_points(
    context: typer.Context,
    collection: str,
    file: Annotated[Path, typer.Argument(help=".jsonl, .csv, .tsv (also .gz), .parquet or .npy")],
    id_column: Annotated[str | None, typer.Option(help="Column of the id; '' numbers the rows. Default: id.")] = None,
    vector_column: Annotated[
        list[str] | None, typer.Option(help="[SPACE=]COLUMN: where vectors are. Default: vector.")
    ] = None,
    text_column: Annotated[list[str] | None, typer.Option(help="Column of a CSV file whose values stay text.")] = None,
    using: Annotated[str, typer.Option(help="Space of the rows of a .npy file.")] = "",
    first_id: Annotated[int, typer.Option(help="Id of the first row, where rows are numbered.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, max=10_000, help="Points of a request.")] = 256,
    on_error: Annotated[str, typer.Option(help="stop, or skip points that are wrong.")] = "stop",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, also if an import was stopped.")] = False,
) -> None:
    """Import points from a file. The same command goes on where a stopped one ended.

    Example: headwater import shop points.jsonl

    Example: headwater import shop items.csv --id-column sku --vector-column title=title_vector --text-column zip
    """
    about = shared(context)
    if on_error not in ("stop", "skip"):
        raise Failure("--on-error is stop or skip", Exit.USAGE)
    columns = dict(_column(text) for text in vector_column or ())
    with about.client(patient=True) as client:
        _make_from_head(client, collection, file)
        client.collections.get_info(collection)
        reading = sources.Reading(
            id_column=_id_column(file, id_column),
            vector_columns=columns,
            text_columns=frozenset(text_column or ()),
            first_id=first_id,
            space=using,
        )
        standing = Standing(about.connection.local or client.target, collection, file, reading)
        done = 0 if restart else standing.done(client)
        if done:
            print(f"going on after {done:,} points", file=sys.stderr)
        report = _Report(file, on_error == "skip")
        with _progress(file.name, done) as show:
            for batch in _batches(sources.skipped(sources.items(file, reading), done), batch_size):
                report.add(client, collection, batch)
                done += len(batch)
                standing.note(done, report.last)
                show(done)
        standing.end()
    if about.json:
        output.print_json({"imported": report.imported, "skipped": report.skipped})
    else:
        print(f"imported {report.imported:,} points" + (f", skipped {report.skipped:,}" if report.skipped else ""))
    if report.skipped:
        raise Failure(f"{report.skipped:,} points of {file} were skipped", Exit.FILE)


def export(
    context: typer.Context,
    collection: str,
    file: Annotated[Path, typer.Argument(help=".jsonl (also .jsonl.gz) or .parquet")],
    filter: Annotated[str | None, typer.Option("--filter", "-f", help="Only points that match.")] = None,
) -> None:
    """Export points to a file, as they were at one moment.

    Example: headwater export shop shop.jsonl.gz --filter "stock > 0"
    """
    about = shared(context)
    if not file.name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")):
        raise Failure(f"{file}: the name must end in .jsonl, .ndjson, .jsonl.gz, .ndjson.gz or .parquet", Exit.USAGE)
    with about.client() as client:
        write = client.export_parquet if file.suffix == ".parquet" else client.export_jsonl
        count = write(collection, file, filter=filter, progress=True)
    if about.json:
        output.print_json({"exported": count})
    else:
        print(f"exported {count:,} points to {file}")


@dataclass(slots=True)
class _Report:
    """What became of the points of an import."""

    file: Path
    skips: bool
    last: Any = None
    """Id of the last point that was imported."""
    imported: int = 0
    skipped: int = 0

    def add(self, client: "Client", collection: str, batch: Sequence[sources.Item]) -> None:
        """Upserts the points of a batch. Raises Failure for the first that is wrong, unless such are skipped."""
        good = []
        for item in batch:
            if item.point is None:
                self._refuse(item, item.problem)
            else:
                good.append(item)
        if good:
            self._upsert(client, collection, good)

    def _upsert(self, client: "Client", collection: str, good: Sequence[sources.Item]) -> None:
        from headwater import InvalidArgumentError

        try:
            # This cuts the batch further where it has too many bytes for one request.
            client.points.upload_points(collection, [_point(item) for item in good], batch_size=len(good))
            self.imported += len(good)
            self.last = _point(good[-1])["id"]
        except (InvalidArgumentError, ValueError, TypeError) as error:
            if len(good) == 1:
                self._refuse(good[0], str(error))
                return
            for item in good:  # a batch is all or nothing: which point is wrong shows when each is sent alone
                self._upsert(client, collection, [item])

    def _refuse(self, item: sources.Item, problem: str) -> None:
        if not self.skips:
            raise Failure(f"{self.file}, {item.place}: {problem} ({self.imported:,} points were imported)", Exit.FILE)
        self.skipped += 1
        if self.skipped <= MAX_SHOWN:
            print(f"skipped {self.file}, {item.place}: {problem}", file=sys.stderr)


def _point(item: sources.Item) -> Mapping[str, Any]:
    assert item.point is not None
    return item.point


def _batches(items: Iterator[sources.Item], size: int) -> Iterator[tuple[sources.Item, ...]]:
    while batch := tuple(islice(items, size)):
        yield batch


def _make_from_head(client: "Client", collection: str, file: Path) -> None:
    """Creates the collection if it is not there and the file is an export, which says how."""
    if client.collections.exists(collection):
        return
    if file.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".parquet")):
        client.create_from_file(collection, file)


def _id_column(file: Path, given: str | None) -> str | None:
    """The column of ids. Without one, rows are numbered."""
    if given is not None:
        return given or None
    if file.name.lower().endswith(".npy"):
        return None
    return "id"


def _column(text: str) -> tuple[str, str]:
    space, equals, column = text.rpartition("=")
    return (space if equals else ""), column


@contextmanager
def _progress(name: str, done: int) -> Iterator[Callable[[int], None]]:
    """Shows how many points are imported, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,} points"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None, completed=done)
        yield lambda done: progress.update(task, completed=done)
