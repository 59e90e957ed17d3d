"""Makes derived indexes, and writes their files, before a request needs them. Requests go first."""

from planner.upkeep.first_queries import ask_first
from planner.upkeep.upkeep import Upkeep

__all__ = [
    "Upkeep",
    "ask_first",
]
