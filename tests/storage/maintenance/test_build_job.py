"""What is said between the server and the process that builds an index: each message arrives as it was sent."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.maintenance.build_job import (
    BuildJob,
    Built,
    Damaged,
    DiskFull,
    Progress,
    Reply,
    Source,
    SourceRows,
    StoredPartition,
    reply_from_json,
    reply_to_json,
    rows_from_bytes,
    rows_to_bytes,
)
from storage.phases import Phase
from storage.schema import Datatype, DenseSpace, Distance, IndexKind
from storage.segments.build_index import BuiltIndex

TEXTS = st.text(min_size=1).filter(lambda text: "\0" not in text)
PATHS = st.sampled_from([Path("/a/b.vectors"), Path("/a b/ü/東京"), Path("/\udcff")]) | TEXTS.map(
    lambda t: Path("/x", t)
)
COUNTS = st.integers(0, 2**40)

JOBS = st.builds(
    BuildJob,
    space=st.builds(
        DenseSpace,
        size=st.integers(1, 4096),
        distance=st.sampled_from(Distance),
        index=st.sampled_from(IndexKind),
        datatype=st.sampled_from([Datatype.FLOAT32, Datatype.BFLOAT16, Datatype.INT8]),
    ),
    sources=st.lists(st.builds(Source, path=PATHS, count=COUNTS), min_size=1, max_size=3).map(tuple),
    block=st.none() | PATHS,
    index=st.none() | PATHS,
    partition=st.none() | st.builds(StoredPartition, path=PATHS, checksum=st.integers(0, 2**32 - 1)),
    max_memory=st.none() | COUNTS,
    parent=st.integers(1, 2**22),
)
INDEXES = st.builds(
    BuiltIndex,
    datatype=st.sampled_from(Datatype),
    scale=st.floats(0.001, 1e6),
    centre=st.text(max_size=5),
    recall=st.floats(0, 1),
    form_recall=st.none() | st.floats(0, 1),
)
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    st.builds(Progress, st.sampled_from(Phase), st.none() | COUNTS, st.none() | COUNTS),
    st.builds(Built, INDEXES),
    st.builds(Damaged, st.text(), COUNTS),
    st.builds(DiskFull, st.text()),
)


@given(JOBS)
def test_a_job_arrives(job: BuildJob) -> None:
    assert BuildJob.from_json(job.to_json()) == job


@given(REPLIES)
def test_a_reply_arrives(reply: Reply) -> None:
    line = reply_to_json(reply)
    assert "\n" not in line
    assert reply_from_json(line) == reply


@pytest.mark.parametrize("line", ["", "warning: a library speaks", "[]", "{}", '{"kind": "progress"}', "3"])
def test_a_line_that_is_no_reply_is_none(line: str) -> None:
    assert reply_from_json(line) is None


def test_rows_arrive() -> None:
    whole = SourceRows(positions=np.array([0, 5], np.int64))
    written = SourceRows(
        positions=np.array([1], np.int64), numbers=np.array([9], np.int64), checksums=np.array([-1], np.int64)
    )
    first, second = rows_from_bytes(rows_to_bytes([whole, written]), 2)
    assert (first.positions.tolist(), first.numbers, first.checksums) == ([0, 5], None, None)
    assert second.numbers is not None
    assert second.checksums is not None
    assert (second.positions.tolist(), second.numbers.tolist(), second.checksums.tolist()) == ([1], [9], [-1])
