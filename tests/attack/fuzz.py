"""The run: sends many cases to a real server, round by round, and gathers every fault. Makes no case and judges none.

Between rounds the world is made again. A round may end with SIGKILL in the middle of its calls.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from headwater import Client
from storage.check import check
from tests.attack import world
from tests.attack.calls import UNLIMITED, Outcome, make_call
from tests.attack.cases import API_KEY, Case, make_case
from tests.attack.rpcs import Rpc, find_rpcs
from tests.attack.verdicts import fault_of
from tests.attack.victim import TRACEBACK, Victim, victim
from tests.attack.words import Learned
from tests.support.embedding_server import embedding_server
from tests.support.root import ROOT

ROUND = 400
MOST_MEMORY = 512 * 2**20
"""Bytes of anonymous memory that the server may hold."""
MOST_FAULTS = 5


@dataclass(frozen=True)
class Fault:
    """What went wrong, and the case that met it, if one did."""

    text: str
    case: Case | None = None


@dataclass
class Report:
    """What a run did and found."""

    faults: list[Fault] = field(default_factory=list)
    requests: int = 0
    succeeded: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    peak: int = 0

    def count(self, case: Case, outcome: Outcome) -> None:
        self.requests += 1
        if outcome.code is grpc.StatusCode.OK:
            self.succeeded[case.rpc.name] += 1
        else:
            self.reasons[outcome.reason or f"{outcome.code.name} of gRPC"] += 1


class Fuzz:
    """A run over the folder `folder`. `lanes` calls are under way at a time."""

    def __init__(self, folder: Path, seed: int, *, lanes: int = 8, kill_every: int = 0) -> None:
        self.folder, self.seed, self.lanes, self.kill_every = folder, seed, lanes, kill_every
        self.report = Report()
        self.rpcs: Sequence[Rpc] = ()
        self._data = folder / "data"
        self._secrets = (str(folder), str(ROOT))
        self._learned = Learned()

    def run(self, numbers: Sequence[int], tell: Callable[[Report], None] = lambda report: None) -> Report:
        """Sends the cases of these numbers, unless faults end it early."""
        rounds = [numbers[start : start + ROUND] for start in range(0, len(numbers), ROUND)]
        with embedding_server() as embedder:
            options = ("--embedders", str(embedder.settings(self.folder, retries=0)))
            while rounds and len(self.report.faults) < MOST_FAULTS:
                with self.attacked(options) as (server, client, channels):
                    rounds = self._rounds(server, client, channels, rounds, tell)
                    self._end(server, is_last=not rounds)
        return self.report

    @contextmanager
    def attacked(self, options: Sequence[str]) -> Iterator[tuple[Victim, Client, list[grpc.Channel]]]:
        """A server with the world in it, and connections to it."""
        with ExitStack() as stack:
            server = stack.enter_context(victim(self._data, options))
            client = stack.enter_context(Client(server.address, api_key=API_KEY, timeout=world.SECONDS))
            channels = [
                stack.enter_context(grpc.insecure_channel(server.address, UNLIMITED)) for _ in range(self.lanes)
            ]
            self.rpcs = find_rpcs(channels[0], [("api-key", API_KEY)])
            make = world.remake if self._learned.snapshots else None
            self._learned = make(client, self.folder, self._learned) if make else world.create(client, self.folder)
            yield server, client, channels

    def send(self, case: Case, channel: grpc.Channel) -> str | None:
        """What is wrong with the answer to a case."""
        outcome = make_call(case, channel)
        self.report.count(case, outcome)
        return fault_of(case, outcome, self._secrets)

    def case(self, number: int) -> Case:
        return make_case(self.seed, number, self.rpcs, self._learned)

    def _rounds(
        self,
        server: Victim,
        client: Client,
        channels: list[grpc.Channel],
        rounds: list[Sequence[int]],
        tell: Callable[[Report], None],
    ) -> list[Sequence[int]]:
        """Runs rounds until a kill is due or a fault is met; returns those that are left."""
        for done, numbers in enumerate(rounds, 1):
            is_doomed = bool(self.kill_every) and done % self.kill_every == 0
            found = self._round(server, channels, numbers, is_doomed=is_doomed)
            self.report.peak = max(self.report.peak, server.peak)
            if not is_doomed:
                found += self._look(server)
            self.report.faults += found
            tell(self.report)
            if is_doomed or not server.is_alive or len(self.report.faults) >= MOST_FAULTS:
                return rounds[done:]
            self._learned = world.remake(client, self.folder, self._learned)
        return []

    def _round(
        self, server: Victim, channels: list[grpc.Channel], numbers: Sequence[int], *, is_doomed: bool
    ) -> list[Fault]:
        cases = [self.case(number) for number in numbers]
        kill_at = random.Random(f"{self.seed}:kill:{numbers[0]}").choice(numbers) if is_doomed else None

        def send(place: int) -> list[Fault]:
            case = cases[place]
            if case.number == kill_at:
                self.report.kills += 1
                server.kill()
            if not server.is_alive:
                return []
            text = self.send(case, channels[place % len(channels)])
            return [] if text is None or not server.is_alive else [Fault(text, case)]

        with ThreadPoolExecutor(self.lanes) as pool:
            found = [fault for faults in pool.map(send, range(len(cases))) for fault in faults]
        if not server.is_alive and not is_doomed:
            found.append(Fault(f"the server died in the round of {numbers[0]} to {numbers[-1]}"))
        return found

    def _look(self, server: Victim) -> list[Fault]:
        """Faults that no single answer shows."""
        found = []
        log = server.new_log()
        if TRACEBACK in log:
            place = log.index(TRACEBACK)
            found.append(Fault("a traceback in the log:\n" + log[max(0, place - 500) : place + 4_000]))
        if server.peak > MOST_MEMORY:
            found.append(Fault(f"{server.peak / 2**20:,.0f} MiB of anonymous memory"))
            server.peak = 0
        return found

    def _end(self, server: Victim, *, is_last: bool) -> None:
        """Stops the server if it runs, and checks what it left."""
        if server.is_alive:
            code = server.stop()
            if code != 0:
                text = "did not stop on SIGTERM" if code is None else f"exited with {code}"
                self.report.faults.append(Fault(f"the server {text}"))
            self.report.faults += self._look(server)
        if is_last and not server.is_alive:
            problems = check(self._data).problems
            self.report.faults += [Fault(f"storage.check: {problem}") for problem in problems]
