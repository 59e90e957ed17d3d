"""Which selectors of payloads and vectors are refused, and why."""

from planner.predicate import check_path
from planner.query import PayloadSelector, VectorsSelector
from storage.errors import SpaceNotFound
from storage.schema import CollectionSchema


def check_selectors(
    payload: PayloadSelector | None, vectors: VectorsSelector | None, schema: CollectionSchema, path: str
) -> None:
    """Raises InvalidQuery for an invalid path, SpaceNotFound for a space that does not exist. `path` is the query's."""
    path = f"{path}." if path else ""
    if payload is not None:
        _check_paths(payload.include or (), f"{path}with_payload.include")
        _check_paths(payload.exclude, f"{path}with_payload.exclude")
    for index, name in enumerate((vectors and vectors.include) or ()):
        if name not in schema.names:
            raise SpaceNotFound(name, schema.names, field=f"{path}with_vectors.include[{index}]")


def _check_paths(paths: tuple[str, ...], field: str) -> None:
    for index, path in enumerate(paths):
        check_path(path, f"{field}[{index}]")
