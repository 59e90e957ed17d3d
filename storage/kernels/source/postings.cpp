// Searches of postings. What postings say is checked here, once, so that a search need not.

#include "kernels.h"

#include <new>

#include "best_postings.h"

namespace {

bool is_sound(const Postings& all) {
    if (all.points > INT32_MAX || all.starts[0] != 0 || all.starts[all.terms] != int64_t(all.postings)) return false;
    if (!is_ascending(all.slots, all.points)) return false;  // or a search would never pass them
    if (!is_ascending(all.codes, all.terms) || !is_ascending(all.starts, all.terms + 1)) return false;
    for (uint64_t i = 0; i < all.terms; i++) {
        const int64_t start = all.starts[i];
        if (!are_hits(all, all.of + start, all.occurrence_starts + start, uint64_t(all.starts[i + 1] - start))) return false;
    }
    return true;
}

// Sorts postings into kinds. The lengths are cut so that each part has about as many points.
void find_kinds(Postings& all) {
    constexpr size_t LENGTHS = Postings::LENGTHS;
    std::vector<int32_t> sorted(all.lengths, all.lengths + all.points);
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < LENGTHS; i++) all.least_lengths[i] = sorted[sorted.size() * i / LENGTHS];
    std::vector<uint8_t> of_point(all.points);
    for (uint64_t i = 0; i < all.points; i++) {
        const int32_t* above = std::upper_bound(all.least_lengths, all.least_lengths + LENGTHS, all.lengths[i]);
        of_point[i] = uint8_t(above - all.least_lengths - 1);
    }
    for (uint64_t i = 0; i < all.postings; i++) {
        int64_t frequency = all.occurrence_starts[i + 1] - all.occurrence_starts[i];
        size_t about = size_t(std::min<int64_t>(frequency, Postings::FREQUENCIES) - 1);
        all.kinds[i] = uint8_t(about * LENGTHS + of_point[size_t(all.of[i])]);
    }
}

}  // namespace

int32_t hw_postings_prepare(Postings* postings) {
    if (!is_sound(*postings)) return UNSOUND;
    try {
        if (postings->points) find_kinds(*postings);
        return DONE;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

void hw_postings_count(const PostingsPart* parts, uint64_t part_count, const int64_t* codes, uint64_t count,
                       int64_t* counts) {
    for (uint64_t i = 0; i < count; i++) {
        counts[i] = 0;
        for (const PostingsPart* part = parts; part < parts + part_count; part++) {
            PostingsList list = postings_of(*part, codes[i]);
            int64_t alive = part->alive ? 0 : int64_t(list.count);
            for (uint64_t at = 0; part->alive && at < list.count; at++) alive += part->alive[list.of[at]];
            counts[i] += alive;
        }
    }
}

int32_t hw_postings_search(const PostingsQuery* query, uint64_t bytes, uint32_t* slots, float* scores, uint64_t room,
                           uint64_t* found, uint64_t* matching) {
    if (bytes < sizeof *query || query->bytes() != bytes || query->limit == 0) return BAD_ARGUMENT;
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
