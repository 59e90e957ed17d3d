"""From operations to a commit: one writer per collection, its transactions, and changes to spaces and settings."""

from storage.write.apply_points import Applied, apply
from storage.write.operations import (
    ByIds,
    BySlots,
    ChangePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    Payload,
    Selector,
    SpaceBodies,
    SpaceVectors,
    StoredCondition,
    UpdateVectors,
    Upsert,
    UpsertMode,
    WriteResult,
    frees_room,
    size_of,
)
from storage.write.repacking import Place, is_worthwhile, repack
from storage.write.structure_changes import (
    Merged,
    attach_graph,
    change_schema,
    check_change,
    replace_blocks,
    reserve_block,
    set_index_progress,
    set_partition,
    show_graph,
)
from storage.write.transaction import Transaction
from storage.write.validate import check_point_id, check_query_vector, check_vector, check_vectors, fits
from storage.write.waiting import wait_for
from storage.write.write_threads import WriteThreads
from storage.write.writer import Unit, Writer

__all__ = [
    "Applied",
    "ByIds",
    "BySlots",
    "ChangePayload",
    "DeletePoints",
    "DeleteVectors",
    "Merged",
    "Operation",
    "Payload",
    "Place",
    "Selector",
    "SpaceBodies",
    "SpaceVectors",
    "StoredCondition",
    "Transaction",
    "Unit",
    "UpdateVectors",
    "Upsert",
    "UpsertMode",
    "WriteResult",
    "WriteThreads",
    "Writer",
    "apply",
    "attach_graph",
    "change_schema",
    "check_change",
    "check_point_id",
    "check_query_vector",
    "check_vector",
    "check_vectors",
    "fits",
    "frees_room",
    "is_worthwhile",
    "repack",
    "replace_blocks",
    "reserve_block",
    "set_index_progress",
    "set_partition",
    "show_graph",
    "size_of",
    "wait_for",
]
