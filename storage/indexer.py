"""Background work: builds graphs for sealed blocks, one at a time, in processes of low priority.

Neither reads nor writes wait for a build: readers scan the block meanwhile, and the finished graph is published by a
commit of its own. A build that dies is started again, a few times.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.collection import Collection
from storage.core import file_checksum
from storage.errors import EngineError
from storage.files import publish
from storage.index import Graph
from storage.schema import CollectionSchema
from storage.space import IndexFile, SpaceView

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0  # between attempts


class Indexer:
    """A thread that looks for blocks without a graph whenever a commit was made."""

    def __init__(self, collections: Callable[[], list[Collection]]) -> None:
        self._collections = collections
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and the build that runs; the block is built when it is opened again."""
        self._stopping = True
        self._wake.set()
        process = self._process
        if process is not None:
            process.kill()
        if self._thread.is_alive():
            self._thread.join()

    def notify(self, collection: Collection) -> None:
        """Called after each commit."""
        if collection.unindexed_blocks():
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            while not self._stopping and self._build_next():
                pass

    def _build_next(self) -> bool:
        """Builds one graph; False when none is due."""
        for collection in self._collections():
            for _, space, block_uid in collection.unindexed_blocks():
                assert space.schema.uid is not None
                attempts = collection.build_attempts
                if attempts[space.schema.uid, block_uid] >= MAX_ATTEMPTS:
                    continue
                attempts[space.schema.uid, block_uid] += 1
                collection.building.add(space.schema.uid)
                try:
                    self._build(collection, space, block_uid)
                except (EngineError, OSError, RuntimeError) as error:
                    self._failed(collection, space.schema.uid, block_uid, error)
                else:
                    collection.failed.pop(space.schema.uid, None)
                finally:
                    collection.building.discard(space.schema.uid)
                return True
        return False

    def _failed(self, collection: Collection, space_uid: int, block_uid: int, error: Exception) -> None:
        due = any((view.schema.uid, uid) == (space_uid, block_uid) for _, view, uid in collection.unindexed_blocks())
        if self._stopping or collection.closed or not due:
            return  # not the build's fault: what it worked on was closed, dropped or deleted
        log.warning("building the index of block %d of %r failed: %s", block_uid, collection.name, error)
        if collection.build_attempts[space_uid, block_uid] >= MAX_ATTEMPTS:
            collection.failed[space_uid] = str(error)
        self._wake.wait(_PAUSE_SECONDS)

    def _build(self, collection: Collection, space: SpaceView, block_uid: int) -> None:
        block = next(view for view in space.blocks if view.block.uid == block_uid)
        alive = block.alive(collection.seq)
        positions = np.arange(block.count) if alive is None else np.flatnonzero(alive)
        final = block.block.path.with_suffix(".index")
        temporary = final.with_suffix(".index.new")
        log.info("building an index of %d vectors for %r", len(positions), collection.name)
        self._run_process(space, block.block.path, block.count, positions, temporary)
        checksum = file_checksum(temporary)
        publish(temporary, final)
        graph = Graph(space.schema, final)
        if graph.size != len(positions):
            raise RuntimeError(f"the index holds {graph.size:,} of {len(positions):,} vectors")
        assert space.schema.uid is not None
        index = IndexFile(
            name=final.name,
            checksum=checksum,
            rows=len(positions),
            datatype=space.schema.datatype.value,
            m=space.schema.hnsw.m,
            ef_construct=space.schema.hnsw.ef_construct,
        )
        collection.attach_graph(space.schema.uid, block_uid, graph, index)

    def _run_process(
        self, space: SpaceView, vectors: Path, count: int, positions: NDArray[np.int64], out: Path
    ) -> None:
        job = {
            "schema": CollectionSchema(spaces={"": space.schema}).to_json(),
            "vectors": str(vectors),
            "count": count,
            "out": str(out),
            "parent": os.getpid(),
        }
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "storage.build", json.dumps(job)], stdin=subprocess.PIPE, env=environment
        )
        self._process = process
        if self._stopping:
            process.kill()
        try:
            process.communicate(positions.astype("<i8").tobytes())
        finally:
            self._process = None
        if process.returncode != 0:
            raise RuntimeError(f"the build process ended with status {process.returncode}")
