"""Builds the index of a segment in a stored form that tells its rows apart, and measures it before it serves.

If nobody chose the stored form, a finer one is tried until searches find what they should. A chosen form stays. If even
float32 is not enough, the index serves all the same, and its measured recall is shown.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.index import Graph, build
from storage.ivf import Lists
from storage.schema import Datatype, DenseSpace, forms_of
from storage.segments.judge import (
    FORM_RECALL,
    GOOD_FORM,
    GOOD_RECALL,
    Exam,
    make_exam,
    recall_of,
    recall_of_form,
    share_reached,
)
from storage.vectors import Encoding, choose_encoding, is_coarse, rescored

MIN_REACHED = 0.99
"""The share of rows that walks with the rows' own vectors must reach. If it is less, the rows are added in another
order."""

AGAIN = ".again"
"""Suffix of the file of a second try at an index. It replaces the first file, or is removed."""

Rows = NDArray[np.float32]
Positions = NDArray[np.int64]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIndex:
    """The result of a build: the stored form, the encoding, and the measured recall at 10.

    `form_recall`: the recall of a search that loses only what the stored form hides; measured where recall is poor.
    """

    datatype: Datatype
    scale: float = 1.0
    centre: str = ""
    recall: float = 1.0
    form_recall: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "datatype": self.datatype.value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "BuiltIndex":
        return cls(**{**values, "datatype": Datatype(values["datatype"])})


def build_graph(
    space: DenseSpace,
    vectors: Rows,
    positions: Positions,
    path: Path,
    progress: Progress = lambda done: None,
    fits: Callable[[Datatype], bool] = lambda datatype: True,
) -> BuiltIndex:
    """Builds the graph of `vectors[positions]` in `path`, not synced.

    `fits`: whether there is enough memory for a finer stored form.
    """
    exam = make_exam(space.distance, vectors, positions)
    chosen, *finer = forms_of(space)
    forms = [chosen, *filter(fits, finer)]
    for number, datatype in enumerate(forms):
        tried = replace(space, datatype=datatype)
        finest, form_recall = number == len(forms) - 1, 1.0
        if not finest:
            encoding = choose_encoding(space.distance, datatype, vectors, positions)
            form_recall = recall_of_form(exam, datatype, encoding, vectors, positions)
            if form_recall < FORM_RECALL:
                continue
        built = _built(tried, exam, vectors, positions, path, progress)
        if built.recall >= GOOD_RECALL:
            return built
        if finest:
            encoding = choose_encoding(space.distance, datatype, vectors, positions)
            form_recall = recall_of_form(exam, datatype, encoding, vectors, positions)
        if finest or form_recall >= GOOD_FORM:
            return replace(built, form_recall=form_recall)
    raise AssertionError("the finest form is always built")


def judge_lists(space: DenseSpace, vectors: Rows, positions: Positions, path: Path) -> BuiltIndex:
    """Measures the lists of `vectors[positions]` in `path`."""
    lists = Lists(space, path)
    exam = make_exam(space.distance, vectors, positions)
    wanted = rescored(space.distance, lists.datatype, exam.limit, None)
    nprobe = lists.nprobe(space.ivf.nprobe)

    def recall(reading: tuple[int, ...]) -> float:
        found = [lists.search(query, reading, wanted, None)[0] for query in exam.queries]
        return recall_of(exam, vectors, found)

    built = BuiltIndex(datatype=lists.datatype, recall=recall(nprobe))
    if built.recall >= GOOD_RECALL:
        return built
    return replace(built, form_recall=recall(lists.partition.lists))


def _built(
    space: DenseSpace, exam: Exam, vectors: Rows, positions: Positions, path: Path, progress: Progress
) -> BuiltIndex:
    """Builds a graph in the stored form of `space` and measures it. Builds it again in another order when walks miss
    rows."""
    path.unlink(missing_ok=True)  # a graph in another form, which may still be mapped
    encoding = build(space, vectors, positions, path, progress)
    built, reached = _judged(space, exam, encoding, vectors, path)
    if built.recall >= GOOD_RECALL or reached >= MIN_REACHED:
        return built
    other = path.with_name(path.name + AGAIN)
    try:
        again, _ = _judged(space, exam, build(space, vectors, positions, other, progress, attempt=1), vectors, other)
        if again.recall <= built.recall:
            return built
        os.replace(other, path)
    finally:
        other.unlink(missing_ok=True)
    return again


def _judged(space: DenseSpace, exam: Exam, encoding: Encoding, vectors: Rows, path: Path) -> tuple[BuiltIndex, float]:
    """Measures a graph: its result, and the share of its rows that walks reach, with the settings that searches use."""
    graph = Graph(space, path, encoding)
    wanted = rescored(space.distance, space.datatype, exam.limit, None)
    width = max(space.hnsw.ef, exam.limit)
    if is_coarse(space.distance, space.datatype):
        width = max(width, wanted)
    wanted = rescored(space.distance, space.datatype, exam.limit, None, width=width)
    found = []
    for query in exam.queries:
        keys, counts, _ = graph.search(query[None], width)
        found.append(keys[0, : min(counts[0], wanted)].astype(np.int64))
    built = BuiltIndex(
        datatype=space.datatype,
        scale=encoding.scale,
        centre=encoding.centre_text(),
        recall=recall_of(exam, vectors, found),
    )
    return built, share_reached(exam, vectors, found)
