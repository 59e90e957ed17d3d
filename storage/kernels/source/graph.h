// A graph of usearch, read in place from the bytes of its file. storage/index/graph_file.py tells the layout.
//
// Nothing that the file says is trusted: what decides how far is read was checked when it was opened, or is checked
// where it is read. A link to a node that is not there is passed over.
#pragma once

#include <cstring>
#include <vector>

#include "kernels.h"

struct Graph {
    int32_t metric, form;
    size_t size;       // components of a vector
    size_t positions;  // keys are below it
    size_t row_bytes;
    const uint8_t* vectors;  // (nodes, row_bytes)

    size_t nodes, links, base_links, highest, entry;
    const uint8_t* levels;                // (nodes,) of int16
    const uint8_t* tapes;                 // the nodes, one after another
    std::vector<uint32_t> levels_before;  // of all nodes before this one, in sum

    const int8_t* code(size_t node) const { return coded.codes + node * coded.stride; }
    const uint8_t* vector(size_t node) const { return vectors + node * row_bytes; }
    size_t level(size_t node) const { return number<uint16_t>(levels + 2 * node); }
    const uint8_t* tape(size_t node) const {
        return tapes + node * (HEAD + 4 + 4 * base_links) + size_t(levels_before[node]) * (4 + 4 * links);
    }
    GraphCodes coded = {};  // its `codes` are null when there are none

    uint64_t key(size_t node) const { return number<uint64_t>(tape(node)); }

    // Calls `visit` with every node that `node` is linked with at `level`. Requires: `node` has the level.
    template <class Visit>
    inline __attribute__((always_inline)) void each_link(size_t node, size_t level, Visit visit) const {
        const uint8_t* at = tape(node) + HEAD;
        size_t most = base_links;
        if (level) at += 4 + 4 * base_links + (level - 1) * (4 + 4 * links), most = links;
        size_t count = number<uint32_t>(at);
        if (count > most) count = most;
        for (size_t i = 0; i < count; i++) {
            size_t other = number<uint32_t>(at + 4 + 4 * i);
            if (other < nodes && (level == 0 || this->level(other) >= level)) visit(other);
        }
    }

    // DONE, or why the bytes are no graph of this form.
    int32_t open(const uint8_t* bytes, size_t length);

    template <class T>
    static inline __attribute__((always_inline)) T number(const uint8_t* at) {
        T value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }

    static constexpr size_t HEAD = 10;  // bytes of a node before its links: its key and its level
};

// Bytes of a stored vector, and of a query that is compared with it.
static inline size_t bytes_of_row(int32_t form, size_t size) {
    switch (form) {
        case FLOAT32: return 4 * size;
        case BFLOAT16: case FLOAT16: return 2 * size;
        case INT8: return size;
        default: return (size + 7) / 8;
    }
}

static inline size_t bytes_of_query(int32_t form, size_t size) {
    return form == INT8 || form == BITS ? bytes_of_row(form, size) : 4 * size;
}
