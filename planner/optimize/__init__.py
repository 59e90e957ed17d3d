"""Rewrites of plans: one pure function per rule, which returns the same object when it does nothing, in order."""

from planner.optimize.optimizer import optimize, optimize_whole_lists

__all__ = ["optimize", "optimize_whole_lists"]
