// The best of the points that a search of postings finds.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "posting_lists.h"

// The best `limit` of the points that are added, by score, and all that tie with the last of them.
class BestPostings {
  public:
    struct Scored {
        uint32_t slot;
        float score;
    };

    std::vector<Scored> found;
    uint64_t added = 0;
    float worst = -std::numeric_limits<float>::infinity();  // of the best, once there are `limit` of them

    // Requires: `limit` is at least 1.
    explicit BestPostings(uint64_t limit) : limit(limit), room(2 * std::min<uint64_t>(limit, 1 << 20) + 64) {}

    bool is_full() const { return found.size() >= limit; }

    void add(uint32_t slot, float score) {
        added++;
        if (score < worst) return;
        found.push_back({slot, score});
        if (found.size() >= room) drop(), room = std::max(room, 2 * found.size());
    }

    // Drops what is worse than the last of the best, if there is much new; `finish` drops all that is.
    void drop() {
        if (found.size() - dropped > dropped / 8) finish();
    }

    void finish() {
        if (!is_full()) return;
        std::nth_element(found.begin(), found.begin() + ptrdiff_t(limit - 1), found.end(),
                         [](const Scored& one, const Scored& other) { return one.score > other.score; });
        worst = found[limit - 1].score;
        found.erase(std::remove_if(found.begin(), found.end(), [&](const Scored& each) { return each.score < worst; }),
                    found.end());
        dropped = found.size();
    }

  private:
    uint64_t limit;
    size_t room;
    size_t dropped = 0;  // how many there were when the others were dropped
};

// What is added up for the slots of a window. Each thread has one, and every search leaves all zero.
struct WindowSums {
    static constexpr size_t WINDOW = 4096;

    alignas(64) double of_field[WINDOW] = {}, total[WINDOW] = {};
    alignas(64) float estimates[WINDOW] = {};
};

// Those of this thread. Throws std::bad_alloc.
static inline WindowSums& window_sums() {
    static thread_local std::unique_ptr<WindowSums> own;
    if (!own) own.reset(new WindowSums);
    return *own;
}

// Puts the best points of a query into `best`, in no order, and all that tie with the last of them. kernels.cpp chooses
// the instructions.
int32_t search_by_path(const PostingsQuery& query, const PostingsLists& lists, BestPostings& best);
