"""Runs the rules over a plan until none changes it. Each rule keeps what the plan emits; tests execute both sides."""

from collections.abc import Callable
from dataclasses import replace

from planner.plan import Node, Plan
from planner.rules.drop_empty import drop_empty
from planner.rules.normalise_filter import normalise_filter
from planner.rules.order_conditions import order_conditions
from planner.rules.push_down_filter import push_down_filter
from planner.rules.push_limit import push_limit

Rule = Callable[[Node], Node]

RULES: tuple[Rule, ...] = (push_down_filter, normalise_filter, order_conditions, drop_empty, push_limit)

MAX_ROUNDS = 32
"""Rounds of all rules. Every rule makes plans smaller or simpler, so more is a bug of a rule."""


def _unobserved(rule: str, node: Node) -> None:
    pass


def optimize(plan: Plan, observe: Callable[[str, Node], None] = _unobserved, *, without: tuple[Rule, ...] = ()) -> Plan:
    """The plan to run. `observe` is told the name of each rule that changed the tree, and the tree after it."""
    node = plan.root
    for _ in range(MAX_ROUNDS):
        before = node
        for rule in (rule for rule in RULES if rule not in without):
            changed = rule(node)
            if changed is not node:
                observe(rule.__name__, changed)
            node = changed
        if node is before:
            return plan if node is plan.root else replace(plan, root=node)
    raise AssertionError(f"the optimizer does not converge after {MAX_ROUNDS} rounds")
