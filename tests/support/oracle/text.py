"""The meaning of full text in plain loops: tokens, the syntax of queries, and BM25; no index.

It knows letters and digits of Latin scripts, scripts without spaces, no stems, and no stop words but those that
settings name.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from planner.query.bm25 import Bm25, Combine
from storage.schema import PointId
from storage.schema.text_settings import TextSettings, Tokenizer
from tests.support.oracle.words import EMOJI, clean, is_mark, is_unspaced

Unit = tuple[str, tuple[tuple[str, int], ...]]
"""`term`, `phrase` or `prefix`, and its terms with their places."""


class Held(Protocol):
    @property
    def payload(self) -> dict[str, object]: ...


def scores(
    points: Mapping[PointId, Held], indexes: Mapping[str, TextSettings], query: Bm25
) -> dict[PointId, np.float32]:
    """The score of every point that matches."""
    weights = dict(query.fields) or dict.fromkeys(sorted(indexes), 1.0)
    documents = {path: _documents(points, path, indexes[path]) for path in weights}
    clauses = _clauses(query)
    asked = {path: [_units(clause, indexes[path]) for clause in clauses] for path in weights}
    found: dict[PointId, np.float32] = {}
    for point_id in points:
        totals = []
        hit = False
        for path, weight in weights.items():
            score, any_unit = _field_score(documents[path], point_id, clauses, asked[path], indexes[path])
            totals.append(weight * score)
            hit = hit or any_unit
        if hit and _holds(point_id, clauses, asked, documents):
            total = 0.0
            for part in totals:
                total = total + part if query.combine is Combine.SUM else max(total, part)
            found[point_id] = np.float32(total)
    return found


def words(text: str) -> list[str]:
    """By the rules of UAX #29, for ASCII and letters; runs of scripts without spaces whole."""
    text = clean(text)
    pieces: list[str] = []
    for place, character in enumerate(text):
        if place and _joined(text, place):
            pieces[-1] += character
        else:
            pieces.append(character)
    return [piece for piece in pieces if piece[0] in EMOJI or any(character.isalnum() for character in piece)]


def _joined(text: str, place: int) -> bool:
    before, here = text[place - 1], text[place]
    if is_mark(here):
        return True
    while is_mark(before) and place > 1:
        place -= 1
        before = text[place - 1]
    if is_unspaced(before) or is_unspaced(here):
        return is_unspaced(before) and is_unspaced(here)
    if (before.isalnum() or before == "_") and (here.isalnum() or here == "_"):
        return True
    for kind, middles in ((_is_letter, ":.'"), (str.isdigit, ",;.'")):
        if kind(before) and here in middles and kind(text[place + 1 : place + 2]):
            return True
        if place > 1 and before in middles and kind(here) and kind(text[place - 2]):
            return True
    return False


def _is_letter(text: str) -> bool:
    return text.isalpha() and not is_unspaced(text)


Document = list[tuple[str, int]]
"""Terms with their positions."""


def _documents(points: Mapping[PointId, Held], path: str, settings: TextSettings) -> dict[PointId, Document]:
    found = {}
    for point_id, point in points.items():
        document, base = [], 0
        for text in _texts(point.payload, path):
            place = 0
            for token in _tokens(text, settings):
                if _is_run(token, settings):
                    for offset in range(len(token)):
                        parts = {token[offset], token[offset : offset + 2]}
                        terms = {term for part in parts for term in _terms(part, settings)}
                        document += [(term, base + place + offset) for term in sorted(terms)]
                    place += len(token)
                else:
                    document += [(term, base + place) for term in _terms(token, settings)]
                    place += 1
            base += place + 10_000
        if document:
            found[point_id] = document
    return found


def _texts(payload: Mapping[str, object], path: str) -> list[str]:
    value: object = payload
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return []
        value = value[key]
    values = value if isinstance(value, list) else [value]
    return [element for element in values if isinstance(element, str)]


def _tokens(text: str, settings: TextSettings) -> list[str]:
    match settings.tokenizer:
        case Tokenizer.WHITESPACE:
            return text.split()
        case Tokenizer.PRE_TOKENIZED:
            return [text] if text else []
        case _:
            return words(text)


def _is_run(token: str, settings: TextSettings) -> bool:
    return settings.tokenizer in (Tokenizer.WORD, Tokenizer.PREFIX) and is_unspaced(token[0])


def _terms(token: str, settings: TextSettings) -> list[str]:
    spelled = clean(token).lower() if settings.lowercase else clean(token)
    if spelled.lower() in settings.stop_words:
        return []
    starts = [spelled]
    if settings.tokenizer is Tokenizer.PREFIX:
        starts = [spelled[:end] for end in range(1, len(spelled) + 1)]
    lengths = range(settings.min_token_length, settings.max_token_length + 1)
    return [start for start in starts if len(start.encode()) in lengths]


def _query_term(token: str, settings: TextSettings) -> str | None:
    terms = _terms(token, settings)
    return terms[-1] if terms else None


Clause = tuple[str, str, bool, bool, bool]
"""Sign, text, whether it is a phrase, whether it ends in a prefix, whether it is one token already."""


def _clauses(query: Bm25) -> list[Clause]:
    clauses: list[Clause] = []
    quoted = False
    if isinstance(query.text, tuple):
        clauses = [("", token, True, False, True) for token in query.text]
    elif query.plain:
        clauses = [("", word, False, False, False) for word in _visible(query.text).split()]
    else:
        rest = _visible(query.text).replace("“", '"').replace("”", '"')
        while rest:
            sign = rest[0] if rest[0] in "+-" and rest[1:2].strip() else ""
            body = rest[len(sign) :]
            if body.startswith('"') and '"' in body[1:]:
                text, rest = body[1:].split('"', 1)
                clauses.append((sign, text, True, False, False))
                quoted = True
            elif rest[0].isspace() or rest[0] == '"':
                rest = rest[1:]
            else:
                if body.startswith('"'):  # a quote that is never closed
                    sign, body = "", rest
                end = next((place for place, c in enumerate(body) if c.isspace() or c == '"'), len(body))
                clauses.append((sign, body[:end], bool(sign), False, False))
                rest, quoted = body[end:], False
    if query.last_as_prefix and clauses and not quoted:
        clauses[-1] = (*clauses[-1][:3], True, clauses[-1][4])
    if query.all_terms:
        clauses = [(clause[0] or "+", *clause[1:]) for clause in clauses]
    return clauses


def _visible(text: str) -> str:
    return "".join(character for character in text if clean(character))


IMPOSSIBLE: Unit = ("impossible", ())


def _units(clause: Clause, settings: TextSettings) -> list[Unit]:
    sign, text, is_phrase, is_prefix, is_token = clause
    placed: list[list[tuple[str, int]]] = []
    place = 0
    cuts_runs = settings.tokenizer in (Tokenizer.WORD, Tokenizer.PREFIX) and any(map(is_unspaced, clean(text)))
    for token in [text] if is_token and not cuts_runs else _tokens(text, settings):
        if _is_run(token, settings):
            pairs = [token[start : start + 2] for start in range(max(1, len(token) - 1))]
            placed.append([(pair, place + offset) for offset, pair in enumerate(pairs)])
            place += len(token)
        else:
            placed.append([(token, place)])
            place += 1
    units: list[Unit] = []
    dropped: list[bool] = []
    if is_prefix and placed:
        start, _ = placed[-1].pop()
        spelled = clean(start).lower() if settings.lowercase else clean(start)
        is_long = len(spelled.encode()) > settings.max_token_length
        if is_long and settings.tokenizer is Tokenizer.PREFIX:
            terms = _terms(start, settings)
            units += [("prefix", ((terms[-1], 0),))] if terms else []
        elif not is_long:
            units.append(("prefix", ((spelled, 0),)))
        dropped.append(is_long and settings.tokenizer is not Tokenizer.PREFIX)
    dropped += [_is_out_of_bounds(token, settings) for group in placed for token, _ in group]
    if (is_phrase or sign) and any(dropped):
        return [IMPOSSIBLE]
    if is_phrase:
        placed = [[entry for group in placed for entry in group]]
    elif not sign:
        placed = [[entry] for group in placed for entry in group]
    return [*(unit for group in placed for unit in _together(group, settings)), *units]


def _together(group: list[tuple[str, int]], settings: TextSettings) -> list[Unit]:
    terms = [(term, place) for token, place in group if (term := _query_term(token, settings)) is not None]
    if len(terms) > 1:
        return [("phrase", tuple((term, place - terms[0][1]) for term, place in terms))]
    return [("term", ((term, 0),)) for term, _ in terms]


def _is_out_of_bounds(token: str, settings: TextSettings) -> bool:
    """Whether its length is the reason that it has no term."""
    return _query_term(token, settings) is None and clean(token).lower() not in settings.stop_words


def _count(document: Document, unit: Unit) -> int:
    """How often a document has a unit."""
    kind, terms = unit
    if kind == "impossible":
        return 0
    if kind == "prefix":
        return sum(term.startswith(terms[0][0]) for term, _ in document)
    entries = set(document)
    return sum(
        all((term, position + place) in entries for term, place in terms)
        for first, position in document
        if first == terms[0][0]
    )


def _field_score(
    documents: Mapping[PointId, Document],
    point_id: PointId,
    clauses: Sequence[Clause],
    asked: Sequence[Sequence[Unit]],
    settings: TextSettings,
) -> tuple[float, bool]:
    """The score of a point in one field, and whether it has any unit there."""
    document = documents.get(point_id, [])
    wanted = [unit for clause, units in zip(clauses, asked, strict=True) if clause[0] != "-" for unit in units]
    points = len(documents)
    mean = sum(map(_length, documents.values())) / points if points else 0.0
    total, hit = 0.0, False
    for unit in dict.fromkeys(wanted):
        frequency, repeats = _count(document, unit), wanted.count(unit)
        if not frequency:
            continue
        hit = True
        if unit[0] == "prefix":
            total += 1.0
            continue
        rarity = sum(_idf(points, sum(any(t == term for t, _ in d) for d in documents.values())) for term, _ in unit[1])
        norm = settings.k1 * (1 - settings.b + settings.b * (_length(document) / mean))
        k1, k3 = settings.k1, settings.k3
        total += rarity * (frequency * (k1 + 1) / (frequency + norm)) * (repeats * (k3 + 1) / (repeats + k3))
    return total, hit


def _length(document: Document) -> int:
    return len({position for _, position in document})


def _idf(points: int, holding: int) -> float:
    return math.log(1 + (points - holding + 0.5) / (holding + 0.5))


def _holds(
    point_id: PointId,
    clauses: Sequence[Clause],
    asked: Mapping[str, Sequence[Sequence[Unit]]],
    documents: Mapping[str, Mapping[PointId, Document]],
) -> bool:
    """Whether every required clause matches in some field, and no excluded one in any."""
    has: Callable[[str, Unit], bool] = lambda path, unit: _count(documents[path].get(point_id, []), unit) > 0  # noqa: E731
    for number, (sign, *_) in enumerate(clauses):
        about = [path for path in asked if asked[path][number]]
        if not sign or not about:
            continue
        matches = any(all(has(path, unit) for unit in asked[path][number]) for path in about)
        if matches != (sign == "+"):
            return False
    return True
