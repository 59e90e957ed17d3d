"""Turns a field index into arrays that can be kept in a file, and back. indexes.py decides which indexes are kept."""

import unicodedata
from functools import cache
from pathlib import Path

import regex

from planner.payload_index.distinct_values import DistinctValues
from planner.payload_index.index import Entries, FieldIndex, Slots, distinct
from storage.derived import Derived, fingerprint

KIND = "field"

_ENTRIES = ("slots", "codes", "owners", "counts", "empty")
_CODE = (
    "payload_index/*.py",
    *(f"predicate/{name}.py" for name in ("geography", "instants", "paths", "words", "pairs", "spelling")),
)


@cache
def version() -> str:
    """A text that differs if the code or the layout of the arrays differs, so that older files are not used."""
    return fingerprint(Path(__file__).parents[1], _CODE, unicodedata.unidata_version, regex.__version__)


def encoded(index: FieldIndex) -> Derived:
    """What the file of the index should hold."""
    arrays = {f"entry_{name}": getattr(index.entries, name) for name in _ENTRIES}
    about = {"value_count": index.value_count}
    return Derived(index.seq, version(), about, {**arrays, **index.values.packed()})


def decoded(stored: Derived, path: str) -> FieldIndex:
    """The index that the arrays hold. Raises ValueError, LookupError or TypeError if they hold none."""
    values = DistinctValues.unpacked(dict(stored.arrays))
    entries = Entries(*(stored.arrays[f"entry_{name}"] for name in _ENTRIES))
    return FieldIndex(path, stored.seq, entries, values, int(stored.about["value_count"]))


def held_slots(index: FieldIndex) -> Slots:
    """Slots of the points that have a value, ascending."""
    return distinct(index.entries.owners)
