"""Texts in requests: finds them and replaces each by the vector that its embedder makes.

After that a request holds vectors only, so the layers below know no texts. All texts of a request that have the same
embedder go to it together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from headwater.v1 import points_pb2, vde_pb2
from headwater.v1.common_pb2 import Document, Vector
from headwater.v1.query_pb2 import VectorInput
from planner.explain import ExplainNode, Explanation, render
from planner.resolve import space_of
from server.convert import join, write_dense
from server.embedders.embedder import Embedders, Role
from server.errors import EmbedderFailed, no_embedder
from storage.budget import Budget
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import CollectionSchema

MAX_TEXT_BYTES = 65_536
"""Bytes of a text that is embedded: models read the first few thousand at most."""

MAX_TEXTS = 10_000
"""Texts of one request: all their vectors are made before anything is answered or written."""

UsingRequest = vde_pb2.VDEEvaluateRecallRequest
RootMessage = points_pb2.PointsQueryRequest | points_pb2.PointsSearchRequest


@dataclass(frozen=True, slots=True)
class Place:
    """A text in a request: the message that holds it, its space, and the path of its field.

    Of a query also the query's path and the stage, as explanations call it.
    """

    holder: Vector | VectorInput
    space: str
    path: str
    query: str = ""
    stage: str = ""

    @property
    def document(self) -> Document:
        return self.holder.text


@dataclass(frozen=True, slots=True)
class Texts:
    """Embeds the texts of requests for collections of one server."""

    embedders: Embedders

    def of_queries(
        self, requests: Iterable[tuple[RootMessage, str]], schema: CollectionSchema, budget: Budget
    ) -> list[Place]:
        """Embeds the texts of query requests, each given with its path; where they were."""
        places = [
            replace(place, query=path)
            for request, path in requests
            for place in _in_stage(request, path, "root", schema)
        ]
        self.embed(places, schema, Role.QUERY, budget)
        return places

    def of_vectors(
        self, vectors: Iterable[Vector], request: UsingRequest, schema: CollectionSchema, budget: Budget
    ) -> None:
        """Embeds the texts among `queries`, the query vectors of a request that says which space it is about."""
        texts = [(index, vector) for index, vector in enumerate(vectors) if vector.WhichOneof("kind") == "text"]
        if texts:
            space = space_of(request.using if request.HasField("using") else None, schema, "using")
            places = [Place(vector, space, f"queries[{index}]") for index, vector in texts]
            self.embed(places, schema, Role.QUERY, budget)

    def of_write(self, request: Any, schema: CollectionSchema, budget: Budget) -> None:
        """Embeds the texts of a write for spaces that have an embedder. Conversion refuses all other texts."""
        spaces = [name for name, space in schema.dense.items() if space.embedder is not None]
        if spaces:
            self.embed(list(_in_write(request, spaces)), schema, Role.DOCUMENT, budget)

    def embed(self, places: Sequence[Place], schema: CollectionSchema, role: Role, budget: Budget) -> None:
        """Replaces texts by vectors. All texts are checked before the first call of an embedder.

        Raises InvalidRequest, LimitExceeded, and what `Embedder.embed` raises.
        """
        if len(places) > MAX_TEXTS:
            field = places[MAX_TEXTS].path
            raise LimitExceeded(field, limit="MAX_TEXTS", maximum=MAX_TEXTS, actual=len(places))
        by_embedder: dict[str, list[Place]] = {}
        for place in places:
            check_text(place.document.text, join(place.path, "text"))
            name = embedder_of(schema, place.space, place.path)
            by_embedder.setdefault(name, []).append(place)
        embedders = {name: self.embedders.get(name, group[0].path) for name, group in by_embedder.items()}
        for name, group in by_embedder.items():
            rows = embedders[name].embed([place.document.text for place in group], role, budget)
            for place, row in zip(group, rows, strict=True):
                _put(place, row, schema, name)


def embedder_of(schema: CollectionSchema, space: str, field: str) -> str:
    """The name of the embedder of a space. Raises EmbedderNotConfigured, naming the field that holds a text."""
    name = schema.dense[space].embedder if space in schema.dense else None
    if name is None:
        raise no_embedder(space, field)
    return name


def check_text(text: str, field: str) -> None:
    """Raises InvalidRequest or LimitExceeded unless `text` can be embedded."""
    if not text.strip():
        raise InvalidRequest(field, "the text is empty, or white space alone")
    if (size := len(text.encode())) > MAX_TEXT_BYTES:
        raise LimitExceeded(field, limit="MAX_TEXT_BYTES", maximum=MAX_TEXT_BYTES, actual=size)


def check_row(row: NDArray[np.float32], schema: CollectionSchema, space: str, embedder: str) -> None:
    """Raises EmbedderFailed unless the vector has as many dimensions as the space."""
    size = schema.dense[space].size
    if len(row) != size:
        what = f"makes vectors of {len(row)} dimensions, and those of the space {space!r} have {size}"
        raise EmbedderFailed(embedder, what, expected=size, actual=len(row))


def explained(explanation: Explanation, places: Sequence[Place], schema: CollectionSchema) -> Explanation:
    """The explanation. Each stage whose query was a text gets its embedder as an attribute of the search."""
    names = {place.stage: schema.dense[place.space].embedder or "" for place in places}
    if not names:
        return explanation
    root = _with_embedders(explanation.root, names)
    return replace(explanation, root=root, text=render(root))


def _with_embedders(node: ExplainNode, names: Mapping[str, str]) -> ExplainNode:
    children = tuple(_with_embedders(child, names) for child in node.children)
    attributes = node.attributes
    if node.stage in names and "using" in attributes:
        attributes = {**attributes, "embedder": names[node.stage]}
    return replace(node, children=children, attributes=attributes)


def _put(place: Place, row: NDArray[np.float32], schema: CollectionSchema, embedder: str) -> None:
    check_row(row, schema, place.space, embedder)
    holder = place.holder
    holder.Clear()
    write_dense(holder.vector if isinstance(holder, VectorInput) else holder, row)


def _in_write(request: Any, spaces: Sequence[str]) -> Iterator[Place]:
    match request:
        case points_pb2.PointsUpsertRequest() | points_pb2.PointsUpdateVectorsRequest():
            yield from _in_points(request.points, "points", spaces)
        case points_pb2.PointsUpdateBatchRequest():
            for index, operation in enumerate(request.operations):
                kind = operation.WhichOneof("kind")
                if kind in ("upsert", "update_vectors"):
                    points = getattr(operation, kind).points
                    yield from _in_points(points, f"operations[{index}].{kind}.points", spaces)


def _in_points(points: Iterable[Any], path: str, spaces: Sequence[str]) -> Iterator[Place]:
    for index, point in enumerate(points):
        vectors = point.vectors
        for space in spaces:
            if space in vectors and vectors[space].WhichOneof("kind") == "text":
                yield Place(vectors[space], space, f'{path}[{index}].vectors["{space}"]')


def _in_stage(message: Any, path: str, stage: str, schema: CollectionSchema) -> Iterator[Place]:
    """The texts of a stage and of those below it. Errors of its space are those of the planner."""
    if isinstance(message, points_pb2.PointsSearchRequest):
        inputs = _inputs(message.vector, join(path, "vector"))
    else:
        inputs = _inputs(message.query, join(path, "query"))
        for index, child in enumerate(message.prefetch):
            yield from _in_stage(child, f"{join(path, 'prefetch')}[{index}]", f"{stage}.prefetch[{index}]", schema)
    for holder, field in inputs:
        using = message.using if message.HasField("using") else None
        yield Place(holder, space_of(using, schema, join(path, "using")), field, stage=stage)


def _inputs(message: Message, path: str) -> Iterator[tuple[Vector | VectorInput, str]]:
    """The messages that hold texts. They are found by type, so no kind of query can be forgotten."""
    if isinstance(message, Vector | VectorInput) and message.WhichOneof("kind") == "text":
        yield message, path
        return
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        many = isinstance(value, Sequence) or hasattr(value, "add")
        for index, each in enumerate(value if many else [value]):
            if isinstance(each, Message):
                yield from _inputs(each, join(path, f"{field.name}[{index}]" if many else field.name))
