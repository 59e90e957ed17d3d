"""The words of the prepared world: names, paths and texts that mean something in it, and random ones made of them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

EVERYTHING, BUILT, BARE, ALIAS, SPARE, ABSENT = "everything", "built", "bare", "alias", "spare", "absent"
SIZE = 4
"""Dimensions of every dense space but that of texts."""

DENSE = ("", "dot", "euclid", "manhattan", "external", "ivf", "graph", "pages")
BINARY = ("hamming", "jaccard")
SPARSE = ("sparse", "idf")
MULTI = ("multi",)
TEXTUAL = "words"
SPACES = (*DENSE, *BINARY, *SPARSE, *MULTI, TEXTUAL)

PATHS = ("kind", "price", "count", "flag", "when", "uuid", "place", "body", "title", "tags", "nested[].b", "deep.a.b")
ALL_PATHS = (*PATHS, "tags[]", "nested", "empty", "deep", "parent", "nothing", "nested[].nothing")
TEXT_PATHS = ("body", "title")
TEXTS = ("red shoe", "blue trail boot", "watch", '"red shoe" -boot', "+trail watch", "sho", "shoe*", "エンジン 東京")
INSTANTS = ("2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00", "2026-03-05T00:00:00.000001Z", "2026-03-01")
KEYS = ("key-0", "key-1", "key-2", "no such key")
SNAPSHOT = "kept"


@dataclass(frozen=True)
class Learned:
    """Names that the server gave, and the bytes of a snapshot that it made."""

    index_ids: Sequence[str] = ("no-index", "no-index")
    task_ids: Sequence[str] = ("no-task",)
    cursors: Sequence[str] = ("no-cursor",)
    partition_ids: Sequence[str] = ("no-partition",)
    snapshots: Mapping[str, bytes] = field(default_factory=dict)


def collection(draw: random.Random) -> str:
    return draw.choices((EVERYTHING, BUILT, ALIAS, BARE, SPARE, ABSENT), (12, 3, 1, 1, 1, 1))[0]


def spare(draw: random.Random) -> str:
    """The name of a collection that may come and go."""
    return draw.choice((SPARE, *(f"{SPARE} {number}" for number in range(6))))


def filter_text(draw: random.Random, depth: int = 3) -> str:
    """A filter as text; now and then its syntax is wrong."""
    if depth and draw.random() < 0.5:
        left, right = (filter_text(draw, depth - 1) for _ in range(2))
        shapes = (f"{left} and {right}", f"({left} or {right})", f"not ({left})", f"not {left}", f"{left} {right}")
        return draw.choices(shapes, (8, 8, 4, 2, 1))[0]
    path, literal = draw.choice(ALL_PATHS), draw.choice(('"shoe"', "1", "2.5", "true", "null", '["a", "b"]', "-1e3"))
    operator = draw.choice(("==", "!=", "<", "<=", ">", ">=", "in", "contains", "matches", "is", "exists", "~"))
    return f"{path} {operator} {literal}"


def formula_text(draw: random.Random, depth: int = 3) -> str:
    """An expression as text; now and then its syntax is wrong."""
    if depth and draw.random() < 0.6:
        left, right = (formula_text(draw, depth - 1) for _ in range(2))
        calls = ("exp", "ln", "sqrt", "abs", "log10", "exp_decay", "gauss_decay", "lin_decay", "datetime_key")
        shapes = (
            f"({left} {draw.choice(('+', '-', '*', '/', '**'))} {right})",
            f"{draw.choice(calls)}({left})",
            f"{draw.choice(('min', 'max', 'div', 'pow', 'exp_decay'))}({left}, {right})",
            f"matches({filter_text(draw, 1)})",
        )
        return draw.choice(shapes)
    return draw.choice(("$score", "$score[1]", "1", "0.5", "-2", "1e300", "price", "count", "nested[].b", "0"))


BY_FIELD: Mapping[str, Callable[[random.Random], object]] = {
    "collection_name": collection,
    "label": collection,
    "labels": collection,
    "from_collection": collection,
    "target_collection_name": spare,
    "alias_name": lambda draw: draw.choice((ALIAS, "alias 2", "alias 3", EVERYTHING)),
    "old_alias_name": lambda draw: draw.choice((ALIAS, "alias 2")),
    "new_alias_name": lambda draw: draw.choice(("alias 2", "alias 3")),
    "snapshot_name": lambda draw: draw.choice((SNAPSHOT, "snapshot 1", "snapshot 2")),
    "path": lambda draw: draw.choice(ALL_PATHS),
    "new_path": lambda draw: draw.choice(ALL_PATHS),
    "key": lambda draw: draw.choice(ALL_PATHS),
    "keys": lambda draw: draw.choice(ALL_PATHS),
    "names": lambda draw: draw.choice((*ALL_PATHS, *SPACES)),
    "group_by": lambda draw: draw.choice(ALL_PATHS),
    "property_name": lambda draw: draw.choice(ALL_PATHS),
    "drop_vectors": lambda draw: draw.choice(("extra", "extra 2")),
    "drop_sparse_vectors": lambda draw: draw.choice(("extra", "extra 2")),
    "from_using": lambda draw: draw.choice(SPACES),
    "space": lambda draw: draw.choice(("extra", "extra 2")),
    "embedder": lambda draw: draw.choice(("words", "words", "", "none")),
    "language": lambda draw: draw.choice(("english", "german", "klingon")),
    "expression": filter_text,
    "regex": lambda draw: draw.choice(
        ("sh.e", "^red", "(a|b)+", "[[:alpha:]]{2,4}", "(?i)RED", "(", "\\p{Greek}", "\\C")
    ),
    "glob": lambda draw: draw.choice(("*", "red*", "**/shoe", "[a-z]*", "{red,blue}*", "?")),
    "iglob": lambda draw: draw.choice(("*", "RED*", "**/SHOE")),
    "gt": lambda draw: draw.choice(INSTANTS),
    "gte": lambda draw: draw.choice(INSTANTS),
    "lt": lambda draw: draw.choice(INSTANTS),
    "lte": lambda draw: draw.choice(INSTANTS),
    "datetime": lambda draw: draw.choice(INSTANTS),
    "datetime_key": lambda draw: draw.choice(("when", "nothing")),
    "start_string": lambda draw: draw.choice(("shoe", "")),
    "limit": lambda draw: draw.choice((1, 2, 3, 10, 100, 10_000)),
    "offset": lambda draw: draw.choice((0, 1, 5)),
    "size": lambda draw: SIZE,
    "dimensions": lambda draw: SIZE,
    "parent": lambda draw: draw.choice((0, 1, 2)),
    "k": lambda draw: draw.choice((1, 3, 60)),
    "sample": lambda draw: draw.choice((1, 5, 100)),
    "count": lambda draw: draw.choice((1, 10, 1_000)),
    "group_size": lambda draw: draw.choice((1, 3)),
    "min_count": lambda draw: draw.choice((1, 1, 2)),
    "hnsw_ef": lambda draw: draw.choice((1, 16, 200)),
    "cursor_ttl_seconds": lambda draw: draw.choice((1, 60)),
    "lat": lambda draw: draw.uniform(-90, 90),
    "lon": lambda draw: draw.uniform(-180, 180),
    "midpoint": lambda draw: draw.choice((0.1, 0.5)),
    "diversity": lambda draw: draw.random(),
    "service": lambda draw: draw.choice(("", "headwater.v1.Points", "none")),
    "host": lambda draw: "",
    "file_containing_symbol": lambda draw: draw.choice(("headwater.v1.Points", "headwater.v1.Points.Query", "none")),
    "file_by_filename": lambda draw: draw.choice(("headwater/v1/points.proto", "none")),
}
"""Values that make sense by the name of their field, where its type fits them."""
