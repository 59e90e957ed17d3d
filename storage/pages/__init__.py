"""Checks the pages of an LMDB file without LMDB: LMDB trusts its pages, so a damaged one could crash the process."""

from storage.pages.walks import WALKS

__all__ = [
    "WALKS",
]
