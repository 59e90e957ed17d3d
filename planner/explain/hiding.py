"""Plans without values of users: what logs and traces may show. The tree, its settings and its numbers stay.

Ids, texts, terms and values of filters are hidden. An attribute that is not known to be harmless is, too.
"""

from dataclasses import replace

from planner.explain.explain_node import ExplainNode
from planner.query import HIDDEN

_HARMLESS = {
    "all_terms",
    "by",
    "candidates",
    "combine",
    "composite",
    "direction",
    "distance",
    "diversity",
    "exact",
    "fields",
    "filter_strategy",
    "hnsw_ef",
    "indexed_only",
    "indices",
    "ivf_nprobe",
    "k",
    "last_as_prefix",
    "limit",
    "metric",
    "negative",
    "nprobe",
    "offset",
    "oversampling",
    "pairs",
    "path",
    "payload",
    "plain",
    "positive",
    "rescore",
    "rows",
    "score_mode",
    "size",
    "strategy",
    "using",
    "vectors",
    "weights",
}
"""Attributes that are names, counts and settings."""

MAX_SHOWN_CHARACTERS = 400
"""Characters of an attribute that are shown: a filter may have thousands of conditions."""

SHAPE = "filter"
"""The attribute that is shown as the shape of a filter. Whoever makes the tree describes filters so: see _Teller."""


def without_values(node: ExplainNode) -> ExplainNode:
    """The tree below `node`, whose filters are shapes already, without other values."""
    shown = _HARMLESS | {SHAPE}
    attributes = {name: _cut(value) if name in shown else HIDDEN for name, value in node.attributes.items()}
    return replace(node, attributes=attributes, children=tuple(without_values(child) for child in node.children))


def _cut(text: str) -> str:
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    return f"{text[:MAX_SHOWN_CHARACTERS]}... {len(text):,} characters in all"
