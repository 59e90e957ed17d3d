"""Turns a text index into arrays that can be kept in a file, and back. The room upkeep decides which are kept."""

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
from planner.text.index import ALL_SLOTS, LiveSegment, TextIndex, Vocabulary
from planner.text.segment import Segment, Slots
from storage.derived import Derived, fingerprint
from storage.schema import TextSettings

KIND = "text"

_CODE = ("text/*.py", "text/stop_words/*", "predicate/paths.py", "predicate/pairs.py", "predicate/spelling.py")
_ARRAYS = ("slots", "lengths", "codes", "starts", "points", "occurrence_starts", "positions")


def key_of(path: str, settings: TextSettings) -> str:
    """A key that differs between paths and between settings."""
    return f"{path}\0{settings!r}"


@cache
def version() -> str:
    """A text that differs if code or libraries change the terms of a text, or if the layout of the arrays changes."""
    libraries = (unicodedata.unidata_version, regex.__version__, Stemmer.version())
    return fingerprint(Path(__file__).parents[1], _CODE, *libraries)


def encoded(index: TextIndex) -> Derived:
    """The index as arrays. Requires: it is complete."""
    terms = list(index.vocabulary.codes)
    text = "".join(terms)
    separator = next(character for character in map(chr, range(sys.maxunicode)) if character not in text)
    joined = separator.join(terms).encode(errors="surrogatepass")
    arrays: dict[str, NDArray[Any]] = {"terms": np.frombuffer(joined, np.uint8)}
    for number, live in enumerate(index.segments):
        arrays |= {f"{name}{number}": getattr(live.segment, name) for name in _ARRAYS}
        if live.alive is not None:
            arrays[f"alive{number}"] = live.alive
    segments = [[live.count, live.length] for live in index.segments]
    about = {"terms": len(terms), "separator": separator, "parts": segments}
    return Derived(index.seq, version(), about, arrays)


def decoded(stored: Derived, path: str, settings: TextSettings) -> TextIndex:
    """The index that the arrays hold. Raises ValueError, LookupError or TypeError if they hold none."""
    arrays, about = stored.arrays, stored.about
    vocabulary = Vocabulary(Analyzer(settings))
    if about["terms"]:
        terms = arrays["terms"].tobytes().decode(errors="surrogatepass").split(about["separator"])
        if len(terms) != about["terms"]:
            raise ValueError("terms are missing")
        vocabulary.restore(terms)
    segments = tuple(
        LiveSegment(
            Segment(*(arrays[f"{name}{number}"] for name in _ARRAYS)), arrays.get(f"alive{number}"), count, length
        )
        for number, (count, length) in enumerate(about["parts"])
    )
    return TextIndex(path, stored.seq, vocabulary, segments, ALL_SLOTS)


def held_slots(index: TextIndex) -> Slots:
    """Slots, ascending, of the points that the index has."""
    slots = [live.segment.slots if live.alive is None else live.segment.slots[live.alive] for live in index.segments]
    return np.sort(np.concatenate([np.empty(0, np.uint32), *slots]))
