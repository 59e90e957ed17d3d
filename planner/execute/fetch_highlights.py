"""Reads the matched fragments of texts, only of the points that a request returns."""

from collections.abc import Iterable, Sequence

from planner.predicate import first_key, parse_path
from planner.text import Analyzer, Highlight, Highlighted, Slots, clauses_of, field_clauses, highlights_of, texts_at
from storage.budget import Budget
from storage.mvcc import Snapshot


def highlights_of_points(
    reader: Snapshot, slots: Slots, highlighted: Sequence[Highlighted], budget: Budget
) -> list[tuple[Highlight, ...]]:
    """For each of `slots` (n,), the highlights that the queries ask for: by query, then by field, each fragment once.

    Highlights count against the reply and the memory of the request. Raises ReplyTooLarge, RequestTooLarge,
    DeadlineExceeded, Cancelled.
    """
    if not highlighted:
        return [()] * len(slots)
    asked = []
    for each in highlighted:
        for field in each.fields:
            analyzer = Analyzer(field.settings)
            clauses = field_clauses(clauses_of(each.query), analyzer)
            asked.append((field.path, parse_path(field.path), clauses, analyzer, each.wanted))
    keys = {first_key(path) for path, *_ in asked}
    found: list[tuple[Highlight, ...]] = []
    for slot in slots.tolist():
        budget.check()
        payload = reader.codec.decode(reader.record(slot).payload, keys)
        parts: dict[Highlight, None] = {}
        for path, steps, clauses, analyzer, wanted in asked:
            parts |= dict.fromkeys(highlights_of(path, texts_at(payload, steps), clauses, analyzer, wanted, budget))
        count_highlights(parts, budget)
        found.append(tuple(parts))
    return found


def count_highlights(parts: Iterable[Highlight], budget: Budget) -> None:
    """Counts the highlights of a point once more. Raises ReplyTooLarge, RequestTooLarge."""
    for part in parts:
        budget.answer(part.reply_bytes)
        budget.hold(part.memory, "highlights")
