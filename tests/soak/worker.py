"""A thread that uses the server for as long as the soak lasts, rests when asked to, and outlives restarts."""

import random
import threading
from collections import Counter
from collections.abc import Callable

from headwater import Client
from headwater.errors import HeadwaterError, UnavailableError
from tests.soak.living_server import LivingServer

TIMEOUT = 300.0


class Pause:
    """Lets all workers rest at once."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.over = threading.Event()
        self.over.set()
        self.stopping = False

    def begin(self) -> None:
        self.over.clear()
        self.wanted.set()

    def end(self) -> None:
        self.wanted.clear()
        self.over.set()


class Worker:
    """Repeats `step`. After each restart of the server, and at the end, `compare` looks at what is there."""

    def __init__(self, name: str, seed: int, server: LivingServer, pause: Pause) -> None:
        self.name = name
        self.random = random.Random(f"{seed} {name}")
        self.did: Counter[str] = Counter()
        self.compared = 0
        self.failure: BaseException | None = None
        self.resting = threading.Event()
        self._server = server
        self._pause = pause
        self._client: Client | None = None
        self._address = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), f"{self.name} hangs"

    def step(self) -> None:
        raise NotImplementedError

    def compare(self) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        try:
            while not self._pause.stopping:
                if self._pause.wanted.is_set():
                    self._rest()
                elif self._server.up.wait(0.2):
                    self._guarded(self.step)
        except BaseException as error:
            self.failure = error
        finally:
            self.resting.set()
            if self._client is not None:
                self._client.close()

    def _rest(self) -> None:
        self._guarded(self.compare)
        self.resting.set()
        while not self._pause.over.wait(0.2) and not self._pause.stopping:
            pass
        self.resting.clear()

    def _guarded(self, action: Callable[[], None]) -> None:
        """Runs `action` on the server of the time. One that goes away in between is met by the next comparison."""
        try:
            if self._address != self._server.address:
                if self._client is not None:
                    self._client.close()
                self._address = self._server.address
                self._client = Client(self._address, retries=0, timeout=TIMEOUT)
                self.compare()
            action()
        except UnavailableError:
            self._address = ""
        except HeadwaterError as error:
            if self._server.up.is_set() and self._address == self._server.address:
                raise AssertionError(f"{self.name}: {type(error).__name__}: {error}") from error
