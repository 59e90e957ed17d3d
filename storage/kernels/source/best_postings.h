// The best of the points that a search of postings finds.
#pragma once

#include <algorithm>
#include <limits>
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

    // Requires: `limit` is at least 1.
    explicit BestPostings(uint64_t limit) : limit(limit), room(2 * std::min<uint64_t>(limit, 1 << 20) + 64) {}

    void add(uint32_t slot, float score) {
        added++;
        if (score < worst) return;
        found.push_back({slot, score});
        if (found.size() >= room) drop(), room = std::max(room, 2 * found.size());
    }

    // Drops all that are worse than the last of the best.
    void drop() {
        if (found.size() <= limit) return;
        std::nth_element(found.begin(), found.begin() + ptrdiff_t(limit - 1), found.end(),
                         [](const Scored& one, const Scored& other) { return one.score > other.score; });
        worst = found[limit - 1].score;
        found.erase(std::remove_if(found.begin(), found.end(), [&](const Scored& each) { return each.score < worst; }),
                    found.end());
    }

  private:
    uint64_t limit;
    size_t room;
    float worst = -std::numeric_limits<float>::infinity();
};

// Puts the best points of a query into `best`, in no order, and all that tie with the last of them. kernels.cpp chooses
// the instructions.
int32_t search_by_path(const PostingsQuery& query, const PostingsLists& lists, BestPostings& best);
