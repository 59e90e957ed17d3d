"""The planner's door to everybody above it: queries, reads, analyses, and the indexes that they use."""

from planner.engine.engine import Engine
from planner.engine.queries import Hit, QueryAnswer
from planner.engine.reads import Page

__all__ = ["Engine", "Hit", "Page", "QueryAnswer"]
