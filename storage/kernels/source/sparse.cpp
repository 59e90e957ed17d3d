// Scores of sparse vectors: products of a query are added up by row, in the order of the query's indices.

#include <cmath>
#include <limits>
#include <new>

#include "best_postings.h"
#include "scans.h"

int32_t hw_sparse_add(const SparseTerms* terms, size_t* next, const int32_t* rows, const float* values, size_t postings,
                      double* sums, int32_t* shared, size_t count, double deadline) {
    constexpr size_t AT_ONCE = 1 << 20, LOOKED_AT_ONCE = 1 << 14;
    size_t read = 0;
    for (; *next < terms->count && read < AT_ONCE; ++*next) {
        int64_t start = terms->starts[*next], stop = terms->stops[*next];
        if (start < 0 || stop < start || size_t(stop) > postings) return BAD_ARGUMENT;
        double weight = terms->weights[*next];
        for (size_t from = size_t(start); from < size_t(stop); from += LOOKED_AT_ONCE) {
            if (is_past(deadline)) return STOPPED;
            for (size_t i = from; i < std::min(size_t(stop), from + LOOKED_AT_ONCE); i++) {
                uint32_t row = uint32_t(rows[i]);
                if (row >= count) return BAD_ARGUMENT;
                sums[row] += weight * double(values[i]);
                shared[row]++;
            }
        }
        read += size_t(stop - start);
    }
    return DONE;
}

namespace {

// The same as SparseScores.result in storage/vectors/sparse.py.
float score_of(const SparseRows& rows, size_t row, int32_t shared) {
    constexpr double most = std::numeric_limits<float>::max();
    double score = rows.sums[row];
    if (rows.metric == JACCARD) {
        score = double(shared) / (double(rows.lengths[row]) + double(rows.terms) - double(shared));
    } else if (rows.metric == COSINE) {
        double scale = rows.norms[row] * rows.norm;
        score = scale > 0 ? score / scale : 0.0;
        score = std::max(-1.0, std::min(1.0, score));
    }
    return float(std::max(-most, std::min(most, score))) + 0.0f;
}

}  // namespace

int32_t hw_sparse_best(const SparseRows* rows, size_t limit, int64_t* positions, float* scores, size_t* found,
                       size_t* total) {
    if (limit < 1 || rows->count > std::numeric_limits<uint32_t>::max()) return BAD_ARGUMENT;
    try {
        BestPostings best(limit);
        for (size_t row = 0; row < rows->count; row++)
            if (rows->shared[row] && (!rows->usable || rows->usable[row]))
                best.add(uint32_t(row), score_of(*rows, row, rows->shared[row]));
        best.drop();
        *total = best.added, *found = best.found.size();
        for (size_t i = 0; i < best.found.size(); i++)
            positions[i] = int64_t(best.found[i].slot), scores[i] = best.found[i].score;
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}
