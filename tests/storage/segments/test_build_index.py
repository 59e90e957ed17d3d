"""New graphs are judged against exact answers over the originals, and have a form that tells the rows apart."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.index.hnsw import Graph
from storage.ivf.lists import build_lists
from storage.schema import Datatype, DenseSpace, Distance, HnswConfig, IndexKind, IvfConfig
from storage.segments.build_index import BuiltIndex, build_graph, judge_lists
from storage.segments.judge import make_exam, recall_of
from storage.vectors import distance
from storage.vectors.encoding import Encoding

Rows = NDArray[np.float32]
METRICS = [Distance.COSINE, Distance.DOT, Distance.EUCLID]
COUNT, SIZE = 800, 24


def _rows(count: int = COUNT) -> Rows:
    """Rows around 30 centres, as embeddings are."""
    random = np.random.default_rng(4)
    centres = random.standard_normal((30, SIZE))
    return (centres[random.integers(0, 30, count)] + 0.5 * random.standard_normal((count, SIZE))).astype(np.float32)


def _with_outlier(rows: Rows) -> Rows:
    rows = rows.copy()
    rows[5] *= 1000
    return rows


def _tight(rows: Rows) -> Rows:
    """All in one place but for a hundred thousandth of the way."""
    return (rows[:1] + 1e-5 * (rows - rows[:1])).astype(np.float32)


ODD: dict[str, Callable[[Rows], Rows]] = {
    "tiny": lambda rows: rows * np.float32(1e-20),
    "huge": lambda rows: rows * np.float32(1e17),
    "offset": lambda rows: rows + np.float32(100),
    "outlier": _with_outlier,
    "tight": _tight,
    "duplicates": lambda rows: np.repeat(rows[: COUNT // 4], 4, axis=0),
}


def _build(space: DenseSpace, rows: Rows, folder: Path) -> BuiltIndex:
    return build_graph(space, rows, np.arange(len(rows)), folder / "graph")


@pytest.mark.slow
@pytest.mark.parametrize("datatype", [Datatype.BFLOAT16, Datatype.FLOAT16, Datatype.INT8])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ODD)
def test_odd_rows_are_found_in_any_form(kind: str, metric: Distance, datatype: Datatype, tmp_path: Path) -> None:
    """By the measure of the build, and by that of this test: queries beside rows, against the exact best."""
    rows = np.ascontiguousarray(ODD[kind](_rows()), np.float32)
    space = DenseSpace(size=SIZE, distance=metric, datatype=datatype)
    built = _build(space, rows, tmp_path)
    assert built.datatype is datatype
    assert built.recall >= 0.9
    graph = Graph(space, tmp_path / "graph", Encoding.of(built.scale, built.centre))
    random = np.random.default_rng(5)
    shares = []
    for _ in range(40):
        one, other = rows[random.integers(0, COUNT, 2)].astype(np.float64)
        query = (one + random.uniform(0, 0.3) * (other - one)).astype(np.float32)
        keys, _, _ = graph.search(query[None], 128)
        exact = distance.score_rows(metric, query, rows) * (1 if metric.higher_is_better else -1)
        shares.append(np.mean(np.sort(exact[keys[0, :40].astype(np.int64)])[-10:] >= np.sort(exact)[-10]))
    assert np.mean(shares) >= 0.9


def test_what_was_not_chosen_becomes_finer(tmp_path: Path) -> None:
    """Clusters a million times smaller than their distances: int8 and float16 make one point of each."""
    random = np.random.default_rng(6)
    centres = random.standard_normal((4, SIZE)) * 100
    rows = (centres[random.integers(0, 4, COUNT)] + 1e-2 * random.standard_normal((COUNT, SIZE))).astype(np.float32)
    space = DenseSpace(size=SIZE, distance=Distance.EUCLID, datatype=Datatype.INT8, datatype_chosen=False)
    built = _build(space, rows, tmp_path)
    assert built.datatype is Datatype.FLOAT32
    assert built.recall >= 0.95
    chosen = _build(DenseSpace(size=SIZE, distance=Distance.EUCLID, datatype=Datatype.INT8), rows, tmp_path)
    assert chosen.datatype is Datatype.INT8
    assert chosen.recall < 0.95


def test_what_does_well_stays(tmp_path: Path) -> None:
    for datatype in (Datatype.INT8, Datatype.BFLOAT16):
        space = DenseSpace(size=SIZE, distance=Distance.COSINE, datatype=datatype, datatype_chosen=False)
        assert _build(space, _rows(), tmp_path).datatype is datatype


def test_no_form_is_blamed_for_a_narrow_walk(tmp_path: Path) -> None:
    """Links and widths are too few here in any form, so nothing is gained by a finer one."""
    poor = HnswConfig(m=2, ef_construct=4, ef=1)
    rows = np.random.default_rng(7).standard_normal((COUNT, SIZE)).astype(np.float32)
    space = DenseSpace(size=SIZE, distance=Distance.EUCLID, hnsw=poor, datatype_chosen=False)
    built = _build(space, rows, tmp_path)
    assert built.datatype is Datatype.BFLOAT16
    assert built.recall < 0.95
    assert [path.name for path in tmp_path.iterdir()] == ["graph"]


@pytest.mark.parametrize("metric", list(Distance))
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_an_exam_knows_the_exact_answers(metric: Distance, scale: float) -> None:
    rows = (_rows(300) > 0).astype(np.float32) if metric.is_binary else _rows(300) * np.float32(scale)
    exam = make_exam(metric, rows, np.arange(0, 300, 2))
    assert (exam.own % 2 == 0).all()
    for query, last in zip(exam.queries[::17], exam.last[::17], strict=True):
        exact = np.sort(distance.score_rows(metric, query, rows[::2]))
        assert last == (exact[-10] if metric.higher_is_better else exact[9])
    every = [np.arange(0, 300, 2)] * len(exam.queries)
    assert recall_of(exam, rows, every) == 1.0
    assert recall_of(exam, rows, [found[:0] for found in every]) == 0.0


@pytest.mark.parametrize("count", [0, 1, 9])
def test_few_rows_have_an_exam_too(count: int, tmp_path: Path) -> None:
    for metric in Distance:
        datatype = Datatype.BINARY if metric.is_binary else Datatype.INT8
        if metric is not Distance.MANHATTAN:
            space = DenseSpace(size=SIZE, distance=metric, datatype=datatype)
            assert _build(space, (_rows(count) > 0).astype(np.float32), tmp_path).recall == 1.0


@pytest.mark.parametrize("datatype", list(Datatype))
def test_wider_walks_find_more(datatype: Datatype, tmp_path: Path) -> None:
    rows = np.random.default_rng(8).standard_normal((1500, 32)).astype(np.float32)
    hnsw = HnswConfig(m=4, ef_construct=16)
    space = DenseSpace(size=32, distance=Distance.COSINE, datatype=datatype, hnsw=hnsw)
    built = build_graph(space, rows, np.arange(1500), tmp_path / "graph")
    graph = Graph(space, tmp_path / "graph", Encoding.of(built.scale, built.centre))
    exam = make_exam(space.distance, rows, np.arange(1500))
    recalls = []
    for width in (10, 60, 400):
        keys, _, _ = graph.search(exam.queries, width)
        recalls.append(recall_of(exam, rows, list(keys.astype(np.int64))))
    assert recalls[0] < recalls[1] < recalls[2]
    assert recalls[2] >= 0.9


def test_lists_are_judged_at_their_default_number_of_probes(tmp_path: Path) -> None:
    rows = np.random.default_rng(9).standard_normal((2000, SIZE)).astype(np.float32)
    recalls = []
    for nprobe in ((1,), (), (64,)):
        ivf = IvfConfig(lists=(64,), nprobe=nprobe)
        space = DenseSpace(size=SIZE, datatype=Datatype.INT8, index=IndexKind.IVF, ivf=ivf)
        build_lists(space, rows, np.arange(2000), tmp_path / "lists")
        recalls.append(judge_lists(space, rows, np.arange(2000), tmp_path / "lists").recall)
    assert recalls[0] < 0.7
    assert recalls[0] < recalls[1] <= recalls[2]
    assert recalls[2] >= 0.99
