"""Derived indexes made and written before anybody asks for them, behind everybody else."""

from planner.upkeep.first_queries import ask_first
from planner.upkeep.upkeep import Upkeep

__all__ = [
    "Upkeep",
    "ask_first",
]
