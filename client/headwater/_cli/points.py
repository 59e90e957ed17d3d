"""Commands that read points: query, explain, why, get, scroll, count; and delete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater._cli import asking, output, values
from headwater._cli.failures import Exit, Failure
from headwater._cli.program import shared

DEFAULT_LIMIT = 10

Vector = Annotated[str | None, typer.Option("--vector", help="Query vector: numbers with commas, or JSON.")]
VectorFile = Annotated[Path | None, typer.Option(help="File of the query vector: .npy, or JSON.")]
Row = Annotated[int, typer.Option(help="Row of the .npy file.")]
Id = Annotated[str | None, typer.Option("--id", help="Id of a point whose vector is the query.")]
Text = Annotated[str | None, typer.Option(help="Text that the server embeds.")]
Words = Annotated[str | None, typer.Option("--bm25", help="Words to find in text indexes.")]
Request = Annotated[Path | None, typer.Option(help="File of a whole query in JSON, as QueryRequest of the client.")]
Using = Annotated[str | None, typer.Option(help="Name of the vector space.")]
Filter = Annotated[str | None, typer.Option("--filter", "-f", help='Filter as text: price < 10 and colour == "red".')]
Limit = Annotated[int | None, typer.Option("--limit", "-n", help="Points to return; 10 if nothing says another.")]
Ef = Annotated[int | None, typer.Option(help="Width of the graph walk.")]
Exact = Annotated[bool, typer.Option(help="Score every vector.")]
Payload = Annotated[bool, typer.Option("--payload/--no-payload", help="Show payloads.")]
Vectors = Annotated[bool, typer.Option("--with-vectors", help="Show vectors.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (query, explain, why, get, scroll, count, delete):
        app.command()(command)


def query(
    context: typer.Context,
    collection: str,
    vector: Vector = None,
    vector_file: VectorFile = None,
    row: Row = 0,
    id: Id = None,
    text: Text = None,
    bm25: Words = None,
    request: Request = None,
    using: Using = None,
    filter: Filter = None,
    limit: Limit = None,
    ef: Ef = None,
    exact: Exact = False,
    payload: Payload = True,
    with_vectors: Vectors = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how it ran, as a tree.")] = False,
) -> None:
    """Find the best points for a vector, a text, an id or a whole query.

    Example: headwater query shop --vector 0.1,0.2,0.3 --filter "price < 10" --limit 5

    Example: headwater query shop --request tree.json --explain
    """
    about = shared(context)
    asked = _asked(vector=vector, vector_file=vector_file, row=row, id=id, text=text, bm25=bm25, request=request)
    asked = _more(asked, request, using=using, filter=filter, limit=limit, ef=ef, exact=exact)
    asked |= {"with_payload": payload, "with_vectors": with_vectors, "explain": explain}
    with about.client() as client:
        hits = client.points.query(collection, **asked)
    if about.json:
        for hit in hits:
            output.print_json(hit)
        if hits.explanation is not None:
            output.print_json({"explanation": hits.explanation.text})
        return
    rows = [(hit.id, f"{hit.score:.6g}", output.shortened(_payload(hit))) for hit in hits]
    output.print_table(("id", "score", "payload") if payload else ("id", "score"), [row[: 2 + payload] for row in rows])
    if hits.explanation is not None:
        print(f"\n{hits.explanation.text}")


def explain(
    context: typer.Context,
    collection: str,
    vector: Vector = None,
    vector_file: VectorFile = None,
    row: Row = 0,
    id: Id = None,
    text: Text = None,
    bm25: Words = None,
    request: Request = None,
    using: Using = None,
    filter: Filter = None,
    limit: Limit = None,
    ef: Ef = None,
    exact: Exact = False,
) -> None:
    """Show the plan of a query with its rows, times and strategies, and not its hits.

    Example: headwater explain shop --vector 0.1,0.2,0.3 --filter "price < 10"
    """
    about = shared(context)
    asked = _asked(vector=vector, vector_file=vector_file, row=row, id=id, text=text, bm25=bm25, request=request)
    asked = _more(asked, request, using=using, filter=filter, limit=limit, ef=ef, exact=exact)
    with about.client() as client:
        hits = client.points.query(collection, **{**asked, "explain": True, "with_payload": False})
    assert hits.explanation is not None, "it was asked for"
    if about.json:
        output.print_json(hits.explanation)
    else:
        print(hits.explanation.text)


def why(
    context: typer.Context,
    collection: str,
    point: Annotated[str, typer.Argument(help="Id of the point.")],
    vector: Vector = None,
    vector_file: VectorFile = None,
    row: Row = 0,
    id: Id = None,
    text: Text = None,
    bm25: Words = None,
    request: Request = None,
    using: Using = None,
    filter: Filter = None,
    limit: Limit = None,
    ef: Ef = None,
    exact: Exact = False,
) -> None:
    """Say why a point is, or is not, in the answer to a query.

    Example: headwater why shop 42 --vector 0.1,0.2,0.3 --filter "price < 10"
    """
    about = shared(context)
    asked = _asked(vector=vector, vector_file=vector_file, row=row, id=id, text=text, bm25=bm25, request=request)
    asked = _more(asked, request, using=using, filter=filter, limit=limit, ef=ef, exact=exact)
    with about.client() as client:
        explanation = client.points.explain_point(collection, values.point_id(point), **asked)
    if about.json:
        output.print_json(explanation)
    else:
        print(explanation)


def get(
    context: typer.Context,
    collection: str,
    ids: Annotated[list[str], typer.Argument(help="Ids; key:42 is the key 42.")],
    with_vectors: Vectors = False,
) -> None:
    """Show points by their ids.

    Example: headwater get shop 1 2 key:3
    """
    about = shared(context)
    with about.client() as client:
        records = client.points.get(collection, [values.point_id(each) for each in ids], with_vectors=with_vectors)
    _print_records(records, about.json, with_vectors)
    if len(records) < len(set(ids)):
        raise Failure(f"{len(set(ids)) - len(records):,} of {len(set(ids)):,} points are not there", Exit.NOT_FOUND)


def scroll(
    context: typer.Context,
    collection: str,
    filter: Filter = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Points to show; 0: all.")] = 100,
    with_vectors: Vectors = False,
) -> None:
    """Show points in the order of their ids.

    Example: headwater --json scroll shop --filter "stock == 0" --limit 0 > empty.jsonl
    """
    about = shared(context)
    records = []
    with about.client() as client:
        found = client.points.scroll_all(collection, filter=filter, with_vectors=with_vectors)
        for number, record in enumerate(found, 1):
            if about.json:
                output.print_json(record)
            else:
                records.append(record)
            if number == limit:
                break
        found.close()
    if not about.json:
        _print_records(records, False, with_vectors)


def count(context: typer.Context, collection: str, filter: Filter = None) -> None:
    """Count points.

    Example: headwater count shop --filter "price < 10"
    """
    about = shared(context)
    with about.client() as client:
        found = client.points.count(collection, filter=filter)
    if about.json:
        output.print_json({"count": found})
    else:
        print(found)


def delete(
    context: typer.Context,
    collection: str,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of points.")] = None,
    filter: Filter = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete points by ids, or by a filter.

    Example: headwater delete shop --filter "stock == 0" --yes
    """
    about = shared(context)
    if bool(ids) == (filter is not None):
        raise Failure("give ids, or --filter", Exit.USAGE)
    with about.client() as client:
        if not yes:
            number = len(ids or ()) or client.points.count(collection, filter=filter)
            asking.confirm(f"Delete {number:,} points of {collection}?")
        chosen = [values.point_id(each) for each in ids] if ids else None
        result = client.points.delete(collection, chosen, filter=filter)
    if about.json:
        output.print_json(result)


def _asked(
    *,
    vector: str | None,
    vector_file: Path | None,
    row: int,
    id: str | None,
    text: str | None,
    bm25: str | None,
    request: Path | None,
) -> dict[str, Any]:
    """The query that the options say. Raises Failure unless it is one."""
    given = [each for each in (vector, vector_file, id, text, bm25, request) if each is not None]
    if len(given) != 1:
        which = "--vector, --vector-file, --id, --text, --bm25 or --request"
        raise Failure(f"give one of {which}", Exit.USAGE)
    if request is not None:
        return values.json_object(request)
    if vector is not None:
        return {"query": values.vector(vector)}
    if vector_file is not None:
        return {"query": values.vector_in(vector_file, row)}
    if id is not None:
        return {"query": values.point_id(id)}
    from headwater import Bm25
    from headwater import Text as Embedded

    return {"query": Embedded(text) if text is not None else Bm25(bm25 or "")}


def _more(
    asked: Mapping[str, Any],
    request: Path | None,
    *,
    using: str | None,
    filter: str | None,
    limit: int | None,
    ef: int | None,
    exact: bool,
) -> dict[str, Any]:
    """The query with the other options. What a file of a whole query says stays, unless an option says it."""
    if limit is None and request is None:
        limit = DEFAULT_LIMIT
    more = {"using": using, "filter": filter, "limit": limit}
    params = {"hnsw_ef": ef, "exact": exact or None}
    chosen = {key: value for key, value in params.items() if value is not None}
    found = {**asked, **{key: value for key, value in more.items() if value is not None}}
    said = asked.get("params")
    return {**found, "params": {**(said if isinstance(said, Mapping) else {}), **chosen}} if chosen else found


def _payload(record: Any) -> object:
    return record.payload if isinstance(record.payload, dict | Mapping) else None


def _print_records(records: Any, as_json: bool, with_vectors: bool) -> None:
    if as_json:
        for record in records:
            output.print_json(record)
        return
    rows = [(each.id, output.shortened(_payload(each)), output.shortened(each.vectors)) for each in records]
    columns = ("id", "payload", "vectors")[: 2 + with_vectors]
    output.print_table(columns, [row[: len(columns)] for row in rows])
