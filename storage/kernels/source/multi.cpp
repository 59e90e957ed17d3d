// MaxSim of multi-vectors: what is given is checked here.

#include <new>

#include "paths.h"

int32_t hw_max_similarities(const MultiQuery* query, const MultiDocuments* documents, float* scores, double* least,
                            double* most) {
    if (query->count == 0 || query->size == 0 || query->metric < COSINE || query->metric > JACCARD) return BAD_ARGUMENT;
    for (size_t i = 0; i < documents->count; i++) {
        int64_t start = documents->starts[i];
        int64_t stop = i + 1 < documents->count ? documents->starts[i + 1] : int64_t(documents->row_count);
        if (start < 0 || stop <= start || size_t(stop) > documents->row_count) return BAD_ARGUMENT;
    }
    try {
        return path().score_multi(*query, *documents, MultiScores{scores, least, most});
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}
