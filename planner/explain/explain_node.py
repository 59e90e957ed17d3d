"""One operator of an explained plan, as data. explanation.py makes it from a plan, plan_text.py makes text of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainNode:
    """One operator. For `rows_in` to `microseconds` see Actual; they are None unless the plan ran.

    `estimated_rows` is the most rows that it can emit, given the number of points.
    """

    operator: str
    stage: str
    attributes: dict[str, str] = field(default_factory=dict)
    strategy: str = ""
    reason: str = ""
    estimated_rows: int | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    distance_computations: int | None = None
    microseconds: int | None = None
    children: "tuple[ExplainNode, ...]" = ()
