"""Reads the pages of an LMDB file without LMDB, which believes what they say: a damaged one could end the process."""

from storage.pages.walks import WALKS

__all__ = [
    "WALKS",
]
