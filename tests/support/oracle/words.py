"""The oracle's view of characters: which are invisible, which are of scripts without spaces, and the runs of a text.

It goes by the names of characters, where the planner goes by their properties.
"""

import unicodedata

SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO")
IGNORED = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2065")
EMOJI = frozenset("\u2764\U0001f355\U0001f469\U0001f44d")
"""Those that it knows."""


def clean(text: str) -> str:
    """`text` by NFKC without invisible characters."""
    seen = [character for character in text if not _is_invisible(character)]
    return unicodedata.normalize("NFKC", "".join(seen))


def _is_invisible(character: str) -> bool:
    named = "VARIATION SELECTOR" in unicodedata.name(character, "")
    return unicodedata.category(character) == "Cf" or named or character in IGNORED


def is_unspaced(character: str) -> bool:
    """Whether it is a letter of a script without spaces."""
    name = unicodedata.name(character, "")
    return character.isalpha() and name.startswith(SCRIPTS) and not name.startswith("KATAKANA MIDDLE")


def is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def filter_words(text: str) -> list[tuple[str, bool]]:
    """The words of a filter, case-folded, in order, and whether each is a run of a script without spaces."""
    words: list[tuple[str, bool]] = []
    inside = False
    for character in unicodedata.normalize("NFKC", clean(text).casefold()):
        if character in EMOJI:
            words.append((character, False))
            inside = False
        elif inside and is_mark(character):
            words[-1] = (words[-1][0] + character, words[-1][1])
        elif character.isalnum() or character == "_" or unicodedata.category(character).startswith("N"):
            is_run = is_unspaced(character)
            if inside and words[-1][1] == is_run:
                words[-1] = (words[-1][0] + character, is_run)
            else:
                words.append((character, is_run))
            inside = True
        else:
            inside = False
    return words


def has_text(value: str, asked: str) -> bool:
    """Whether `value` has the words of `asked`, a run as a part of a run."""
    words = filter_words(value)
    return all(
        any(is_run and word in held for held, is_run in words) if of_run else (word, False) in words
        for word, of_run in filter_words(asked)
    )


def has_phrase(value: str, asked: str) -> bool:
    """Whether they follow each other: a run may begin within a run, and end within one when nothing but runs follow."""
    held, wanted = _units(value), _units(asked)
    return any(
        all(
            mine == theirs and (glued or not wanted_glue)
            for (mine, glued), (theirs, wanted_glue) in zip(held[start:], wanted, strict=False)
        )
        for start in range(len(held) - len(wanted) + 1)
    )


def _units(text: str) -> list[tuple[str, bool]]:
    """Words, and characters of runs; and whether the next one is of the same run."""
    units: list[tuple[str, bool]] = []
    for word, is_run in filter_words(text):
        if is_run:
            units += [(character, place < len(word) - 1) for place, character in enumerate(word)]
        else:
            units.append((word, False))
    return units
