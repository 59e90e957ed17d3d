"""Texts in requests: finds them, and replaces each by the vector that its embedder makes.

After that, a request has only vectors, so the layers below know no texts. All texts of a request that have the same
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
from server.convert import join, vector_kind, write_dense
from server.embedders.embedder import Embedders, Role
from server.errors import EmbedderFailed, no_embedder
from storage.budget import Budget
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import CollectionSchema

MAX_TEXT_BYTES = 65_536
"""Bytes of a text to embed. Models read only the first few thousand."""

MAX_TEXTS = 10_000
"""Texts of one request. All their vectors are made before anything is answered or written."""

UsingRequest = vde_pb2.VDEEvaluateRecallRequest
RootMessage = points_pb2.PointsQueryRequest | points_pb2.PointsSearchRequest


@dataclass(frozen=True, slots=True)
class TextInput:
    """A text in a request: the message that holds it, its space, and the path of its field.

    For texts of queries also the query's path, and the stage as explanations name it.
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
    ) -> list[TextInput]:
        """Embeds the texts of query requests, each given with its path. Returns where the texts were."""
        texts = [
            replace(text, query=path) for request, path in requests for text in _in_stage(request, path, "root", schema)
        ]
        self.embed(texts, schema, Role.QUERY, budget)
        return texts

    def of_vectors(
        self, vectors: Iterable[Vector], request: UsingRequest, schema: CollectionSchema, budget: Budget
    ) -> None:
        """Embeds the texts among `vectors`. `request` names their space and the fields of errors."""
        holders = [
            (index, vector)
            for index, vector in enumerate(vectors)
            if vector_kind(vector, f"queries[{index}]") == "text"
        ]
        if holders:
            space = space_of(request.using if request.HasField("using") else None, schema, "using")
            texts = [TextInput(vector, space, f"queries[{index}]") for index, vector in holders]
            self.embed(texts, schema, Role.QUERY, budget)

    def of_write(self, request: Any, schema: CollectionSchema, budget: Budget) -> None:
        """Embeds the texts of a write, for spaces that have an embedder. Conversion refuses all other texts."""
        spaces = [name for name, space in schema.dense.items() if space.embedder is not None]
        if spaces:
            self.embed(list(_in_write(request, spaces)), schema, Role.DOCUMENT, budget)

    def embed(self, texts: Sequence[TextInput], schema: CollectionSchema, role: Role, budget: Budget) -> None:
        """Replaces texts by vectors. All texts are checked before an embedder is called.

        Raises InvalidRequest, LimitExceeded, and what `Embedder.embed` raises.
        """
        if len(texts) > MAX_TEXTS:
            field = texts[MAX_TEXTS].path
            raise LimitExceeded(field, limit="MAX_TEXTS", maximum=MAX_TEXTS, actual=len(texts))
        by_embedder: dict[str, list[TextInput]] = {}
        for text in texts:
            check_text(text.document.text, join(text.path, "text"))
            name = embedder_of(schema, text.space, text.path)
            by_embedder.setdefault(name, []).append(text)
        embedders = {name: self.embedders.get(name, group[0].path) for name, group in by_embedder.items()}
        for name, group in by_embedder.items():
            rows = embedders[name].embed([text.document.text for text in group], role, budget)
            for text, row in zip(group, rows, strict=True):
                _put(text, row, schema, name)


def embedder_of(schema: CollectionSchema, space: str, field: str) -> str:
    """The name of the embedder of a space. If it has none, raises EmbedderNotConfigured, which names `field`."""
    name = schema.dense[space].embedder if space in schema.dense else None
    if name is None:
        raise no_embedder(space, field)
    return name


def check_text(text: str, field: str) -> None:
    """Raises InvalidRequest or LimitExceeded unless `text` can be embedded."""
    if not text.strip():
        raise InvalidRequest(field, "the text is empty, or only white space")
    if (size := len(text.encode())) > MAX_TEXT_BYTES:
        raise LimitExceeded(field, limit="MAX_TEXT_BYTES", maximum=MAX_TEXT_BYTES, actual=size)


def check_row(row: NDArray[np.float32], schema: CollectionSchema, space: str, embedder: str) -> None:
    """Raises EmbedderFailed unless the vector has as many dimensions as the space."""
    size = schema.dense[space].size
    if len(row) != size:
        what = f"makes vectors of {len(row)} dimensions, but the space {space!r} has {size}"
        raise EmbedderFailed(embedder, what, expected=size, actual=len(row))


def explained(explanation: Explanation, texts: Sequence[TextInput], schema: CollectionSchema) -> Explanation:
    """The explanation. For each stage whose query was a text, the search also shows its embedder."""
    names = {text.stage: schema.dense[text.space].embedder or "" for text in texts}
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


def _put(text: TextInput, row: NDArray[np.float32], schema: CollectionSchema, embedder: str) -> None:
    check_row(row, schema, text.space, embedder)
    holder = text.holder
    holder.Clear()
    write_dense(holder.vector if isinstance(holder, VectorInput) else holder, row)


def _in_write(request: Any, spaces: Sequence[str]) -> Iterator[TextInput]:
    match request:
        case points_pb2.PointsUpsertRequest() | points_pb2.PointsUpdateVectorsRequest():
            yield from _in_points(request.points, "points", spaces)
        case points_pb2.PointsUpdateBatchRequest():
            for index, operation in enumerate(request.operations):
                kind = operation.WhichOneof("kind")
                if kind in ("upsert", "update_vectors"):
                    points = getattr(operation, kind).points
                    yield from _in_points(points, f"operations[{index}].{kind}.points", spaces)


def _in_points(points: Iterable[Any], path: str, spaces: Sequence[str]) -> Iterator[TextInput]:
    for index, point in enumerate(points):
        vectors = point.vectors
        for space in spaces:
            field = f'{path}[{index}].vectors["{space}"]'
            if space in vectors and vector_kind(vectors[space], field) == "text":
                yield TextInput(vectors[space], space, field)


def _in_stage(message: Any, path: str, stage: str, schema: CollectionSchema) -> Iterator[TextInput]:
    """The texts of a stage and of the stages below it. Errors of its space are those of the planner."""
    if isinstance(message, points_pb2.PointsSearchRequest):
        inputs = _inputs(message.vector, join(path, "vector"))
    else:
        inputs = _inputs(message.query, join(path, "query"))
        for index, child in enumerate(message.prefetch):
            yield from _in_stage(child, f"{join(path, 'prefetch')}[{index}]", f"{stage}.prefetch[{index}]", schema)
    for holder, field in inputs:
        using = message.using if message.HasField("using") else None
        yield TextInput(holder, space_of(using, schema, join(path, "using")), field, stage=stage)


def _inputs(message: Message, path: str) -> Iterator[tuple[Vector | VectorInput, str]]:
    """The messages that hold texts. They are found by type, so that no kind of query can be forgotten."""
    if isinstance(message, Vector | VectorInput) and _kind(message, path) == "text":
        yield message, path
        return
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        many = isinstance(value, Sequence) or hasattr(value, "add")
        for index, each in enumerate(value if many else [value]):
            if isinstance(each, Message):
                yield from _inputs(each, join(path, f"{field.name}[{index}]" if many else field.name))


def _kind(message: Vector | VectorInput, path: str) -> str | None:
    kind: str | None = vector_kind(message, path) if isinstance(message, Vector) else message.WhichOneof("kind")
    return kind
