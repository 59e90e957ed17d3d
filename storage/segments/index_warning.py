"""Texts about indexes that find less than they should: the measured recall, and what would help."""

from storage.schema import Datatype, DenseSpace, IndexFile
from storage.segments.judge import GOOD_FORM, GOOD_RECALL
from storage.segments.space import SpaceView


def measured_recall(space: SpaceView) -> float | None:
    """The lowest measured recall at 10 of the indexes of a space; None: there is no index, or none was measured."""
    return min((index.recall for index in _serving(space) if index.recall is not None), default=None)


def warning_of(space: SpaceView) -> str:
    """Why searches of the space may miss points. Empty: as far as measured, they find what they should."""
    poor = [index for index in _serving(space) if is_poor(index)]
    if not poor:
        return ""
    return poor_index(space.schema, min(poor, key=lambda index: index.recall or 0.0))


def poor_index(space: DenseSpace, index: IndexFile) -> str:
    """The text for one poor index."""
    return f"{_recall(index)}; what would help: {_help(space, index)}"


def short_warning_of(space: SpaceView) -> str:
    """The same as one line for an explanation."""
    poor = [index for index in _serving(space) if is_poor(index)]
    return "" if not poor else _recall(min(poor, key=lambda index: index.recall or 0.0))


def is_poor(index: IndexFile) -> bool:
    return index.recall is not None and index.recall < GOOD_RECALL


def _serving(space: SpaceView) -> list[IndexFile]:
    pairs = zip(space.manifest.blocks, space.blocks, strict=True)
    return [entry.index for entry, block in pairs if entry.index is not None and block.index is not None]


def _recall(index: IndexFile) -> str:
    return f"an index of {index.rows:,} rows in {index.datatype} has a measured recall at 10 of {index.recall:.2f}"


def _help(space: DenseSpace, index: IndexFile) -> str:
    """What can help. A finer form helps only if the stored form hides rows, and a better search only if it misses rows
    that the form shows. Both are named if this was not measured."""
    shown = index.form_recall
    searches_miss = shown is None or index.recall is None or index.recall < shown
    is_finest = space.distance.is_binary or index.datatype == Datatype.FLOAT32.value
    ways = []
    if not is_finest and (shown is None or shown < GOOD_FORM):
        ways.append("a finer datatype")
    if index.kind == "ivf":
        ways += ["a larger nprobe", "other lists"] * searches_miss
    else:
        ways += [f"a larger hnsw_ef than {space.hnsw.ef}"] * (space.hnsw.ef < index.rows)
        ways += ["a larger m or ef_construct"] * searches_miss
    return ", or ".join(filter(None, [", ".join(ways), "exact searches"]))
