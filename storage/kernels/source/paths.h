// The sets of instructions: for each, the functions that were compiled for it.
#pragma once

#include <atomic>

#include "best_postings.h"
#include "multi.h"
#include "scans.h"
#include "walks.h"

struct Path {
    const char* name;
    bool (*is_there)();
    int32_t (*scores)(int32_t metric, const float* vector, Query query, const Rows& rows, float* scores);
    int32_t (*walk)(const Graph& graph, const Asking& asking, Receiver& receiver, std::atomic<size_t>& next);
    int32_t (*scan)(const ScanRows& rows, const ScanQueries& queries, size_t first, size_t last, ScanFound* found);
    void (*code)(const float* row, size_t size, int8_t* codes, float* scale, float* lost);
    int32_t (*search_postings)(const PostingsQuery& query, const PostingsLists& lists, BestPostings& best);
    int32_t (*score_multi)(const MultiQuery& query, const MultiDocuments& documents, const MultiScores& answers);
    void (*code_vectors)(const Graph& graph, size_t first, size_t count, size_t stride, int8_t* codes, float* scales,
                         float* squares);
    void (*code_products)(const int8_t* query, const int8_t* rows, size_t count, size_t size, int32_t* products);
    void (*unequal_bits)(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes, int32_t* unequal);
};

extern const Path SCALAR, AVX2, AVX512, NEON;

// The set that is used.
const Path& path();
