"""Commands for snapshots: copies of a collection at one moment, on the server or in a file."""

from pathlib import Path
from typing import Annotated

import typer

from headwater._cli import output
from headwater._cli.program import shared

_group = typer.Typer(
    help="Snapshots: make, list, download, upload, restore, delete.", no_args_is_help=True, rich_markup_mode=None
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(_group, name="snapshot")


@_group.command()
def create(
    context: typer.Context,
    collection: str,
    name: Annotated[str | None, typer.Argument(help="Its name; none: one made from the time.")] = None,
) -> None:
    """Make a snapshot on the server.

    Example: headwater snapshot create shop before-import
    """
    about = shared(context)
    with about.client() as client:
        info = client.vde.create_snapshot(collection, name)
    if about.json:
        output.print_json(info)
    else:
        print(info.name)


@_group.command("list")
def list_snapshots(
    context: typer.Context,
    collection: Annotated[str | None, typer.Argument(help="Only those of this collection.")] = None,
) -> None:
    """List snapshots.

    Example: headwater snapshot list shop
    """
    about = shared(context)
    with about.client() as client:
        found = client.vde.list_snapshots(collection)
    if about.json:
        for info in found:
            output.print_json(info)
        return
    rows = [(each.collection, each.name, output.size(each.size_bytes), each.seq, each.created) for each in found]
    output.print_table(("collection", "snapshot", "size", "commit", "created"), rows)


@_group.command()
def download(
    context: typer.Context,
    collection: str,
    name: str,
    file: Annotated[Path | None, typer.Argument(help="Where to; none: the name in this folder.")] = None,
) -> None:
    """Copy a snapshot from the server into a file.

    Example: headwater snapshot download shop before-import shop.snapshot
    """
    about = shared(context)
    with about.client() as client:
        path = client.vde.download_snapshot(collection, name, file or Path(f"{name}.snapshot"), progress=True)
    if about.json:
        output.print_json({"file": str(path)})
    else:
        print(path)


@_group.command()
def upload(
    context: typer.Context,
    file: Path,
    collection: Annotated[str | None, typer.Option(help="Collection that it belongs to.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name on the server.")] = None,
) -> None:
    """Copy a snapshot from a file to the server.

    Example: headwater snapshot upload shop.snapshot
    """
    about = shared(context)
    with about.client() as client:
        info = client.vde.upload_snapshot(file, collection, name, progress=True)
    if about.json:
        output.print_json(info)
    else:
        print(f"{info.collection} {info.name}")


@_group.command()
def restore(context: typer.Context, collection: str, name: str, target: str) -> None:
    """Make a new collection from a snapshot.

    Example: headwater snapshot restore shop before-import shop-restored
    """
    about = shared(context)
    with about.client() as client:
        client.vde.restore_snapshot(collection, name, target)
    output.print_done("restored", target, about.json)


@_group.command()
def delete(context: typer.Context, collection: str, name: str) -> None:
    """Delete a snapshot.

    Example: headwater snapshot delete shop before-import
    """
    about = shared(context)
    with about.client() as client:
        client.vde.delete_snapshot(collection, name)
    output.print_done("deleted", name, about.json)
