"""A server of the example's own: a process over a temporary folder, both gone at the end. Asks nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from headwater import Client


@contextmanager
def own_server() -> Iterator[str]:
    """The address of a fresh, empty server. It is stopped at the end, also after an error.

    Its warnings and errors go to stderr. Raises LocalServerError when it does not start.
    """
    with Client.local(":memory:") as client:
        yield client.target
