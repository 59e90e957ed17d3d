"""The planner's door to everybody above it: queries, reads, analyses, and the indexes that they use."""

from planner.engine.answer import QueryAnswer
from planner.engine.engine import Engine
from planner.engine.reads import Page
from planner.execute import Hit, HitColumns

__all__ = ["Engine", "Hit", "HitColumns", "Page", "QueryAnswer"]
