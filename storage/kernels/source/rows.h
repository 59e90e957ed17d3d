// What the exact scores of all paths work on: the query as float64, and some rows of a matrix.
#pragma once

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "kernels.h"

constexpr size_t BLOCK = 32;  // sums of one score
constexpr size_t AHEAD = 6;   // rows that are fetched before they are needed
constexpr size_t LINE = 64;   // bytes of a line of the cache

static inline void prefetch(const void* from, size_t bytes) {
    const char* at = static_cast<const char*>(from);
    for (size_t i = 0; i < bytes && i < 32 * LINE; i += LINE) __builtin_prefetch(at + i);
}

struct Query {
    size_t size;
    double* values;  // (size,) and zeros up to a whole block
    double length = 0, sum = 0;
};

struct Rows {
    const float* vectors;
    size_t size, count;
    const int64_t* positions;  // null: the first `count` rows

    const float* at(size_t i) const { return vectors + (positions ? size_t(positions[i]) : i) * size; }
};
