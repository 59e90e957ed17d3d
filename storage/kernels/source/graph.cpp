// Opening a graph: every number that decides how far is read is compared with the length of the file.

#include "graph.h"

#include <new>

#include "paths.h"

namespace {

constexpr size_t MATRIX = 8, HEAD_BYTES = 64, GRAPH_BYTES = 40;
constexpr uint64_t MOST_LINKS = 1 << 12;
constexpr size_t MOST_NODES = size_t(1) << 31;

// The versions of usearch whose files have this layout.
constexpr uint16_t VERSION = 2;

// Kinds of scalars in the head of a file, in the order of `Form`.
constexpr uint8_t SCALARS[] = {0x0B, 0x04, 0x0C, 0x17, 0x01};
constexpr uint8_t KEY_U64 = 0x0E, SLOT_U32 = 0x0F;

}  // namespace

int32_t Graph::open(const uint8_t* bytes, size_t length) {
    if (form < FLOAT32 || form > BITS || size == 0 || length < MATRIX) return BAD_ARGUMENT;
    row_bytes = bytes_of_row(form, size);
    nodes = number<uint32_t>(bytes);
    if (number<uint32_t>(bytes + 4) != row_bytes || nodes > MOST_NODES) return UNSOUND;
    size_t at = MATRIX, left = length - MATRIX;
    auto take = [&](size_t count) {
        const uint8_t* from = bytes + at;
        if (count > left) return static_cast<const uint8_t*>(nullptr);
        at += count, left -= count;
        return from;
    };
    vectors = take(nodes * row_bytes);
    const uint8_t* head = take(HEAD_BYTES);
    const uint8_t* counts = take(GRAPH_BYTES);
    if (!vectors || !head || !counts) return UNSOUND;
    if (std::memcmp(head, "usearch", 7) || head[14] != SCALARS[form] || head[15] != KEY_U64 || head[16] != SLOT_U32)
        return UNSOUND;
    if (number<uint16_t>(head + 7) != VERSION) return UNSOUND;
    uint64_t told[5];
    std::memcpy(told, counts, sizeof told);
    if (told[0] != nodes || told[1] > MOST_LINKS || told[2] > MOST_LINKS || told[3] > 64) return UNSOUND;
    links = told[1], base_links = told[2], highest = told[3], entry = told[4];
    levels = take(2 * nodes);
    if (!levels || (nodes && (entry >= nodes || level(entry) != highest))) return UNSOUND;
    try {
        levels_before.resize(nodes);
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
    uint64_t before = 0;
    for (size_t node = 0; node < nodes; node++) {
        levels_before[node] = uint32_t(before);
        if (level(node) > highest) return UNSOUND;
        before += level(node);
        if (before > UINT32_MAX) return UNSOUND;
    }
    tapes = bytes + at;
    return left == nodes * (HEAD + 4 + 4 * base_links) + before * (4 + 4 * links) ? DONE : UNSOUND;
}

int32_t hw_graph_open(const uint8_t* bytes, size_t length, int32_t metric, int32_t form, size_t size, size_t positions,
                      void** graph, size_t* nodes) {
    Graph* made = new (std::nothrow) Graph();
    if (!made) return NO_MEMORY;
    made->metric = metric, made->form = form, made->size = size, made->positions = positions;
    int32_t status = made->open(bytes, length);
    if (status == DONE)
        *graph = made, *nodes = made->nodes;
    else
        delete made;
    return status;
}


static bool has_codes(const Graph& graph) { return graph.form == BFLOAT16 || graph.form == FLOAT16; }

int32_t hw_graph_use_codes(void* handle, const GraphCodes* codes) {
    Graph& graph = *static_cast<Graph*>(handle);
    if (!has_codes(graph) || codes->nodes != graph.nodes || codes->stride < graph.size) return BAD_ARGUMENT;
    graph.coded = *codes;
    return DONE;
}

int32_t hw_graph_code(const void* handle, size_t first, size_t count, size_t stride, int8_t* codes, float* scales,
                      float* squares) {
    const Graph& graph = *static_cast<const Graph*>(handle);
    if (!has_codes(graph) || first > graph.nodes || count > graph.nodes - first || stride < graph.size) return BAD_ARGUMENT;
    try {
        path().code_vectors(graph, first, count, stride, codes, scales, squares);
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
    return DONE;
}

void hw_graph_close(void* graph) { delete static_cast<Graph*>(graph); }
