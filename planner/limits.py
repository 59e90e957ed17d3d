"""How large a request may be: the bounds, each with its reason, and the checks of the plain ones."""

from collections.abc import Sequence

from planner.errors import InvalidLimit
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import PointId
from storage.write import check_point_id

MAX_DEPTH = 16
"""Levels of stages, the root included: more is a mistake, and recursion must end."""

MAX_STAGES = 64
"""Stages of one query: each may search."""

MAX_LIMIT = 10_000
"""Points a stage passes on (limit + offset), and ids or points of one read: they are held in memory."""

MAX_BATCH = 256
"""Queries of one call: they share one snapshot and one deadline."""

MAX_EXPLAINED = 100
"""Points that one explanation is asked about: each is followed through every stage."""

MAX_FILTER_DEPTH = 16
"""Levels of filters within filters."""

MAX_CONDITIONS = 1_024
"""Conditions of one filter at all its levels: each is tested on every candidate."""

MAX_PATTERN = 4_096
"""Characters of a text, glob or regular expression in a filter: it is compiled for each evaluation."""

MAX_CORNERS = 4_096
"""Corners of a polygon, holes included: each is looked at for every place."""

MAX_EXPRESSION = 65_536
"""Characters of a filter that is written as text."""

MAX_WEIGHT = 1e30
"""Largest weight of a fusion: sums of MAX_STAGES weighted scores stay finite in float32."""

MAX_EXAMPLES = 64
"""Examples of one stage (a context pair is two): every candidate is scored for each."""

MAX_FORMULA_DEPTH = 24
"""Levels of parts within parts of a formula: parsers of messages follow a hundred levels, of which a part takes two."""

MAX_FORMULA_PARTS = 256
"""Parts of a formula, and its defaults: each is computed for every candidate."""

MAX_AGGREGATIONS = 64
"""Aggregations of one call: each takes a pass over the values of a field."""

MAX_VALUE_PAIRS = 10_000_000
"""Pairs of a group and a value of it that one aggregation tells apart: they are held in memory."""

MAX_MATRIX_SAMPLE = 1_000
"""Points of a distance matrix: the work grows with their square."""

MAX_TEXT_BYTES = 8_192
"""Bytes of the text of a query by BM25, or of its tokens in all."""

MAX_TEXT_TOKENS = 512
"""Tokens of the text of a query by BM25: each is looked up."""

MAX_TEXT_WEIGHT = 1e6
"""Largest weight of a field in a query by BM25: sums of scores stay finite in float32."""

MAX_FRAGMENTS = 100
"""Highlighted fragments of a point's field."""

MAX_FRAGMENT_LENGTH = 10_000
"""Characters of a highlighted fragment."""

MAX_MMR_CANDIDATES = 1_000
"""Points among which diverse ones are picked: the work grows with their square."""


def check_batch(count: int, field: str) -> None:
    """Raises InvalidRequest without queries, LimitExceeded with too many."""
    if count == 0:
        raise InvalidRequest(field, "nothing is asked")
    if count > MAX_BATCH:
        raise LimitExceeded(field, limit="MAX_BATCH", maximum=MAX_BATCH, actual=count)


def check_ids(ids: Sequence[PointId]) -> None:
    """Raises InvalidRequest without ids, LimitExceeded with too many, InvalidPointId for one that cannot be."""
    if not ids:
        raise InvalidRequest("ids", "no id is given")
    if len(ids) > MAX_LIMIT:
        raise LimitExceeded("ids", limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=len(ids))
    for index, point_id in enumerate(ids):
        check_point_id(point_id, f"ids[{index}]")


def check_explained(ids: Sequence[PointId]) -> None:
    """Raises InvalidRequest without ids, LimitExceeded with too many, InvalidPointId for one that cannot be."""
    if len(ids) > MAX_EXPLAINED:
        raise LimitExceeded("ids", limit="MAX_EXPLAINED", maximum=MAX_EXPLAINED, actual=len(ids))
    check_ids(ids)


ROWS_PER_CHECK = 16
"""Payloads read, or values tested, between two looks at the budget: few, since a large one takes milliseconds."""


def check_page(limit: int, offset: int = 0, path: str = "") -> None:
    """Raises InvalidLimit unless 1 <= limit, 0 <= offset and limit + offset <= MAX_LIMIT. Fields are `path` + name."""
    if limit < 1:
        raise InvalidLimit(f"{path}limit", f"{limit:,} is less than 1", limit="MAX_LIMIT", maximum=MAX_LIMIT)
    if offset < 0:
        raise InvalidLimit(f"{path}offset", f"{offset:,} is less than 0", limit="MAX_LIMIT", maximum=MAX_LIMIT)
    if limit + offset > MAX_LIMIT:
        name = "limit + offset" if offset else "limit"
        what = f"{name} is {limit + offset:,}, more than MAX_LIMIT allows ({MAX_LIMIT:,})"
        raise InvalidLimit(f"{path}limit", what, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=limit + offset)
