"""Plans and their runs as trees and texts, and why a point is where it is, or missing."""

from planner.explain.absence import AbsenceReason, PointExplanation, StageOutcome
from planner.explain.explain_node import ExplainNode
from planner.explain.explanation import Explanation, HitExplanation, Ran, explain, outline
from planner.explain.plan_text import render
from planner.explain.points import explain_points
from planner.explain.runs import Run, Watched, watching

__all__ = [
    "AbsenceReason",
    "ExplainNode",
    "Explanation",
    "HitExplanation",
    "PointExplanation",
    "Ran",
    "Run",
    "StageOutcome",
    "Watched",
    "explain",
    "explain_points",
    "outline",
    "render",
    "watching",
]
