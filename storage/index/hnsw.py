"""HNSW graphs: building and searching them. The only file that imports usearch.

A graph is derived data. Its keys are positions in its block, and its vectors have a smaller stored form. It only finds
candidates; scores come from the original vectors. One thread builds it, since concurrent `add` leaves some vectors
without links. It never changes after that.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from storage.files import plain_path
from storage.index.graph_codes import (
    LEAST_BYTES,
    LEAST_SIZE,
    CodesOf,
    codes_file,
    read_codes,
    refuse_codes,
    write_codes,
)
from storage.kernels import (
    Asking,
    Form,
    KernelFailed,
    Metric,
    NativeGraph,
    Scoring,
    WalkFound,
    has_kernels,
)
from storage.schema import Datatype, DenseSpace, Distance
from storage.vectors import Encoding, choose_encoding, compared_by, encode_queries, encode_rows, score_rows

if TYPE_CHECKING:
    from usearch.index import Index

log = logging.getLogger(__name__)

_METRICS = {
    Distance.COSINE: "cos",
    Distance.DOT: "ip",
    Distance.EUCLID: "l2sq",
    Distance.HAMMING: "hamming",
    Distance.JACCARD: "tanimoto",  # Tanimoto equals Jaccard on bits
}
_DTYPES = {
    Datatype.FLOAT32: "f32",
    Datatype.BFLOAT16: "bf16",
    Datatype.FLOAT16: "f16",
    Datatype.INT8: "i8",
    Datatype.BINARY: "b1",
}
_FORMS = {
    Datatype.FLOAT32: Form.FLOAT32,
    Datatype.BFLOAT16: Form.BFLOAT16,
    Datatype.FLOAT16: Form.FLOAT16,
    Datatype.INT8: Form.INT8,
    Datatype.BINARY: Form.BITS,
}
_ADDED_AT_ONCE = 1024  # vectors added between two reports of progress
_PLAIN = Encoding()

Numbers = NDArray[np.int64]


def has_kernel(distance: Distance) -> bool:
    """Whether a graph can serve the metric. Spaces of other metrics are scanned."""
    return distance in _METRICS


def _new_index(space: DenseSpace, encoding: Encoding) -> "Index":
    from usearch.index import Index  # not before it is needed: a server whose graphs the kernels walk starts without

    return Index(
        ndim=space.size,
        metric=_metric_of(space, encoding),
        dtype=_DTYPES[space.datatype],
        connectivity=space.hnsw.m,
        expansion_add=space.hnsw.ef_construct,
        expansion_search=1,  # a search sets its width by its count, see Graph.search
        enable_key_lookups=False,
    )


def _metric_of(space: DenseSpace, encoding: Encoding) -> str:
    """The metric that the graph compares by. Signs are compared by Hamming, whatever the metric of the space."""
    if space.datatype is Datatype.BINARY and not space.distance.is_binary:
        return _METRICS[Distance.HAMMING]
    return _METRICS[compared_by(space.distance, encoding)]


def build(
    space: DenseSpace,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
    attempt: int = 0,
) -> Encoding:
    """Builds the graph of `vectors[positions]` (n, size) with keys `positions`, and saves it to `path`, not synced.

    Its stored form is the datatype of `space`. Equal input makes an equal graph, so each `attempt` after the first adds
    the vectors in another order.
    """
    encoding = choose_encoding(space.distance, space.datatype, vectors, positions)
    index = _new_index(space, encoding)
    order = positions if attempt == 0 else np.random.default_rng(attempt).permutation(positions)
    for start in range(0, len(order), _ADDED_AT_ONCE):
        chunk = order[start : start + _ADDED_AT_ONCE]
        rows = encode_rows(space.distance, space.datatype, encoding, vectors[chunk])
        index.add(chunk.astype(np.uint64), rows, threads=1)
        progress(start + len(chunk))
    with plain_path(path) as text:
        index.save(text)
    return encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSearch:
    """Searches of one graph for `queries` float32 (m, size), by walks that are `width` wide.

    `limit`: usable rows that are asked for. `nominated`: usable rows of each walk that are scored, the nearest first.
    At most `threads` threads walk, until the `deadline` in seconds of time.monotonic(); None: there is none.
    """

    queries: NDArray[np.float32]
    width: int
    limit: int
    nominated: int
    threads: int = 1
    deadline: float | None = None


class _UsearchGraph:
    """A graph that usearch walks: searches of one graph run one after another. The twin of NativeGraph."""

    def __init__(self, space: DenseSpace, path: Path, encoding: Encoding) -> None:
        """Raises ValueError when it is a graph of other vectors."""
        self._distance = space.distance
        self._index = _new_index(space, encoding)
        with plain_path(path) as text:
            self._index.view(text)
        if self._index.ndim != space.size or self._index.dtype != _new_index(space, encoding).dtype:
            raise ValueError(f"{path} is a graph of other vectors")
        self.size = len(self._index)

    def walk(self, asking: Asking) -> tuple[Numbers, Numbers, Numbers]:
        """As `NativeGraph.walk`, by one thread and to the end. The distances are those of all walks, shared out."""
        # The walk is as wide as its count: usearch uses the larger of count and `expansion_search`, and the latter is
        # shared by all callers.
        keys, _, counts, _, computed = self._index._compiled.search_many(asking.queries, asking.width, False, 1)
        each = np.full(len(keys), int(computed) // max(1, len(keys)), np.int64)
        return keys.astype(np.int64), counts.astype(np.int64), each

    def find(self, asking: Asking, scoring: Scoring) -> WalkFound:
        """As `NativeGraph.find`."""
        keys, counts, computed = self.walk(asking)
        shape = (len(keys), scoring.nominated)
        kept, usable, place = np.zeros((3, len(keys)), np.int64)
        found = WalkFound(np.zeros(shape, np.int64), np.zeros(shape, np.float32), kept, usable, place, computed)
        for number, query in enumerate(scoring.queries):
            positions = keys[number, : counts[number]]
            places = np.arange(len(positions)) if scoring.usable is None else np.flatnonzero(scoring.usable[positions])
            chosen = positions[places[: scoring.nominated]]
            found.kept[number], found.usable[number] = len(chosen), len(places)
            found.place[number] = places[min(len(places), scoring.limit) - 1] if len(places) else -1
            found.positions[number, : len(chosen)] = chosen
            found.scores[number, : len(chosen)] = score_rows(self._distance, query, scoring.vectors, chosen)
        return found


class Graph:
    """A saved graph, mapped read-only.

    The kernels walk it in its file, where they are there and know its layout; else usearch does. Both find nearly the
    same.
    """

    def __init__(
        self, space: DenseSpace, path: Path, encoding: Encoding = _PLAIN, *, unverified_rows: int | None = None
    ) -> None:
        """`space` has the stored form that the graph was built with, `encoding` is what the build returned.

        `unverified_rows`: rows of the block, when `path` may hold anything. Then only kernels walk it, and ValueError
        says that they cannot. None: it has its checksum; usearch does not survive damaged files.
        """
        self.trusted = unverified_rows is None
        """Whether it is known to be as it was built. Else it may find less, or a row twice."""
        self.damaged = False
        """Whether the file proved not to be as it was built. Its block is scanned, until it has another graph."""
        self.lacks_codes = False
        """Whether codes of its vectors are still to be made, see storage/index/graph_codes.py."""
        self._distance = space.distance
        self._encoding = encoding
        self.datatype = space.datatype
        native = _open_native(space, path, encoding, unverified_rows)
        if native is None and not self.trusted:
            raise ValueError("it must be verified first: no kernel walks it")
        self._walker = native or _UsearchGraph(space, path, encoding)
        self.size = self._walker.size
        self._components = space.size
        self._path = path

    @property
    def verified(self) -> bool:
        """Whether nothing is left to be done after opening it."""
        return self.trusted and not self.lacks_codes

    @property
    def may_have_codes(self) -> bool:
        """Whether walks of it are faster by codes: kernels walk it, and its vectors are many and long."""
        bytes_of = {Datatype.BFLOAT16: 2, Datatype.FLOAT16: 2}.get(self.datatype, 0)
        long_enough = self._components >= LEAST_SIZE and self.size * self._components * bytes_of >= LEAST_BYTES
        return long_enough and isinstance(self._walker, NativeGraph)

    def trust(self) -> None:
        """Notes that the file has its checksum."""
        self.trusted = True

    def read_codes(self, checksum: int, *, verify: bool) -> None:
        """Uses the codes in the file beside it, or notes that there are none. Before the first search.

        `checksum`: of the graph's file. `verify`: the codes' own is made, too.
        """
        if not self.may_have_codes:
            return
        stored = read_codes(codes_file(self._path), self._of(checksum), verify=verify)
        self.lacks_codes = stored is None
        if stored is not None and stored.codes is not None and isinstance(self._walker, NativeGraph):
            self._walker.use_codes(stored.codes)

    def has_good_codes(self, checksum: int) -> bool:
        """Whether the codes in the file beside it have their checksum, or it needs none."""
        if not self.may_have_codes:
            return True
        return read_codes(codes_file(self._path), self._of(checksum), verify=True) is not None

    def write_codes(self, checksum: int, check: Callable[[], None]) -> None:
        """Writes the codes of its vectors to the file beside it, and uses them not yet. Calls `check` now and then,
        which may raise. Raises OSError. Requires: may_have_codes."""
        assert isinstance(self._walker, NativeGraph)
        write_codes(codes_file(self._path), self._walker, self._of(checksum), check)

    def refuse_codes(self, checksum: int) -> None:
        """Notes in the file beside it that it does better without codes. Raises OSError."""
        refuse_codes(codes_file(self._path), self._of(checksum))

    def _of(self, checksum: int) -> CodesOf:
        return CodesOf(checksum=checksum, nodes=self.size, size=self._components)

    def search(self, queries: NDArray[np.float32], width: int) -> tuple[Numbers, Numbers, Numbers]:
        """About the `width` nearest positions of each of `queries` (m, size), nearest first, as (m, width); how many
        of each row are valid, (m,); and the distances computed for each, (m,)."""
        return self._walker.walk(Asking(queries=self._stored(queries), width=min(width, self.size)))

    def find(self, search: GraphSearch, vectors: NDArray[np.float32], usable: NDArray[np.bool_] | None) -> WalkFound:
        """What walks find, scored exactly. `vectors`: the rows of the block, float32 (n, size); `usable`: those that
        may be found, (n,); None: all. Raises DeadlineExceeded."""
        asking = Asking(
            queries=self._stored(search.queries),
            width=min(search.width, self.size),
            threads=search.threads,
            deadline=search.deadline,
        )
        scoring = Scoring(
            metric=Metric[self._distance.name],
            queries=search.queries,
            vectors=vectors,
            usable=usable,
            nominated=min(search.nominated, asking.width),
            limit=search.limit,
        )
        return self._walker.find(asking, scoring)

    def _stored(self, queries: NDArray[np.float32]) -> NDArray[Any]:
        return encode_queries(self._distance, self.datatype, self._encoding, queries)


def _open_native(space: DenseSpace, path: Path, encoding: Encoding, rows: int | None) -> NativeGraph | None:
    """The graph as kernels walk it; None: there are none, or they do not know the layout of the file.

    `rows`: keys that are not below it are left out.
    """
    if not has_kernels():
        return None
    metric = Metric[compared_by(space.distance, encoding).name]
    if space.datatype is Datatype.BINARY and not space.distance.is_binary:
        metric = Metric.HAMMING
    try:
        bound = {} if rows is None else {"positions": rows}
        return NativeGraph(path, metric, _FORMS[space.datatype], space.size, **bound)
    except KernelFailed as error:
        log.warning("usearch walks the graph %s, since the kernels cannot read it: %s", path, error)
        return None
