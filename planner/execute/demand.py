"""What a plan asks of a source, and what a source answers: leaves below restrictions, and rankings of these."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.plan import Leaf, Node, RankAll, Restrict, Scan, Search, children_of
from planner.rank import Ranking
from planner.resolve import CheckedFilter


@dataclass(frozen=True, slots=True)
class Demand:
    """A leaf and the restrictions above it, outermost first. Equal demands have equal answers."""

    leaf: Leaf
    restrictions: tuple[CheckedFilter, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)
    """Computed once: a demand is a key of several tables, and hashing a leaf takes long."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.leaf, self.restrictions)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def filters(self) -> tuple[CheckedFilter, ...]:
        return self.restrictions if self.leaf.filter is None else (*self.restrictions, self.leaf.filter)


@dataclass(frozen=True, slots=True)
class LeafAnswer:
    """What a leaf emits, and how it was found. `rows_in` is how many points were allowed, if they were counted.

    `total` is how many points it would emit without a limit; None if that is not known.
    """

    ranking: Ranking
    rows_in: int | None
    strategy: str
    reason: str
    distance_computations: int
    total: int | None = None


def demands_of(node: Node, restrictions: tuple[CheckedFilter, ...] = ()) -> Iterator[Demand]:
    """The leaves of a plan, in order."""
    if isinstance(node, Search | Scan | RankAll):
        yield Demand(node, restrictions)
        return
    for child in children_of(node):
        yield from demands_of(child, below(node, restrictions))


def below(node: Node, restrictions: tuple[CheckedFilter, ...]) -> tuple[CheckedFilter, ...]:
    """The restrictions that apply to a node's children."""
    return (*restrictions, node.filter) if isinstance(node, Restrict) else restrictions
