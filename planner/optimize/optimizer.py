"""Runs the rules over a plan until none changes it. No rule changes what a plan emits; tests execute both sides."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from planner.optimize.drop_empty import drop_empty
from planner.optimize.normalise_filter import normalise_filter
from planner.optimize.order_conditions import order_conditions
from planner.optimize.push_down_filter import push_down_filter
from planner.optimize.push_limit import push_limit
from planner.plan import Node, Plan

Rule = Callable[[Node], Node]

RULES: tuple[Rule, ...] = (push_down_filter, normalise_filter, order_conditions, drop_empty, push_limit)

MAX_ROUNDS = 32
"""Rounds of all rules. Every rule makes plans smaller or simpler, so more rounds mean a bug in a rule."""


def _unobserved(rule: str, node: Node) -> None:
    pass


def optimize(plan: Plan, observe: Callable[[str, Node], None] = _unobserved) -> Plan:
    """The plan to run. `observe` gets the name of each rule that changed the tree, and the changed tree."""
    return _optimized(plan, RULES, observe)


def optimize_whole_lists(plan: Plan) -> Plan:
    """The plan to run to explain points: lists are not cut short where the rest would not change the answer."""
    return _optimized(plan, tuple(rule for rule in RULES if rule is not push_limit), _unobserved)


def _optimized(plan: Plan, rules: Sequence[Rule], observe: Callable[[str, Node], None]) -> Plan:
    node = plan.root
    for _ in range(MAX_ROUNDS):
        before = node
        for rule in rules:
            changed = rule(node)
            if changed is not node:
                observe(rule.__name__, changed)
            node = changed
        if node is before:
            return plan if node is plan.root else replace(plan, root=node)
    raise AssertionError(f"the optimizer does not converge after {MAX_ROUNDS} rounds")
