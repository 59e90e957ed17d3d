// Scans for many queries by several threads, and codes of rows.

#include <new>
#include <thread>

#include "paths.h"

namespace {

constexpr size_t QUERIES_AT_ONCE = 64;  // that share the rows which are near the processor

bool within(const int64_t* positions, size_t count, size_t rows) {
    if (!positions) return count <= rows;
    bool all = true;
    for (size_t i = 0; i < count; i++) all &= uint64_t(positions[i]) < rows;
    return all;
}

int32_t scan_all(const ScanRows& rows, const ScanQueries& queries, std::vector<ScanFound>& found) {
    size_t threads = std::max<size_t>(1, std::min(queries.threads, queries.count));
    size_t step = std::min(QUERIES_AT_ONCE, (queries.count + threads - 1) / threads);
    std::atomic<size_t> next{0};
    std::atomic<int32_t> status{DONE};
    auto work = [&] {
        for (size_t first = next.fetch_add(step); first < queries.count && status == DONE; first = next.fetch_add(step)) {
            int32_t own;
            try {
                own = path().scan(rows, queries, first, std::min(queries.count, first + step), found.data());
            } catch (const std::bad_alloc&) {
                own = NO_MEMORY;
            }
            if (own != DONE) status = own;
        }
    };
    std::vector<std::thread> others;
    try {
        for (size_t i = 1; i < threads; i++) others.emplace_back(work);
    } catch (const std::exception&) {
        // No more threads are to be had: those that there are do the work.
    }
    work();
    for (std::thread& other : others) other.join();
    return status;
}

}  // namespace

int32_t hw_scan(const ScanRows* rows, const ScanQueries* queries, int64_t* counts, void** handle) {
    if (rows->metric < COSINE || rows->metric > JACCARD || rows->size == 0) return BAD_ARGUMENT;
    if (!within(rows->positions, rows->count, rows->rows)) return BAD_ARGUMENT;
    for (size_t i = 0; i < queries->count; i++)
        if (queries->limits[i] < 1) return BAD_ARGUMENT;
    try {
        auto found = std::make_unique<std::vector<ScanFound>>(queries->count);
        int32_t status = scan_all(*rows, *queries, *found);
        if (status != DONE) return status;
        for (size_t i = 0; i < queries->count; i++) counts[i] = int64_t((*found)[i].positions.size());
        *handle = found.release();
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

void hw_scan_take(const void* handle, int64_t* positions, float* scores) {
    for (const ScanFound& each : *static_cast<const std::vector<ScanFound>*>(handle)) {
        positions = std::copy(each.positions.begin(), each.positions.end(), positions);
        scores = std::copy(each.scores.begin(), each.scores.end(), scores);
    }
}

void hw_scan_free(void* handle) { delete static_cast<std::vector<ScanFound>*>(handle); }

int32_t hw_codes(const float* vectors, size_t rows, size_t size, const int64_t* positions, size_t count, int8_t* codes,
                 float* scales, float* lost) {
    if (!within(positions, count, rows)) return BAD_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        path().code(vectors + (positions ? size_t(positions[i]) : i) * size, size, codes + i * size, scales + i, lost + i);
    return DONE;
}
