"""The walk in ARCHITECTURE.md: one query and one write, room by room, with the values that the code passes on.

The output blocks of the document are recorded by `make goldens`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from planner.bind.bound import BoundMerge, BoundStage
from planner.engine import Engine
from planner.execute.demand import demands_of
from planner.execute.executor import run
from planner.execute.local_source import LocalSource
from planner.explain.explanation import explain
from planner.optimize.optimizer import optimize
from planner.plan.builder import build
from planner.query.filter import Filter, Range
from planner.query.filter_text import describe_filter
from planner.query.query import FilterScope, Nearest, Query, QueryVector, Rrf, Stage
from planner.rank.ranking import Ranking
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.maintenance.build_job import BuildJob
from storage.maintenance.job_process import JobProcess, Report
from storage.maintenance.task_process import TaskRun, run_task
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace
from storage.segments.build_index import BuiltIndex
from storage.segments.policy import due
from storage.write.operations import SpaceVectors, Upsert
from tests.conftest import Golden
from tests.support.no_indexes import no_indexes
from tests.support.root import ROOT
from tests.support.worlds import CODEC

DOCUMENT = ROOT / "ARCHITECTURE.md"
ROWS_OF_A_BLOCK = 8
BLOCK = re.compile(r"(<!-- output: (\w+) -->\n```text\n).*?(```\n)", re.DOTALL)


def near(*values: float) -> Nearest:
    return Nearest(QueryVector(np.array(values, np.float32)))


QUERY = Query(
    root=Stage(
        query=near(0, 0, 1),
        using="image",
        limit=2,
        prefetch=(
            Stage(
                query=Rrf(k=60),
                limit=4,
                filter=Filter(must=(Range(path="price", lt=100),)),
                filter_scope=FilterScope.PUSH_DOWN,
                prefetch=(
                    Stage(query=near(1, 0.2), using="text", limit=3),
                    Stage(query=near(3, 0, 0), using="image", limit=3),
                ),
            ),
        ),
    )
)


@pytest.mark.golden
def test_the_document_shows_what_is_passed_on(database: Database, shop: Collection, golden: Golden) -> None:
    outputs = dict(query_outputs(database, shop)) | dict(write_outputs(shop)) | dict(build_outputs(database))
    text = DOCUMENT.read_text(encoding="utf-8")
    assert {match[2] for match in BLOCK.finditer(text)} == outputs.keys()
    golden(DOCUMENT, BLOCK.sub(lambda match: f"{match[1]}{outputs[match[2]]}\n{match[3]}", text))


def query_outputs(database: Database, shop: Collection) -> Iterator[tuple[str, str]]:
    source_text = Path(__file__).read_text(encoding="utf-8")
    yield "query", re.findall(r"^QUERY = (Query\(\n.*?\n\))$", source_text, re.DOTALL | re.MULTILINE)[0]
    engine = Engine(database.collection)
    with shop.snapshot() as reader:
        [bound] = engine.queries.bind(shop, reader, [QUERY])
        yield "bound", "\n".join(stage_lines(bound.root, "root"))
        source = LocalSource(reader, no_indexes(), UNLIMITED)
        plan = build(bound)
        yield "plan", explain(plan, source, knows_filters=False).text
        changed: list[str] = []
        best = optimize(plan, lambda rule, root: changed.append(rule))
        yield "rules", f"changed by: {', '.join(changed)}\n\n{explain(best, source, knows_filters=False).text}"
        demands = list(demands_of(best.root))
        answers = source.answer(demands, {})
        yield (
            "answers",
            "\n".join(
                f"{demand.leaf.stage}: {ranking_text(reader, answers[demand].ranking)}"
                f" by {answers[demand].strategy}, {answers[demand].distance_computations} scored"
                for demand in demands
            ),
        )
        [outcome] = run([best], source)
        yield "outcome", ranking_text(reader, outcome.ranking)
    [answer] = engine.queries.query(shop, [QUERY])
    yield (
        "hits",
        "\n".join(f"{hit.id!r}, score {hit.score:.4f}, written by commit {hit.version}" for hit in answer.hits),
    )


def stage_lines(stage: BoundStage, path: str) -> Iterator[str]:
    ranked = stage.ranked
    rank = type(ranked.rank).__name__
    spaces = "".join(f" in {space!r}" for space in getattr(ranked.rank, "spaces", ()))
    kept = "" if stage.filter is None else f", filter {describe_filter(stage.filter)}"
    yield f"{path}: {type(ranked).__name__} by {rank}{spaces}, limit {stage.limit}{kept}"
    if isinstance(ranked, BoundMerge):
        for number, child in enumerate(ranked.prefetch):
            yield from stage_lines(child, f"{path}.prefetch[{number}]")


def ranking_text(reader: Snapshot, ranking: Ranking) -> str:
    scored = zip(ranking.slots, ranking.scores.tolist(), reader.point_ids(ranking.slots), strict=True)
    return ", ".join(f"slot {slot} ({point_id!r}) {score:.4f}" for slot, score, point_id in scored)


def write_outputs(shop: Collection) -> Iterator[tuple[str, str]]:
    matrix = np.array([[1, 0.25]], np.float32)
    upsert = Upsert(
        ids=(7,),
        payloads=(CODEC.encode({"kind": "lamp", "price": 20}),),
        vectors={"text": SpaceVectors(np.array([0]), matrix)},
    )
    vectors = upsert.vectors["text"]
    yield (
        "operation",
        f"ids {upsert.ids}, payloads of {[len(payload) for payload in upsert.payloads]} bytes, vectors of 'text': "
        f"row {vectors.matrix[0].tolist()} for point {vectors.positions[0]} of the write",
    )
    before = tables_of(shop)
    result = shop.write([upsert]).result(timeout=30)
    yield "changed", "\n".join(f"{name}: {before[name]} -> {after}" for name, after in tables_of(shop).items())
    yield "result", f"seq {result.seq}, {result.affected[0]} point written"


def tables_of(shop: Collection) -> dict[str, object]:
    with shop.snapshot() as reader:
        view = reader.spaces["text"]
        return {
            "seq": reader.seq,
            "points": reader.point_count,
            "slot of point 7 (-1: there is none)": int(reader.slots_of([7])[0]),
            **entries_of(reader),
            "rows of the space 'text'": view.row_count,
            "rows of its open block": view.blocks[-1].count,
            "vectors of the space 'text'": view.vector_count,
        }


def entries_of(reader: Snapshot) -> dict[str, object]:
    """How many entries the LMDB tables have that hold points and the vectors of the space `text`."""
    space = reader.spaces["text"].schema.uid
    tables = {"ids": reader._tables.ids, "points": reader._tables.points, f"rows:{space}": reader._tables.rows[space]}
    return {f"entries of the table {name}": reader._txn.stat(table)["entries"] for name, table in tables.items()}


class ShownProcess(JobProcess):
    """Runs jobs, and keeps the last one to be shown."""

    job: BuildJob

    def run(self, job: BuildJob, rows: bytes, report: Report) -> BuiltIndex | None:
        self.job = job
        return super().run(job, rows, report)


def build_outputs(database: Database) -> Iterator[tuple[str, str]]:
    """What happens when a block is full. Background work does not start by itself here, so these are all steps."""
    spaces = {"text": DenseSpace(size=2)}
    schema = CollectionSchema(spaces=spaces, indexing_threshold=ROWS_OF_A_BLOCK, auto_index=False)
    collection = database.create_collection("lamps", schema)
    ids = tuple(range(1, ROWS_OF_A_BLOCK + 1))
    matrix = np.array([[1, number] for number in ids], np.float32)
    payloads = (CODEC.encode({"kind": "lamp"}),) * len(ids)
    vectors = {"text": SpaceVectors(np.arange(len(ids)), matrix)}
    collection.write([Upsert(ids=ids, payloads=payloads, vectors=vectors)]).result(timeout=30)
    [work] = due(collection.spaces()["text"], schema.indexing_threshold)
    process, phases = ShownProcess(), list[str]()
    before = blocks_text(collection)
    run_task(
        TaskRun(collection=collection, work=work, process=process, report=lambda it: phases.append(it.phase.value))
    )
    job = process.job
    assert job.index is not None
    yield "due", repr(work)
    yield (
        "job",
        "\n".join(
            [
                f"read {job.sources[0].count} rows of {job.sources[0].path.name}",
                f"write the index {job.index.name}",
                f"distance {job.space.distance.value}, stored as {job.space.datatype.value}, m {job.space.hnsw.m}",
                f"phases: {', '.join(dict.fromkeys(phases))}",
            ]
        ),
    )
    yield "published", f"before: {before}\nafter:  {blocks_text(collection)}"


def blocks_text(collection: Collection) -> str:
    with collection.snapshot() as reader:
        blocks = [
            f"block {entry.uid}: {'open' if entry.end_row is None else 'sealed'}, "
            + ("no index" if entry.index is None else f"{entry.index.kind} of {entry.index.rows} rows")
            for entry in reader.spaces["text"].manifest.blocks
        ]
        return f"seq {reader.seq}, generation {reader.generation}; {'; '.join(blocks)}"
