// Walks of several queries that run together, and what is done with what each finds.
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "asked.h"
#include "rows.h"

// Receives the positions that the walk of a query found, nearest first, by one thread for each query.
struct Receiver {
    virtual void receive(size_t number, const std::vector<int64_t>& positions, int64_t computed) = 0;
};
