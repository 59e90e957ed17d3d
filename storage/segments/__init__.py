"""Rows of a space in files: blocks, their indexes and the quality of these, and the work that is due."""

from storage.segments.block import BlockView, SegmentIndex
from storage.segments.build_index import AGAIN, BuiltIndex, build_graph, judge_lists
from storage.segments.coding import open_with_codes
from storage.segments.index_warning import is_poor, measured_recall, poor_index, short_warning_of, warning_of
from storage.segments.matching import MatchingRows, MatchingRowsCache, RowsInBlock
from storage.segments.policy import (
    MAX_SEGMENT_ROWS,
    VACUUM_SHARE,
    BlockFacts,
    TaskKind,
    Work,
    due,
    facts_of,
    is_verification,
    seal_threshold,
)
from storage.segments.segment import (
    file_checksum,
    has_checksum,
    index_file,
    kind_of,
    kind_of_index,
    open_index,
    open_unverified,
    wants_index,
)
from storage.segments.slot_set import SlotSet
from storage.segments.space import NO_ROW, Space, SpaceView, read_row_numbers
from storage.segments.token_owners import read_token_owners

__all__ = [
    "AGAIN",
    "MAX_SEGMENT_ROWS",
    "NO_ROW",
    "VACUUM_SHARE",
    "BlockFacts",
    "BlockView",
    "BuiltIndex",
    "MatchingRows",
    "MatchingRowsCache",
    "RowsInBlock",
    "SegmentIndex",
    "SlotSet",
    "Space",
    "SpaceView",
    "TaskKind",
    "Work",
    "build_graph",
    "due",
    "facts_of",
    "file_checksum",
    "has_checksum",
    "index_file",
    "is_poor",
    "is_verification",
    "judge_lists",
    "kind_of",
    "kind_of_index",
    "measured_recall",
    "open_index",
    "open_unverified",
    "open_with_codes",
    "poor_index",
    "read_row_numbers",
    "read_token_owners",
    "seal_threshold",
    "short_warning_of",
    "wants_index",
    "warning_of",
]
