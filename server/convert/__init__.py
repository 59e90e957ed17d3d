"""Conversion between messages and the types of planner and storage. Errors name the field. Calls no engine."""

from server.convert.analyses import (
    aggregate_query_of,
    facet_query_of,
    fill_aggregates,
    fill_facets,
    fill_groups,
    fill_offsets,
    fill_pairs,
    group_query_of,
    matrix_query_of,
)
from server.convert.answers import explanation_message, fill_hit, fill_points, fill_result, points_reply_of, reply_of
from server.convert.explanations import point_explanation_message
from server.convert.field_paths import enum_value, join, kind_of
from server.convert.filters import filter_of
from server.convert.ids import point_id_message, point_id_of, point_ids_of
from server.convert.indexes import coverage_message, index_message, ready_policy_of, similarity_of, source_of
from server.convert.known_requests import KnownRequest, KnownRequests
from server.convert.maintenance import stats_response, task_message, task_messages
from server.convert.payload import ProtobufPayloadCodec, payload_of, stored_payload
from server.convert.payload_changes import replaced
from server.convert.payload_schema import field_index_info, field_index_params_of
from server.convert.queries import SCORE_MODES, query_of, search_of, search_params_of
from server.convert.schema import SPACE_STATES, change_of, collection_info, schema_of
from server.convert.selectors import payload_selector_of, vectors_selector_of
from server.convert.shapes import Shapes, Unshaped
from server.convert.text import check_index_path, text_settings_of
from server.convert.vector_kinds import vector_kind, vector_of
from server.convert.vectors import write_dense
from server.convert.writes import (
    Target,
    clear_payload_of,
    delete_of,
    delete_payload_of,
    delete_vectors_of,
    operations_of,
    overwrite_payload_of,
    set_payload_of,
    update_vectors_of,
    upsert_of,
)
from server.convert.written_points import UpdateVectorsRequest, UpsertRequest

__all__ = [
    "SCORE_MODES",
    "SPACE_STATES",
    "KnownRequest",
    "KnownRequests",
    "ProtobufPayloadCodec",
    "Shapes",
    "Target",
    "Unshaped",
    "UpdateVectorsRequest",
    "UpsertRequest",
    "aggregate_query_of",
    "change_of",
    "check_index_path",
    "clear_payload_of",
    "collection_info",
    "coverage_message",
    "delete_of",
    "delete_payload_of",
    "delete_vectors_of",
    "enum_value",
    "explanation_message",
    "facet_query_of",
    "field_index_info",
    "field_index_params_of",
    "fill_aggregates",
    "fill_facets",
    "fill_groups",
    "fill_hit",
    "fill_offsets",
    "fill_pairs",
    "fill_points",
    "fill_result",
    "filter_of",
    "group_query_of",
    "index_message",
    "join",
    "kind_of",
    "matrix_query_of",
    "operations_of",
    "overwrite_payload_of",
    "payload_of",
    "payload_selector_of",
    "point_explanation_message",
    "point_id_message",
    "point_id_of",
    "point_ids_of",
    "points_reply_of",
    "query_of",
    "ready_policy_of",
    "replaced",
    "reply_of",
    "schema_of",
    "search_of",
    "search_params_of",
    "set_payload_of",
    "similarity_of",
    "source_of",
    "stats_response",
    "stored_payload",
    "task_message",
    "task_messages",
    "text_settings_of",
    "update_vectors_of",
    "upsert_of",
    "vector_kind",
    "vector_of",
    "vectors_selector_of",
    "write_dense",
]
