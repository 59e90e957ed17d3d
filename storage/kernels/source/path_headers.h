// What path.inc needs. It is included before a set of instructions is allowed: functions of these headers are shared by
// all sets, so they may use none of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <queue>
#include <vector>

#include "paths.h"
#include "rows.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors wider than the processor's are only used within a function

// The functions of a namespace, in the order of Path.
#define HW_FUNCTIONS(set)                                                                                      \
    set::scores, set::walk, set::scan, set::code, set::search_postings, set::score_multi, set::code_vectors,  \
        set::code_products, set::unequal_bits
