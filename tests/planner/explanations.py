"""Explanations as tests compare them. Owns no expectation."""

from dataclasses import replace

from planner.explain.explain_node import ExplainNode


def without_times(node: ExplainNode) -> ExplainNode:
    return replace(node, microseconds=None, children=tuple(without_times(child) for child in node.children))
