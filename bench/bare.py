"""A bare gRPC server around one usearch index: `python -m bench.bare INDEX DIMENSIONS EF`. What a service cannot beat.

A request is queries as float32 bytes, one after the other; the reply is their ids and distances. It converts nothing,
checks nothing and stores nothing.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from tests.support.root import ROOT
from tests.support.server_process import environment

SEARCH = "/bare/Search"
K = 10
THREADS = 8


class _Search(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """One query is searched by the thread of its call; many by all that usearch has."""

    def __init__(self, index: Index, dimensions: int, ef: int) -> None:
        self._index, self._dimensions, self._ef = index, dimensions, ef

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        return grpc.unary_unary_rpc_method_handler(self._search) if details.method == SEARCH else None

    def _search(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        queries = np.frombuffer(request, np.float32).reshape(-1, self._dimensions)
        if len(queries) == 1:
            found = self._index.search(queries[0], self._ef, threads=1)
        else:
            found = self._index.search(queries, self._ef)
        keys, distances = found.keys[..., :K], found.distances[..., :K]
        return bytes(np.ascontiguousarray(keys).tobytes() + np.ascontiguousarray(distances).tobytes())


@dataclass(frozen=True, slots=True)
class Bare:
    """A running one: its process and its call."""

    pid: int
    address: str

    @contextmanager
    def call(self) -> Iterator["grpc.UnaryUnaryMultiCallable[bytes, bytes]"]:
        """The call over a connection of its own."""
        with grpc.insecure_channel(self.address, [("grpc.max_receive_message_length", -1)]) as channel:
            yield channel.unary_unary(SEARCH, None, None)


@contextmanager
def bare_server(index: Index, folder: Path, ef: int) -> Iterator[Bare]:
    """Serves a copy of `index` by a process of its own."""
    file = folder / "bare.usearch"
    index.save(str(file))
    command = [sys.executable, "-m", "bench.bare", str(file), str(index.ndim), str(ef)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Bare(process.pid, process.stdout.readline().strip())
        finally:
            process.terminate()


def encoded(queries: NDArray[np.float32]) -> bytes:
    """A request."""
    return queries.astype(np.float32).tobytes()


def main() -> None:
    file, dimensions, ef = sys.argv[1:]
    index = Index(ndim=int(dimensions), metric="cos", dtype="bf16", path=Path(file))
    server = grpc.server(ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers((_Search(index, int(dimensions), int(ef)),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    print(f"localhost:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
