"""Embedders: they make vectors of the texts in requests. The planner and storage see vectors only."""

from server.embedders.embedder import Embedders, Role
from server.embedders.settings import EmbedderSettings, read_embedders
from server.embedders.texts import MAX_TEXT_BYTES, TextInput, Texts, check_row, explained

__all__ = [
    "MAX_TEXT_BYTES",
    "EmbedderSettings",
    "Embedders",
    "Role",
    "TextInput",
    "Texts",
    "check_row",
    "explained",
    "read_embedders",
]
