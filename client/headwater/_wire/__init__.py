"""Converts between the models of the client and the messages of `headwater.v1`, both ways. Opens no connection."""

from headwater._wire.analyses import (
    aggregates_of,
    aggregation_messages,
    facets_of,
    groups_of,
    lookup_message,
    offsets_of,
    pairs_of,
)
from headwater._wire.collections import (
    alias_of,
    alias_operation_message,
    info_of,
    optimizers_message,
    sparse_vectors_messages,
    vectors_diff_messages,
    vectors_messages,
)
from headwater._wire.explanations import point_explanation_of
from headwater._wire.filters import filter_message
from headwater._wire.indexes import (
    index_arguments,
    index_create_request,
    index_hits_of,
    index_of,
    index_search_request,
    index_stats_of,
    item_messages,
    record_message,
)
from headwater._wire.limits import check_depth, unsigned
from headwater._wire.maintenance import state_info_of, state_of, stats_of, task_of, tasks_of
from headwater._wire.payload_schema import field_index_message, field_index_of, payload_schema_messages
from headwater._wire.points import asks_vectors, page_of, payload_selector, point_message, record_of, vectors_selector
from headwater._wire.queries import (
    explanation_of,
    hits_of,
    params_message,
    query_request,
    search_after_message,
    search_request,
)
from headwater._wire.status import error_of
from headwater._wire.text import text_index_message, text_index_messages
from headwater._wire.values import id_message, id_messages, id_of, name_list
from headwater._wire.vectors import float32_of, vector_message
from headwater._wire.writes import (
    clear_payload_request,
    delete_payload_request,
    delete_request,
    delete_vectors_request,
    operation_message,
    overwrite_payload_request,
    set_payload_request,
    update_result_of,
    update_vectors_request,
    upsert_request,
)

__all__ = [
    "aggregates_of",
    "aggregation_messages",
    "alias_of",
    "alias_operation_message",
    "asks_vectors",
    "check_depth",
    "clear_payload_request",
    "delete_payload_request",
    "delete_request",
    "delete_vectors_request",
    "error_of",
    "explanation_of",
    "facets_of",
    "field_index_message",
    "field_index_of",
    "filter_message",
    "float32_of",
    "groups_of",
    "hits_of",
    "id_message",
    "id_messages",
    "id_of",
    "index_arguments",
    "index_create_request",
    "index_hits_of",
    "index_of",
    "index_search_request",
    "index_stats_of",
    "info_of",
    "item_messages",
    "lookup_message",
    "name_list",
    "offsets_of",
    "operation_message",
    "optimizers_message",
    "overwrite_payload_request",
    "page_of",
    "pairs_of",
    "params_message",
    "payload_schema_messages",
    "payload_selector",
    "point_explanation_of",
    "point_message",
    "query_request",
    "record_message",
    "record_of",
    "search_after_message",
    "search_request",
    "set_payload_request",
    "sparse_vectors_messages",
    "state_info_of",
    "state_of",
    "stats_of",
    "task_of",
    "tasks_of",
    "text_index_message",
    "text_index_messages",
    "unsigned",
    "update_result_of",
    "update_vectors_request",
    "upsert_request",
    "vector_message",
    "vectors_diff_messages",
    "vectors_messages",
    "vectors_selector",
]
