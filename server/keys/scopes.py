"""The scope that each RPC needs. A test asks that every RPC of every service is here."""

from collections.abc import Mapping

from server.keys.access import Scope

_READS = {
    "Collections": ("Get", "List", "Exists", "ListAliases"),
    "Points": (
        "Get",
        "Search",
        "SearchBatch",
        "Query",
        "QueryBatch",
        "Explain",
        "ExplainPoint",
        "QueryGroups",
        "Facet",
        "Aggregate",
        "SearchMatrixPairs",
        "SearchMatrixOffsets",
        "Scroll",
        "CloseCursor",
        "Count",
    ),
    "Indexes": ("Get", "List", "GetStats", "Search"),
    "VDE": (
        "GetState",
        "GetVectorCount",
        "GetStats",
        "GetRebuildTask",
        "ListRebuildTasks",
        "GetOptimizations",
        "EvaluateRecall",
        "ListSnapshots",
        "DownloadSnapshot",
        "SampleVectors",
    ),
}
_WRITES = {
    "Points": (
        "Upsert",
        "Delete",
        "UpdateVectors",
        "DeleteVectors",
        "SetPayload",
        "OverwritePayload",
        "DeletePayload",
        "ClearPayload",
        "UpdateBatch",
    ),
    "Indexes": ("UpsertVectors", "UpsertRecords"),
    "VDE": ("Flush", "Prewarm"),
}
_ADMINISTRATION = {
    "Collections": ("Create", "Update", "Delete", "UpdateAliases"),
    "Points": ("CreateFieldIndex", "DeleteFieldIndex", "CreateTextIndex", "DeleteTextIndex"),
    "Indexes": ("Create", "Delete", "Rearm"),
    "Keys": ("Create", "List", "Rotate", "Delete"),
    "VDE": (
        "Open",
        "Close",
        "Optimize",
        "RebuildIndex",
        "TriggerRebuild",
        "CancelRebuildTask",
        "CompactCollection",
        "CloneCollection",
        "CreateSnapshot",
        "DeleteSnapshot",
        "RestoreSnapshot",
        "UploadSnapshot",
        "ImportPartition",
        "DeletePartition",
    ),
}

SCOPES: Mapping[str, Scope] = {
    f"headwater.v1.{service}/{method}": scope
    for scope, table in ((Scope.READ, _READS), (Scope.WRITE, _WRITES), (Scope.ADMIN, _ADMINISTRATION))
    for service, methods in table.items()
    for method in methods
}
"""By names such as `headwater.v1.Points/Query`."""

NOT_LIMITED = frozenset(
    {
        "headwater.v1.Collections/UpdateAliases",
        *(f"headwater.v1.Keys/{method}" for method in _ADMINISTRATION["Keys"]),
        "headwater.v1.VDE/GetRebuildTask",
        "headwater.v1.VDE/CancelRebuildTask",
        *(
            f"headwater.v1.Indexes/{method}"
            for table in (_READS, _WRITES, _ADMINISTRATION)
            for method in table["Indexes"]
        ),
    }
)
"""RPCs that only keys for all collections may call: they name something else than collections."""
