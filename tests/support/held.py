"""Holds the writer of a collection inside a commit, so that the writes of a test wait and then share the next one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from storage.collection import Collection
from storage.tables.reader import Reader
from storage.write.operations import BySlots, DeletePoints


@contextmanager
def held_writer(collection: Collection) -> Iterator[None]:
    """Writes submitted inside are taken up together when it ends. Raises what the write that holds is refused for."""
    entered, release = threading.Event(), threading.Event()

    def wait(reader: Reader) -> NDArray[np.uint32]:
        entered.set()
        assert release.wait(60)
        return np.empty(0, np.uint32)

    holding = collection.write([DeletePoints(selector=BySlots(wait))])
    holding.add_done_callback(lambda done: entered.set())
    assert entered.wait(60)
    if holding.done():  # only a write that is refused ends before it is released
        holding.result()
    try:
        yield
    finally:
        release.set()
        holding.result(timeout=60)
