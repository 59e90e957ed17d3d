// Walks of several queries that run together.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "asked.h"
#include "rows.h"

struct Walks {
    const uint8_t* queries;
    size_t count, width;
    double deadline;
    int64_t *keys, *found, *computed;
};

static inline bool is_past(double deadline) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec) >= deadline;
}
