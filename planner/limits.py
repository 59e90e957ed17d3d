"""How large a request may be: the bounds, each with its reason, and the checks of the plain ones."""

from collections.abc import Sequence

from planner.errors import InvalidLimit
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import PointId
from storage.write import check_point_ids

MAX_DEPTH = 16
"""Levels of stages, the root included. More is a mistake, and the recursion must end."""

MAX_STAGES = 64
"""Stages of one query: each of them may search."""

MAX_LIMIT = 10_000
"""Points that a stage passes on (limit + offset), and ids or points of one read: they are held in memory."""

MAX_BATCH = 256
"""Queries of one call: they share one snapshot and one deadline."""

MAX_EXPLAINED = 100
"""Points that one explanation may ask about: each is followed through every stage."""

MAX_FILTER_DEPTH = 16
"""Levels of filters within filters."""

MAX_CONDITIONS = 1_024
"""Conditions of one filter at all its levels: each is tested on every candidate."""

MAX_PATTERN = 4_096
"""Characters of a text, glob or regular expression in a filter: it is compiled for each evaluation."""

MAX_CORNERS = 4_096
"""Corners of a polygon, holes included: each is compared with every location."""

MAX_EXPRESSION = 65_536
"""Characters of a filter that is written as text."""

MAX_WEIGHT = 1e30
"""Largest weight of a fusion. Sums of MAX_STAGES weighted scores stay finite in float32."""

MAX_EXAMPLES = 64
"""Examples of one stage. A context pair counts as two. Every candidate is scored for each example."""

MAX_FORMULA_DEPTH = 24
"""Levels of parts within parts of a formula. Parsers of messages follow a hundred levels, and a part takes two."""

MAX_FORMULA_PARTS = 256
"""Parts of a formula, and also its defaults: each is computed for every candidate."""

MAX_AGGREGATIONS = 64
"""Aggregations of one call: each takes a pass over the values of a field."""

MAX_VALUE_PAIRS = 10_000_000
"""Pairs of a group and one of its values that one aggregation tells apart: they are held in memory."""

MAX_MATRIX_SAMPLE = 1_000
"""Points of a distance matrix: the work grows with their square."""

MAX_TEXT_BYTES = 8_192
"""Bytes of the text of a query by BM25. Of a query that is given as tokens: bytes of all of them."""

MAX_TEXT_TOKENS = 512
"""Tokens of the text of a query by BM25: each is looked up."""

MAX_TEXT_WEIGHT = 1e6
"""Largest weight of a field in a query by BM25. Sums of scores stay finite in float32."""

MAX_FRAGMENTS = 100
"""Highlighted fragments of a point's field."""

MAX_FRAGMENT_LENGTH = 10_000
"""Characters of a highlighted fragment."""

MAX_MMR_CANDIDATES = 1_000
"""Candidates among which diverse points are picked: the work grows with their square."""


def check_batch(count: int, field: str) -> None:
    """Raises InvalidRequest if `count` is 0, LimitExceeded if it is more than MAX_BATCH."""
    if count == 0:
        raise InvalidRequest(field, "give at least one query")
    if count > MAX_BATCH:
        raise LimitExceeded(field, limit="MAX_BATCH", maximum=MAX_BATCH, actual=count)


def check_ids(ids: Sequence[PointId]) -> None:
    """Raises InvalidRequest if `ids` is empty, LimitExceeded if it is too long, InvalidPointId for an invalid id."""
    if not ids:
        raise InvalidRequest("ids", "give at least one id")
    if len(ids) > MAX_LIMIT:
        raise LimitExceeded("ids", limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=len(ids))
    check_point_ids(ids, "ids")


def check_explained(ids: Sequence[PointId]) -> None:
    """As `check_ids`, with MAX_EXPLAINED as the bound."""
    if len(ids) > MAX_EXPLAINED:
        raise LimitExceeded("ids", limit="MAX_EXPLAINED", maximum=MAX_EXPLAINED, actual=len(ids))
    check_ids(ids)


ROWS_PER_CHECK = 16
"""Payloads that are read, or values that are tested, between two looks at the budget.

A large one takes milliseconds.
"""


def check_page(limit: int, offset: int = 0, path: str = "") -> None:
    """Raises InvalidLimit unless 1 <= limit, 0 <= offset and limit + offset <= MAX_LIMIT.

    `path` stands before the names of the fields in errors.
    """
    if limit < 1:
        raise InvalidLimit(
            f"{path}limit", f"it is {limit:,}, but must be at least 1", limit="MAX_LIMIT", maximum=MAX_LIMIT
        )
    if offset < 0:
        raise InvalidLimit(
            f"{path}offset", f"it is {offset:,}, but must be at least 0", limit="MAX_LIMIT", maximum=MAX_LIMIT
        )
    if limit + offset > MAX_LIMIT:
        name = "limit + offset" if offset else "limit"
        what = f"{name} is {limit + offset:,}, more than MAX_LIMIT allows ({MAX_LIMIT:,})"
        raise InvalidLimit(f"{path}limit", what, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=limit + offset)
