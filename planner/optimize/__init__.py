"""Rewrites of plans: one pure function per rule. A rule that has nothing to do returns the same object."""

from planner.optimize.optimizer import optimize, optimize_whole_lists

__all__ = ["optimize", "optimize_whole_lists"]
