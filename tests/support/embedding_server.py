"""A real HTTP server on this machine that speaks OpenAI's `/v1/embeddings`, and can be told to misbehave.

Its vectors say which of WORDS a text has, so that texts that share words are near to each other.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WORDS = ("shoe", "boot", "watch", "red", "blue", "trail")
DIMENSIONS = len(WORDS) + 1


def vector_of(text: str) -> list[float]:
    """How often each of WORDS is in the text, then a small number that depends on its length, so that none is zero."""
    words = text.lower().split()
    return [float(words.count(word)) for word in WORDS] + [1 / (8 + len(text))]


@dataclass(frozen=True)
class Reply:
    """What to answer instead of embeddings. `parts` are sent one by one, `pause` seconds apart, after `delay`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: tuple[bytes, ...] = (b"{}",)
    delay: float = 0.0
    pause: float = 0.0
    hang_up: bool = False


Behaviour = Reply | Callable[[dict[str, Any]], Any]
"""A reply, or what makes the JSON of an answer of the request's."""


@dataclass
class EmbeddingServer:
    """`url` is what a client is given. `script` is answered first, in order, then `always`, if set."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    script: deque[Behaviour] = field(default_factory=deque)
    always: Behaviour | None = None
    connections: int = 0
    close_each: bool = False

    @property
    def texts(self) -> list[list[str]]:
        """What was asked for, by request."""
        return [request["input"] for request in self.requests]

    def settings(self, folder: Path, **settings: Any) -> Path:
        """A file with the settings of the embedder `words`, which is this server."""
        values = {"kind": "openai", "url": self.url, "model": "words", **settings}
        file = folder / "embedders.toml"
        file.write_text("[words]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return file


def embeddings(request: dict[str, Any]) -> dict[str, Any]:
    """The right answer, in reverse order: what counts is `index`."""
    data = [
        {"object": "embedding", "index": index, "embedding": vector_of(text)}
        for index, text in enumerate(request["input"])
    ]
    return {"object": "list", "data": data[::-1], "model": request["model"], "usage": {"total_tokens": 1}}


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """The server while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            state.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            state.times.append(time.monotonic())
            state.requests.append(request)
            state.headers.append({"path": self.path, **{key.lower(): value for key, value in self.headers.items()}})
            behaviour = state.script.popleft() if state.script else state.always or embeddings
            reply = behaviour if isinstance(behaviour, Reply) else _json(behaviour(request))
            _send(self, reply)
            self.close_connection = self.close_connection or state.close_each

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that give up are part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        state = EmbeddingServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def _json(answer: Any) -> Reply:
    return Reply(parts=(json.dumps(answer).encode(),))


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    time.sleep(reply.delay)
    if reply.hang_up:
        handler.close_connection = True
        return
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(sum(map(len, reply.parts))))
    handler.end_headers()
    for part in reply.parts:
        handler.wfile.write(part)
        handler.wfile.flush()
        time.sleep(reply.pause)
