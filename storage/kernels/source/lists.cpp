// Codes of lists: what is given is checked here, and each query is padded.

#include <cstring>
#include <new>
#include <vector>

#include "paths.h"

namespace {

constexpr size_t PADDING = 128;

// Calls `compare(query, rows, count, compared)` for each run. Its query has `bytes` bytes, and zeros behind them.
template <class Compare>
int32_t for_runs(const ListRuns& runs, size_t bytes, const uint8_t* queries, const uint8_t* rows, int32_t* found,
                 Compare compare) {
    for (size_t i = 0; i < runs.count; i++)
        if (runs.starts[i] < 0 || runs.stops[i] < runs.starts[i] || size_t(runs.stops[i]) > runs.rows) return BAD_ARGUMENT;
    try {
        std::vector<uint8_t> query(bytes + PADDING, 0);
        for (size_t i = 0; i < runs.count; i++) {
            std::memcpy(query.data(), queries + i * bytes, bytes);
            size_t start = size_t(runs.starts[i]), count = size_t(runs.stops[i]) - start;
            compare(query.data(), rows + start * bytes, count, found);
            found += count;
        }
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
    return DONE;
}

}  // namespace

int32_t hw_code_products(const ListRuns* runs, size_t size, const int8_t* queries, const int8_t* rows,
                         int32_t* products) {
    auto bytes = [](const int8_t* codes) { return reinterpret_cast<const uint8_t*>(codes); };
    return for_runs(*runs, size, bytes(queries), bytes(rows), products,
                    [size](const uint8_t* query, const uint8_t* some, size_t count, int32_t* found) {
                        path().code_products(reinterpret_cast<const int8_t*>(query),
                                             reinterpret_cast<const int8_t*>(some), count, size, found);
                    });
}

int32_t hw_unequal_bits(const ListRuns* runs, size_t bytes, const uint8_t* queries, const uint8_t* rows,
                        int32_t* unequal) {
    return for_runs(*runs, bytes, queries, rows, unequal,
                    [bytes](const uint8_t* query, const uint8_t* some, size_t count, int32_t* found) {
                        path().unequal_bits(query, some, count, bytes, found);
                    });
}
