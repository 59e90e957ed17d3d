"""Which failures may pass without help, and how long to wait. Sends nothing."""

import random
from dataclasses import dataclass

from headwater.errors import (
    EmbedderUnavailableError,
    HeadwaterError,
    StorageFailedError,
    TooManyRequestsError,
    UnavailableError,
)

DEFAULT_ASKED_WAIT = 1.0  # seconds to wait when a full server does not say how long
_NOTHING_WAS_SENT = (
    "failed to connect to all addresses",
    "errors resolving ",
    "DNS resolution failed",
    "empty address",
)
"""How gRPC's messages begin when a call found no connection; there is no other sign of it. If gRPC changes its words,
calls that may not be repeated fail at once instead of waiting."""

_WRONG_SECURITY = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER")
"""Words in gRPC's messages when TLS can never work with the server: an unknown certificate, or no TLS at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a call is sent again while the server is unavailable. Times are in seconds.

    `retries` None: until the deadline of the call; a call without a deadline ends after `longest_outage`. Each wait is
    twice as long as the one before. Its length is a random part between half and all of that, so that many clients do
    not return at the same moment. When the queue of the server is full, a call waits as long as the server says, and
    repeats that until its deadline. With `retries` 0 it does not wait.
    """

    retries: int | None = None
    first_wait: float = 0.05
    longest_wait: float = 0.2
    longest_outage: float = 60.0

    def __post_init__(self) -> None:
        if self.retries is not None and (isinstance(self.retries, bool) or not isinstance(self.retries, int)):
            raise TypeError(f"retries is an integer or None, not {type(self.retries).__name__}")
        if self.retries is not None and self.retries < 0:
            raise ValueError(f"retries is at least 0, not {self.retries}")

    def wait(self, retry: int) -> float:
        """Seconds before the retry of this number, from 0."""
        return min(self.first_wait * 2.0 ** min(retry, 30), self.longest_wait) * random.uniform(0.5, 1.0)

    def allows(self, retry: int) -> bool:
        """Whether the retry of this number, from 0, may be made."""
        return self.retries is None or retry < self.retries


def may_pass(error: HeadwaterError) -> bool:
    """Whether the server may be available again soon."""
    # A failed file stays failed until its collection is opened again. The server itself has retried embedders.
    if not isinstance(error, UnavailableError) or isinstance(error, StorageFailedError | EmbedderUnavailableError):
        return False
    return bool(error.reason) or not any(sign in error.message for sign in _WRONG_SECURITY)


def nothing_was_sent(error: HeadwaterError) -> bool:
    """Whether a call failed before it had a connection, so that any call may be sent again."""
    return may_pass(error) and not error.reason and error.message.startswith(_NOTHING_WAS_SENT)


def is_asked_to_wait(error: HeadwaterError) -> bool:
    """Whether the server is full and has done nothing yet."""
    return isinstance(error, TooManyRequestsError) or (not error.reason and "retry_seconds" in error.metadata)


def asked_wait(error: HeadwaterError) -> float:
    """Seconds that a full server asks to wait, plus up to half of it, so that not all callers return at once."""
    return float(error.metadata.get("retry_seconds", DEFAULT_ASKED_WAIT)) * random.uniform(1.0, 1.5)
