"""Commands for collections: list, show, create, drop, and their aliases."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from headwater._cli import asking, output, values
from headwater._cli.program import shared

if TYPE_CHECKING:
    from headwater import Client, CollectionInfo


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("collections")(list_collections)
    app.command("show")(show)
    app.command("create")(create)
    app.command("drop")(drop)
    app.command("alias")(alias)


def list_collections(
    context: typer.Context,
    prefix: Annotated[str, typer.Option(help="Only names that begin so.")] = "",
) -> None:
    """List the collections, with their points and spaces.

    Example: headwater collections --prefix shop
    """
    about = shared(context)
    with about.client() as client:
        infos = list(_infos(client, prefix))
    if about.json:
        for info in infos:
            output.print_json(info)
        return
    rows = [(info.name, info.points_count, ", ".join(_spaces(info)), ", ".join(info.aliases)) for info in infos]
    output.print_table(("name", "points", "spaces", "aliases"), rows)


def show(context: typer.Context, collection: str) -> None:
    """Show one collection: its spaces, indexes and settings.

    Example: headwater show shop
    """
    about = shared(context)
    with about.client() as client:
        info = client.collections.get_info(collection)
    if about.json:
        output.print_json(info)
    else:
        print(info)


def create(
    context: typer.Context,
    collection: str,
    vectors: Annotated[
        list[str] | None,
        typer.Option("--vectors", "-v", help="[NAME=]SIZE[:DISTANCE[:DATATYPE]]; may be given several times."),
    ] = None,
    sparse: Annotated[list[str] | None, typer.Option(help="Name of a space of sparse vectors.")] = None,
    text_index: Annotated[list[str] | None, typer.Option(help="Payload field to search by BM25.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="PATH=TYPE: payload field to index, as price=float.")] = None,
    exists_ok: Annotated[bool, typer.Option(help="Do nothing if it is there already.")] = False,
) -> None:
    """Create a collection.

    Example: headwater create shop -v 384:cosine -v image=512:dot:float16 --text-index title --field price=float
    """
    about = shared(context)
    spaces = dict(values.space(text) for text in vectors or ())
    fields = dict(_field(text) for text in field or ())
    with about.client() as client:
        make = client.collections.get_or_create if exists_ok else client.collections.create
        info = make(
            collection,
            spaces,
            sparse_vectors={name: {} for name in sparse or ()},
            payload_schema=fields,
            text_indexes={path: {} for path in text_index or ()},
        )
    if about.json:
        output.print_json(info)
    else:
        print(f"created {collection}")


def drop(
    context: typer.Context,
    collection: str,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a collection and all that is in it.

    Example: headwater drop shop --yes
    """
    about = shared(context)
    with about.client() as client:
        if not yes:
            count = client.points.count(collection)
            asking.confirm(f"Delete {collection} and its {count:,} points?")
        client.collections.delete(collection)
    output.print_done("dropped", collection, about.json)


def alias(
    context: typer.Context,
    name: str,
    collection: Annotated[str | None, typer.Argument(help="What the alias stands for; none: delete the alias.")] = None,
) -> None:
    """Let an alias stand for a collection, or delete it.

    Example: headwater alias current shop-2
    """
    about = shared(context)
    with about.client() as client:
        if collection is None:
            client.collections.delete_alias(name)
        else:
            client.collections.create_alias(name, collection)
    if about.json:
        output.print_json({"alias": name, "collection": collection})
    elif collection is None:
        print(f"deleted {name}")
    else:
        print(f"{name} stands for {collection}")


def _infos(client: "Client", prefix: str) -> Iterator["CollectionInfo"]:
    from headwater import NotFoundError

    for name in client.collections.list(prefix=prefix):
        with suppress(NotFoundError):  # it was dropped meanwhile
            yield client.collections.get_info(name)


def _field(text: str) -> tuple[str, str]:
    path, equals, kind = text.rpartition("=")
    if not equals:
        raise ValueError(f"{text!r} is no field with its type; write PATH=TYPE")
    return path, kind


def _spaces(info: "CollectionInfo") -> list[str]:
    dense = [
        f"{name or '(unnamed)'} {space.params.size} {space.params.distance.name.lower()}"
        for name, space in info.vectors.items()
    ]
    return [*dense, *(f"{name} sparse" for name in info.sparse_vectors)]
