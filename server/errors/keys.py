"""Errors of keys. It knows no status codes."""

from storage.errors import EngineError


class Unauthenticated(EngineError):
    """The api-key is missing or wrong."""

    def __init__(self) -> None:
        super().__init__("the metadata `api-key` is missing, wrong or expired")


class PermissionDenied(EngineError):
    """The key is good, and may not do this."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"the key {key!r} may not do this: {reason}", key=key)
