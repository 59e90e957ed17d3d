"""The size of an open collection in numbers that cost nothing to read. statistics.py has those that cost something."""

from dataclasses import dataclass

from storage.mvcc import View


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSize:
    """A collection as of its newest commit. Its vectors and rows are those of dense and multi-vector spaces.

    `tail_rows` are in no index yet. `dead_rows` wait for compaction. `segments` have an index. `mapped_bytes` are bytes
    of the files of vectors and indexes that are mapped. `waiting_writes` wait for a commit.
    """

    name: str
    points: int
    vectors: int
    tail_rows: int
    dead_rows: int
    segments: int
    mapped_bytes: int
    waiting_writes: int


def size_of_view(view: View, name: str, waiting_writes: int) -> CollectionSize:
    """The size of the collection `name` at a commit. Opens nothing."""
    blocks = [block for space in view.spaces.values() for block in space.blocks]
    indexed = [block for block in blocks if block.index is not None]
    vectors = sum(space.vector_count for space in view.spaces.values())
    return CollectionSize(
        name=name,
        points=view.state.point_count,
        vectors=vectors,
        tail_rows=max(0, vectors - sum(block.count - block.block.deaths for block in indexed)),
        dead_rows=sum(block.block.deaths for block in blocks),
        segments=len(indexed),
        mapped_bytes=sum(block.block.mapped_bytes() + block.block.index_bytes for block in blocks),
        waiting_writes=waiting_writes,
    )
