"""The pages of an LMDB file, walked without LMDB: it trusts them, so a damaged one could end the process or lie."""

from storage.pages.walks import WALKS

__all__ = [
    "WALKS",
]
