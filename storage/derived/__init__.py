"""What can be made anew from a collection: kept in memory as of a commit, and in files that are read and replaced."""

from storage.derived.catching_up import few_changes
from storage.derived.file import Derived
from storage.derived.files import DerivedFiles, fingerprint, is_worth_keeping, read_decoded
from storage.derived.keeper import Copy, Keeper

__all__ = [
    "Copy",
    "Derived",
    "DerivedFiles",
    "Keeper",
    "few_changes",
    "fingerprint",
    "is_worth_keeping",
    "read_decoded",
]
