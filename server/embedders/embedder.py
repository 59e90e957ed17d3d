"""Embedders by name: prefixes of texts, a cache, and checks of the vectors that models return."""

import threading
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.embedders.cache import VectorCache
from server.embedders.settings import EmbedderSettings, OpenAISettings
from server.errors import EmbedderFailed, EmbedderNotConfigured
from storage.budget import Budget


class Role(Enum):
    """The purpose of a text. Some models need different prefixes for queries and for documents."""

    QUERY = "query"
    DOCUMENT = "document"


class Model(Protocol):
    """Makes vectors: one float32 row per text, in order."""

    def embed(self, texts: Sequence[str], budget: Budget) -> NDArray[np.float32]: ...
    def close(self) -> None: ...


class Embedder:
    """One embedder. Safe for many threads. Its model is loaded at the first use."""

    def __init__(self, name: str, settings: EmbedderSettings) -> None:
        self.name = name
        self._prefixes = {Role.QUERY: settings.query_prefix, Role.DOCUMENT: settings.document_prefix}
        self._cache = VectorCache(settings.cache_bytes)
        self._make: Callable[[], Model] = lambda: _model_of(name, settings)
        self._model: Model | None = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], role: Role, budget: Budget) -> list[NDArray[np.float32]]:
        """The vector (float32) of each text, all of one length and finite. Equal texts are embedded once.

        Raises EmbedderNotConfigured, EmbedderUnavailable, EmbedderFailed, DeadlineExceeded, Cancelled.
        """
        prefix = self._prefixes[role]
        asked = [prefix + text for text in texts]
        rows = {text: self._cache.get(text) for text in dict.fromkeys(asked)}
        missing = [text for text, row in rows.items() if row is None]
        if missing:
            rows |= zip(missing, self._checked(missing, budget), strict=True)
            for text in missing:
                self._cache.put(text, _present(rows[text]))
        return [_present(rows[text]) for text in asked]

    def close(self) -> None:
        with self._lock:
            if self._model is not None:
                self._model.close()

    def _checked(self, texts: Sequence[str], budget: Budget) -> NDArray[np.float32]:
        with self._lock:
            model = self._model = self._model or self._make()
        matrix = model.embed(texts, budget)
        if not matrix.shape[1]:
            raise EmbedderFailed(self.name, "gives vectors without components")
        if not np.isfinite(matrix).all():
            raise EmbedderFailed(self.name, "gives a vector with NaN or infinity")
        return matrix


class Embedders:
    """All embedders of a server, by name."""

    def __init__(self, settings: Mapping[str, EmbedderSettings]) -> None:
        self._embedders = {name: Embedder(name, each) for name, each in settings.items()}

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._embedders)

    def get(self, name: str, field: str = "") -> Embedder:
        """The embedder of this name. Raises EmbedderNotConfigured, which names `field`."""
        embedder = self._embedders.get(name)
        if embedder is None:
            known = ", ".join(map(repr, sorted(self._embedders))) or "none"
            what = f"this server has no embedder named {name!r} in its settings (there are: {known})"
            raise EmbedderNotConfigured(what, embedder=name, field=field)
        return embedder

    def close(self) -> None:
        for embedder in self._embedders.values():
            embedder.close()


def _model_of(name: str, settings: EmbedderSettings) -> Model:
    # Imported here: a server that has no such embedder starts without HTTP and the like.
    if isinstance(settings, OpenAISettings):
        from server.embedders.openai import OpenAIEndpoint

        return OpenAIEndpoint(name, settings)
    from server.embedders.onnx import OnnxModel

    return OnnxModel(name, settings)


def _present(row: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert row is not None
    return row
