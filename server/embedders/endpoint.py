"""HTTP POST to one endpoint: reused connections, retries with growing waits, limits of time and size.

It sends and returns bytes; openai.py knows their meaning. It follows no proxies and no redirects.
"""

import contextlib
import email.utils
import http.client
import random
import socket
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future

from server.embedders.settings import OpenAISettings
from server.errors import EmbedderFailed, EmbedderUnavailable
from storage.budget import Budget

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same request may succeed."""
FIRST_WAIT_SECONDS = 0.25
MAX_WAIT_SECONDS = 8.0
MAX_RETRY_AFTER_SECONDS = 60.0
"""If an endpoint asks for a longer wait, the request fails at once."""
MAX_ANSWER_BYTES = 256 * 2**20
POLL_SECONDS = 0.25  # how soon it is noticed that a caller went away
_MAX_SHOWN_CHARACTERS = 200  # characters of an answer that an error shows
_BYTES_PER_READ = 2**16


class Endpoint:
    """Safe for many threads; at most `settings.parallel` requests run at a time."""

    def __init__(self, name: str, settings: OpenAISettings, path: str) -> None:
        """`name` is the embedder's name, for errors.

        `path` is added to the URL of the settings unless the URL ends in it.
        """
        parts = urllib.parse.urlsplit(settings.url)
        base = parts.path.rstrip("/")
        self.name = name
        self.settings = settings
        self._path = (base if base.endswith(path) else base + path) + (f"?{parts.query}" if parts.query else "")
        self._host, self._port, self._tls = parts.hostname or "", parts.port, parts.scheme == "https"
        self._room = threading.BoundedSemaphore(settings.parallel)
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=settings.parallel)

    def post(self, body: bytes, budget: Budget) -> bytes:
        """The body of the answer with status 200.

        Raises EmbedderUnavailable, EmbedderFailed, DeadlineExceeded or Cancelled. The last two come within
        POLL_SECONDS, whatever the endpoint does.
        """
        while not self._room.acquire(timeout=_step(budget)):
            budget.check()
        post = _Post(self, body, self._until(budget))
        # The thread is never joined, since name look-ups and connects cannot be interrupted.
        threading.Thread(target=post.run, name="embedding", daemon=True).start()
        try:
            return post.wait(budget)
        finally:
            post.abandon()

    def close(self) -> None:
        """Ends idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _until(self, budget: Budget) -> float:
        """When to stop trying, in seconds of `time.monotonic()`. There is an end even without a deadline."""
        attempts = self.settings.retries + 1
        end = time.monotonic() + attempts * self.settings.timeout_seconds
        end += self.settings.retries * MAX_RETRY_AFTER_SECONDS
        return end if budget.deadline is None else min(end, budget.deadline)

    def connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        try:
            return self._idle.pop(), True
        except IndexError:
            kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            return kind(self._host, self._port, timeout=self.settings.timeout_seconds), False

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Takes back a connection whose answer was read completely."""
        self._idle.append(connection)

    def leave(self) -> None:
        """Tells that a request ended."""
        self._room.release()

    def send(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        """Sends a request over `connection`. Raises OSError and HTTPException."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.settings.api_key:
            headers["Authorization"] = f"Bearer {self.settings.api_key}"
        connection.request("POST", self._path, body, headers)


class _Post:
    """One request with its retries. Its own thread calls `run`; the caller calls `wait` and `abandon`."""

    def __init__(self, endpoint: Endpoint, body: bytes, until: float) -> None:
        self._endpoint = endpoint
        self._body = body
        self._until = until
        self._answer: Future[bytes] = Future()
        self._given_up = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            answer = self._try_all()
        except BaseException as error:
            self._answer.set_exception(error)
        else:
            self._answer.set_result(answer)
        finally:
            self._endpoint.leave()

    def wait(self, budget: Budget) -> bytes:
        while True:
            try:
                return self._answer.result(timeout=_step(budget))
            except TimeoutError:
                budget.check()
                if time.monotonic() > self._until + POLL_SECONDS:
                    raise EmbedderUnavailable(self._endpoint.name, "the answer did not come in time") from None
            except EmbedderUnavailable:
                budget.check()  # if time ran out, the error is that of the deadline
                raise

    def abandon(self) -> None:
        """Makes the thread end soon."""
        self._given_up.set()
        connection = self._connection
        sock = None if connection is None or self._answer.done() else connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):  # it was closed meanwhile
                sock.shutdown(socket.SHUT_RDWR)

    def _try_all(self) -> bytes:
        endpoint, why = self._endpoint, "no time was left for the request"
        for attempt in range(endpoint.settings.retries + 1):
            after = None
            try:
                status, headers, answer = self._attempt()
            except (OSError, http.client.HTTPException) as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if status == http.HTTPStatus.OK:
                    return answer
                why = f"HTTP status {status}: {answer[:_MAX_SHOWN_CHARACTERS].decode(errors='replace')}"
                if status not in TRANSIENT:
                    raise EmbedderFailed(endpoint.name, f"refuses: {why}", status=status)
                after = retry_after(headers)
            wait = wait_before(attempt) if after is None else after
            too_long = wait > MAX_RETRY_AFTER_SECONDS or time.monotonic() + wait >= self._until
            if attempt == endpoint.settings.retries or too_long or self._given_up.wait(wait):
                break
        raise EmbedderUnavailable(endpoint.name, why)

    def _attempt(self) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body. If a reused connection turns out to be closed, a new one is tried once."""
        connection, used = self._endpoint.connection()
        try:
            return self._exchange(connection)
        except (ConnectionError, http.client.BadStatusLine):
            if not used or self._given_up.is_set():
                raise
        self._endpoint.close()  # the other idle connections are as old
        return self._exchange(self._endpoint.connection()[0])

    def _exchange(self, connection: http.client.HTTPConnection) -> tuple[int, Mapping[str, str], bytes]:
        end = min(self._until, time.monotonic() + self._endpoint.settings.timeout_seconds)
        self._connection = connection
        try:
            connection.timeout = _left(end)
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            self._endpoint.send(connection, self._body)
            response = connection.getresponse()
            answer = _body_of(connection, response, end)
        except BaseException:
            connection.close()
            raise
        self._connection = None
        if response.will_close or self._given_up.is_set():
            connection.close()
        else:
            self._endpoint.keep(connection)
        return response.status, dict(response.headers.items()), answer


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """The seconds to wait from the header Retry-After, a number or a date; None without the header."""
    text = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        instant = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, instant - (time.time() if now is None else now))


def wait_before(retry: int) -> float:
    """Seconds to wait before retry number `retry` (from 0).

    They double each time, and are random in their upper half.
    """
    return min(FIRST_WAIT_SECONDS * 2.0**retry, MAX_WAIT_SECONDS) * random.uniform(0.5, 1.0)


def _body_of(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, end: float) -> bytes:
    """The whole body. Raises TimeoutError after `end`, HTTPException if the body is too long or cut short."""
    parts, size = [], 0
    while chunk := response.read1(_BYTES_PER_READ):
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise http.client.HTTPException(f"the answer has more than {MAX_ANSWER_BYTES:,} bytes")
        if connection.sock is not None:
            connection.sock.settimeout(_left(end))
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    response.close()  # read1, unlike read, does not mark the connection as free
    return b"".join(parts)


def _left(end: float) -> float:
    """Seconds until `end`. Raises TimeoutError if there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the answer took too long")
    return seconds


def _step(budget: Budget) -> float:
    remaining = budget.remaining()
    return POLL_SECONDS if remaining is None else max(0.001, min(POLL_SECONDS, remaining))
