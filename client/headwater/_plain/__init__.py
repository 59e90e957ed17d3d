"""Converts what people pass (dicts, strings, columns, dates) to the values that methods work with. Sends nothing."""

from headwater._plain.arguments import Arguments
from headwater._plain.columns import points_of
from headwater._plain.instants import instant_text
from headwater._plain.payload_values import makes_payload, plain_of
from headwater._plain.spelling import member_of, snake_case
from headwater._plain.string_queries import explained
from headwater._plain.where import Where, filter_of_where

__all__ = [
    "Arguments",
    "Where",
    "explained",
    "filter_of_where",
    "instant_text",
    "makes_payload",
    "member_of",
    "plain_of",
    "points_of",
    "snake_case",
]
