"""Errors of the server itself, and the one table of the status of every error."""

from server.errors.embedders import EmbedderFailed, EmbedderNotConfigured, EmbedderUnavailable, no_embedder
from server.errors.indexes import AmbiguousIndex, IndexNotFound
from server.errors.keys import PermissionDenied, Unauthenticated
from server.errors.lanes import TooManyRequests
from server.errors.status import code_of, status_of

__all__ = [
    "AmbiguousIndex",
    "EmbedderFailed",
    "EmbedderNotConfigured",
    "EmbedderUnavailable",
    "IndexNotFound",
    "PermissionDenied",
    "TooManyRequests",
    "Unauthenticated",
    "code_of",
    "no_embedder",
    "status_of",
]
