"""Building the index of a segment as well as it can be: in a form that tells its rows apart, judged before it serves.

A stored form that nobody chose gives way to a finer one until searches find what they should. What was chosen stays,
and so does what even float32 does not reach: such an index serves, and says how much it finds.
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
"""Share of rows that walks must reach by their own vectors: another order of adding them may be luckier."""

AGAIN = ".again"
"""Behind the name of an index's file: a second one, which takes its place or goes."""

Rows = NDArray[np.float32]
Positions = NDArray[np.int64]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIndex:
    """What a build says of its index: the stored form, the encoding, and the recall at 10 that was measured.

    `form_recall`: of a search that misses nothing but what the stored form hides; measured where recall is poor.
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
    """Builds the graph of `vectors[positions]` in `path`, not synced. `fits`: whether there is memory for a finer
    form."""
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
    raise AssertionError("the finest form is built whatever it finds")


def judge_lists(space: DenseSpace, vectors: Rows, positions: Positions, path: Path) -> BuiltIndex:
    """What is to be said of the lists of `vectors[positions]` that were written to `path`."""
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
    """Builds and judges a graph in the form of `space`; once more, in another order, when walks miss rows."""
    path.unlink(missing_ok=True)  # a graph in another form, which may be mapped still
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
    """What is to be said of a graph, and what share of its rows it reaches, at the settings that searches have."""
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
