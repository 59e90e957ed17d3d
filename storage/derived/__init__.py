"""Files of what can be made anew from a collection: read, replaced at once, removed."""

from storage.derived.file import Derived
from storage.derived.files import DerivedFiles, fingerprint, is_worth_keeping

__all__ = [
    "Derived",
    "DerivedFiles",
    "fingerprint",
    "is_worth_keeping",
]
