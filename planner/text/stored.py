"""A text index as arrays that can be kept in a file, and back. Which indexes are kept is upkeep's, how storage's."""

import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import regex
import Stemmer
from numpy.typing import NDArray

from planner.text.analysis import Analyzer
from planner.text.index import WHOLE, Part, TextIndex, Vocabulary
from planner.text.segment import Segment, Slots
from storage.derived import Derived, fingerprint
from storage.schema import TextSettings

KIND = "text"

_CODE = ("text/*.py", "text/stop_words/*", "predicate/paths.py", "predicate/pairs.py", "predicate/spelling.py")
_ARRAYS = ("slots", "lengths", "codes", "starts", "points", "place_starts", "positions")


def key_of(path: str, settings: TextSettings) -> str:
    """What tells the index of a path with some settings from others."""
    return f"{path}\0{settings!r}"


@cache
def version() -> str:
    """Changes with whatever decides which terms a text has, and with the layout of the arrays."""
    libraries = (unicodedata.unidata_version, regex.__version__, Stemmer.version())
    return fingerprint(Path(__file__).parents[1], _CODE, *libraries)


def encoded(index: TextIndex) -> Derived:
    """Requires: the index is complete."""
    terms = list(index.vocabulary.codes)
    text = "".join(terms)
    separator = next(character for character in map(chr, range(sys.maxunicode)) if character not in text)
    joined = separator.join(terms).encode(errors="surrogatepass")
    arrays: dict[str, NDArray[Any]] = {"terms": np.frombuffer(joined, np.uint8)}
    for number, part in enumerate(index.parts):
        arrays |= {f"{name}{number}": getattr(part.segment, name) for name in _ARRAYS}
        if part.alive is not None:
            arrays[f"alive{number}"] = part.alive
    parts = [[part.count, part.length] for part in index.parts]
    about = {"terms": len(terms), "separator": separator, "parts": parts}
    return Derived(index.seq, version(), about, arrays)


def decoded(stored: Derived, path: str, settings: TextSettings) -> TextIndex:
    """Raises ValueError, LookupError or TypeError when it is no text index."""
    arrays, about = stored.arrays, stored.about
    vocabulary = Vocabulary(Analyzer(settings))
    if about["terms"]:
        terms = arrays["terms"].tobytes().decode(errors="surrogatepass").split(about["separator"])
        if len(terms) != about["terms"]:
            raise ValueError("terms are missing")
        vocabulary.restore(terms)
    parts = tuple(
        Part(Segment(*(arrays[f"{name}{number}"] for name in _ARRAYS)), arrays.get(f"alive{number}"), count, length)
        for number, (count, length) in enumerate(about["parts"])
    )
    return TextIndex(path, stored.seq, vocabulary, parts, WHOLE)


def held_slots(index: TextIndex) -> Slots:
    """Slots of the points that it has, ascending."""
    slots = [part.segment.slots if part.alive is None else part.segment.slots[part.alive] for part in index.parts]
    return np.sort(np.concatenate([np.empty(0, np.uint32), *slots]))
