"""The soak: first the server is killed and stopped while everything is used, then one process has to stay as it is."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from headwater import Client, Distance, VectorParams
from tests.soak.living_server import LivingServer, Measure
from tests.soak.readers import Reader
from tests.soak.structure import Structure
from tests.soak.worker import TIMEOUT, Pause, Worker
from tests.soak.writers import COLLECTION, SIZES, Writer
from tests.support.root import ROOT
from tests.support.server_process import environment

WRITERS, READERS = 3, 2
KILLED_SHARE = 0.4
"""Share of the time in which the server does not live long."""
GROWTH = 0.1
SLACK = Measure(memory=24 * 2**20, descriptors=16, threads=8, disk=8 * 2**20)
"""What may come on top of GROWTH: allocators and thread pools take a little more as load varies."""

WORK_SECONDS = 1_200.0
"""How long background work may take on a busy machine, where its processes come last."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done and compared; `faults` is empty when all was well."""

    did: Counter[str]
    compared: int
    kills: int
    stops: int
    before: Measure
    after: Measure
    faults: list[str]


class Soak:
    """One run in `folder`, of `seconds`, determined by `seed` as far as threads and machines allow."""

    def __init__(self, folder: Path, seed: int, seconds: float, say: Say) -> None:
        self._seconds = seconds
        self._say = say
        self._server = LivingServer(folder / "data")
        self._pause = Pause()
        rest = (seed, self._server, self._pause)
        self._workers: list[Worker] = [
            *(Writer(number, *rest) for number in range(WRITERS)),
            *(Reader(number, WRITERS, *rest) for number in range(READERS)),
            Structure(*rest),
        ]
        self._random = random.Random(seed)
        self._kills = self._stops = 0
        self._begin = time.monotonic()

    def run(self) -> Outcome:
        self._server.start()
        with Client(self._server.address) as client:
            spaces = {name: VectorParams(size, Distance.Dot) for name, size in SIZES.items()}
            client.collections.create(COLLECTION, spaces, optimizers_config={"indexing_threshold": 200})
        try:
            for worker in self._workers:
                worker.start()
            self._restart_often(self._seconds * KILLED_SHARE)
            steady = self._seconds * (1 - KILLED_SHARE)
            self._live(min(60.0, steady / 3))
            before = self._measure()
            self._live(steady - min(60.0, steady / 3))
            after = self._measure()
        finally:
            self._pause.stopping = True
            self._pause.over.set()
        for worker in self._workers:
            worker.join()
        self._server.stop()
        self._check_store()
        return self._outcome(before, after)

    def _restart_often(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._live(self._random.uniform(1, 8))
            if self._random.random() < 0.6:
                self._server.kill()
                self._kills += 1
            else:
                self._server.stop()
                self._stops += 1
            if self._random.random() < 0.3:
                self._check_store()
            self._server.start()
        self._rest()
        self._go_on()

    def _live(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        said = time.monotonic()
        while time.monotonic() < end:
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))
            self._raise_failures()
            if time.monotonic() - said > 10:
                said = time.monotonic()
                self._say(self._progress())

    def _rest(self) -> None:
        """Lets all workers compare and rest."""
        self._pause.begin()
        for worker in self._workers:
            assert worker.resting.wait(TIMEOUT), f"{worker.name} hangs"
        self._raise_failures()

    def _go_on(self) -> None:
        self._pause.end()

    def _measure(self) -> Measure:
        """What the server takes while nobody uses it and no work is due: the same state each time."""
        self._rest()
        with Client(self._server.address, timeout=WORK_SECONDS) as client:
            client.vde.flush(COLLECTION)
            client.vde.optimize(COLLECTION)
        measure = self._server.measure()
        self._say(f"{self._progress()}; takes {_told(measure)}")
        self._go_on()
        return measure

    def _check_store(self) -> None:
        """Requires: no server runs."""
        command = [sys.executable, "-m", "storage.check", str(self._server.data)]
        checked = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr

    def _raise_failures(self) -> None:
        for worker in self._workers:
            if worker.failure is not None:
                raise worker.failure

    def _progress(self) -> str:
        did = sum((worker.did for worker in self._workers), Counter[str]()).total()
        compared = sum(worker.compared for worker in self._workers)
        seconds = time.monotonic() - self._begin
        return f"{seconds:6.0f} s: {did:,} steps, {compared:,} compared, {self._kills} kills, {self._stops} stops"

    def _outcome(self, before: Measure, after: Measure) -> Outcome:
        self._raise_failures()
        faults = [
            f"{name} grew from {old:,} to {new:,}"
            for name, old, new, slack in _rows(before, after)
            if new > old * (1 + GROWTH) + slack
        ]
        if "Traceback" in self._server.log():
            faults.append(f"a traceback in the log:\n{self._server.log()[-5000:]}")
        return Outcome(
            did=sum((worker.did for worker in self._workers), Counter[str]()),
            compared=sum(worker.compared for worker in self._workers),
            kills=self._kills,
            stops=self._stops,
            before=before,
            after=after,
            faults=faults,
        )

    def end(self) -> None:
        self._server.end()


def _rows(before: Measure, after: Measure) -> list[tuple[str, int, int, int]]:
    return [
        (each.name, getattr(before, each.name), getattr(after, each.name), getattr(SLACK, each.name))
        for each in fields(Measure)
    ]


def _told(measure: Measure) -> str:
    return (
        f"{measure.memory / 2**20:,.0f} MiB of memory, {measure.disk / 2**20:,.0f} MiB of disk, "
        f"{measure.descriptors} descriptors, {measure.threads} threads"
    )


def summary(outcome: Outcome) -> str:
    """What was done and compared, in a few lines."""
    did = ", ".join(f"{name} {count:,}" for name, count in outcome.did.most_common())
    return (
        f"{outcome.did.total():,} steps: {did}\n{outcome.compared:,} things compared with the model over "
        f"{outcome.kills} kills and {outcome.stops} stops\nafter the first minute: {_told(outcome.before)}\n"
        f"at the end:             {_told(outcome.after)}"
    )
