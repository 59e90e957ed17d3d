"""What can go wrong with embedders: leaves of the tree in storage/errors.py that only the server raises.

WrongState
├── EmbedderNotConfigured     a text was given, but no embedder can make a vector of it
└── EmbedderFailed            the embedder refused, or its answer is no vector of the space
EngineError
└── EmbedderUnavailable       the embedder gave no answer, after all retries
"""

from storage.errors import EngineError, WrongState


class EmbedderNotConfigured(WrongState):
    """The space names no embedder, or the server has none of that name, or lacks the package that it needs."""

    def __init__(self, message: str, *, embedder: str = "", field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message, embedder=embedder, field=field)


def no_embedder(space: str, field: str) -> EmbedderNotConfigured:
    """The error for a text in `field`, if the space has no embedder."""
    what = f"the space {space!r} has no embedder, so it takes vectors, not texts; set the embedder of its settings"
    return EmbedderNotConfigured(what, field=field)


class EmbedderFailed(WrongState):
    """The embedder's answer is unusable, and would be so again."""

    def __init__(self, embedder: str, message: str, **metadata: object) -> None:
        super().__init__(f"the embedder {embedder!r} {message}", embedder=embedder, **metadata)


class EmbedderUnavailable(EngineError):
    """The embedder did not answer. It may answer later."""

    def __init__(self, embedder: str, message: str) -> None:
        super().__init__(f"the embedder {embedder!r} gives no answer: {message}", embedder=embedder)
