"""Commands for keys that the server stores."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from headwater._cli import output
from headwater._cli.failures import Exit, Failure
from headwater._cli.program import shared

_group = typer.Typer(help="Keys: make, list, rotate, delete.", no_args_is_help=True, rich_markup_mode=None)


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(_group, name="key")


@_group.command()
def create(
    context: typer.Context,
    name: str,
    scope: Annotated[str, typer.Argument(help="read, write or admin")],
    collection: Annotated[list[str] | None, typer.Option(help="Name, or beginning that ends in *.")] = None,
    filter: Annotated[str | None, typer.Option("--filter", "-f", help="Only points that match.")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When it ends, in UTC.")] = None,
) -> None:
    """Make a key, and print its secret, once.

    Example: headwater key create reports read --collection shop --collection "logs-*"
    """
    about = shared(context)
    end = None if expires is None else expires.replace(tzinfo=UTC)
    with about.client() as client:
        made = client.keys.create(name, scope, collections=collection, filter=filter, expires=end)
    if about.json:
        output.print_json(made)
    else:
        print(made.secret)


@_group.command("list")
def list_keys(context: typer.Context) -> None:
    """List the keys.

    Example: headwater key list
    """
    about = shared(context)
    with about.client() as client:
        keys = client.keys.list()
    if about.json:
        for key in keys:
            output.print_json(key)
        return
    rows = [
        (
            each.name,
            each.scope.name.lower(),
            each.expires or "",
            ", ".join(each.collections or ["*"]),
            each.filter or "",
        )
        for each in keys
    ]
    output.print_table(("key", "scope", "expires", "collections", "filter"), rows)


@_group.command()
def rotate(
    context: typer.Context,
    name: str,
    overlap: Annotated[float | None, typer.Option(help="Seconds for which the old secret stays good.")] = None,
) -> None:
    """Give a key another secret, and print it, once.

    Example: headwater key rotate reports --overlap 3600
    """
    about = shared(context)
    with about.client() as client:
        secret = client.keys.rotate(name, overlap=overlap)
    if about.json:
        output.print_json({"secret": secret})
    else:
        print(secret)


@_group.command()
def delete(context: typer.Context, name: str) -> None:
    """Delete a key.

    Example: headwater key delete reports
    """
    about = shared(context)
    with about.client() as client:
        if not client.keys.delete(name):
            raise Failure(f"there is no key {name!r}", Exit.NOT_FOUND)
