// Searches of postings. What postings say is checked here, once, so that a search need not. Slots out of order would give a wrong answer, no worse.

#include "kernels.h"

#include <new>

#include "best_postings.h"

static bool is_sound(const Postings& all) {
    if (all.points > INT32_MAX || all.starts[0] != 0 || all.starts[all.terms] != int64_t(all.postings)) return false;
    if (!is_ascending(all.codes, all.terms) || !is_ascending(all.starts, all.terms + 1)) return false;
    for (uint64_t i = 0; i < all.terms; i++) {
        const int64_t start = all.starts[i];
        if (!are_hits(all, all.of + start, all.occurrence_starts + start, uint64_t(all.starts[i + 1] - start))) return false;
    }
    return true;
}

int32_t hw_postings_check(const Postings* postings) { return is_sound(*postings) ? DONE : UNSOUND; }

int32_t hw_postings_search(const PostingsQuery* query, uint32_t* slots, float* scores, uint64_t room, uint64_t* found,
                           uint64_t* matching) {
    if (query->limit == 0) return BAD_ARGUMENT;
    try {
        PostingsLists lists;
        BestPostings best(query->limit);
        if (!find_lists(*query, lists)) return BAD_ARGUMENT;
        int32_t status = search_by_path(*query, lists, best);
        if (status != DONE) return status;
        *found = best.found.size(), *matching = best.added;
        for (size_t i = 0; i < best.found.size() && i < room; i++)
            slots[i] = best.found[i].slot, scores[i] = best.found[i].score;
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}
