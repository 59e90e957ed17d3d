// What a scan of rows keeps of each query: the rows whose estimates say that they may be among the best.
//
// Estimates are such that higher is better: of Euclid the negative square, of other distances the negative. A row stays
// while its best possible estimate reaches the worst possible estimate of the `limit`-th best row.
#pragma once

#include <time.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels.h"

constexpr double NO_BOUND = std::numeric_limits<double>::infinity();
constexpr double SCORE_ROUNDED = 0x1p-20, LEAST_MARGIN = 1e-37;  // see storage/search/candidates.py

static inline bool is_past(double deadline) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec) >= deadline;
}

// Looks at the clock once in so much work, which is about as many bytes as are compared.
struct Pace {
    static constexpr size_t AT_ONCE = 1 << 18;  // some tens of microseconds

    double deadline;
    size_t left = 0;  // work until the next look

    bool is_late(size_t work) {
        if (work < left) {
            left -= work;
            return false;
        }
        left = AT_ONCE;
        return is_past(deadline);
    }
};

static inline bool higher_is_better(int32_t metric) { return metric == COSINE || metric == DOT; }

// The most and the least that the estimate of a row with this exact score can be.
struct Span {
    double least, most;

    Span(int32_t metric, float score) {
        double wide = score, estimate = metric == EUCLID ? -wide * wide : higher_is_better(metric) ? wide : -wide;
        double margin = SCORE_ROUNDED * std::fabs(estimate) + LEAST_MARGIN;
        least = estimate - margin, most = estimate + margin;
    }
};

// The greatest `limit` of numbers that are added: `least` is the smallest of them once there are so many.
template <class Number>
struct Greatest {
    size_t limit;
    std::vector<Number> heap;

    bool full() const { return heap.size() == limit; }
    Number least() const { return heap.front(); }

    void add(Number number) {
        if (full()) {
            if (number <= least()) return;
            std::pop_heap(heap.begin(), heap.end(), std::greater<Number>()), heap.back() = number;
        } else {
            heap.push_back(number);
        }
        std::push_heap(heap.begin(), heap.end(), std::greater<Number>());
    }
};

struct Survey {
    struct Candidate {
        double upper;
        int64_t position;
    };

    std::vector<Candidate> candidates;
    Greatest<double> lows;
    double floor = -NO_BOUND, begin_most = NO_BOUND, begin_least = NO_BOUND;

    Survey(int32_t metric, size_t limit, float floor_score, float after) : lows{limit, {}} {
        if (!std::isnan(floor_score)) floor = Span(metric, floor_score).least;
        if (!std::isnan(after)) begin_least = Span(metric, after).least, begin_most = Span(metric, after).most;
    }

    // A row whose estimate is off by `bound` at most. Throws std::bad_alloc.
    void add(int64_t position, double guess, double bound) {
        double upper = guess + bound, lower = guess - bound;
        if (upper < floor || lower > begin_most) return;
        candidates.push_back({upper, position});
        if (upper < begin_least) {
            lows.add(lower);
            if (lows.full()) floor = std::max(floor, lows.least());
        }
        if (candidates.size() >= crowd) thin_out();
    }

    // Leaves those that may still be among the best, the best possible first.
    void arrange() {
        thin_out();
        for (Candidate& each : candidates)
            if (std::isnan(each.upper)) each.upper = NO_BOUND;  // of a damaged row: it has no place in an order
        std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
            return a.upper > b.upper || (a.upper == b.upper && a.position < b.position);
        });
    }

  private:
    size_t crowd = 4096;

    void thin_out() {
        auto gone = [this](const Candidate& each) { return each.upper < floor; };
        candidates.erase(std::remove_if(candidates.begin(), candidates.end(), gone), candidates.end());
        crowd = std::max(size_t(4096), 2 * candidates.size());
    }
};

// What a scan found for one query: rows with their exact scores, in no order.
struct ScanFound {
    std::vector<int64_t> positions;
    std::vector<float> scores;
};

// Gathers rows with exact scores and leaves the best `limit` with what ties with the worst of them, and what ties with
// the score that the ranking goes on after, since only ids tell which of these come after it.
struct Finalists {
    int32_t metric;
    float floor, after;  // as keys, which are scores of which higher is better; NaN: none
    Greatest<float> keys;
    std::vector<std::pair<float, int64_t>> held;

    Finalists(int32_t metric, size_t limit, float floor_score, float after_score)
        : metric(metric), floor(key(floor_score)), after(key(after_score)), keys{limit, {}} {}

    float key(float score) const { return higher_is_better(metric) ? score : -score; }

    void add(int64_t position, float score) {
        float own = key(score);
        if (own > after) return;
        if (own != after) {
            if (own < floor || (keys.full() && own < keys.least())) return;
            keys.add(own);
        }
        held.emplace_back(own, position);
    }

    // Below which estimate no row can be among the best.
    double least() const { return keys.full() ? Span(metric, key(keys.least())).least : -NO_BOUND; }

    void give(ScanFound& found) const {
        for (auto [own, position] : held) {
            if (own != after && keys.full() && own < keys.least()) continue;
            found.positions.push_back(position);
            found.scores.push_back(key(own));
        }
    }
};
