// The lists of postings that a query goes through, found in the parts of its fields.
#pragma once

#include <algorithm>
#include <vector>

#include "postings.h"

// The postings of a unit in one part.
struct PostingsList {
    const PostingsPart* part;
    const int32_t* of;
    const int64_t* occurrence_starts;
    const uint8_t* kinds;  // null: they are not known
    uint64_t count;
};

struct PostingsLists {
    std::vector<PostingsList> lists;  // by unit, then by part
    std::vector<size_t> first_list;   // of each unit, and the end
    std::vector<size_t> first_unit;   // of each field, and the end
    uint64_t postings = 0;            // in all of them
};

template <class T>
static inline bool is_ascending(const T* values, uint64_t count) {
    bool ascends = true;
    for (uint64_t i = 1; i < count; i++) ascends &= values[i - 1] < values[i];
    return ascends;
}

// Whether `of` (count,) are points of a part, ascending, and all have a frequency.
static inline bool are_hits(const Postings& part, const int32_t* of, const int64_t* occurrence_starts, uint64_t count) {
    if (count && (of[0] < 0 || occurrence_starts[0] < 0 || uint64_t(of[count - 1]) >= part.points)) return false;
    return is_ascending(of, count) && is_ascending(occurrence_starts, count + 1);
}

// The postings of a term; none when it is not in the part.
static inline PostingsList postings_of(const PostingsPart& part, int64_t code) {
    const Postings& in = *part.postings;
    const int32_t* found = std::lower_bound(in.codes, in.codes + in.terms, code);
    if (found == in.codes + in.terms || *found != code) return {&part, nullptr, nullptr, nullptr, 0};
    const int64_t *start = in.starts + (found - in.codes), first = *start;
    return {&part, in.of + first, in.occurrence_starts + first, in.kinds + first, uint64_t(start[1] - first)};
}

// Finds the lists of all units. False: the query names a unit or a point that is not there.
static inline bool find_lists(const PostingsQuery& query, PostingsLists& found) {
    size_t unit = 0, hit = 0;
    for (const PostingsField* field = query.fields(); field < query.fields() + query.field_count; field++) {
        found.first_unit.push_back(unit);
        if (field->unit_count > query.unit_count - unit) return false;
        for (size_t end = unit + field->unit_count; unit < end; unit++) {
            found.first_list.push_back(found.lists.size());
            for (const PostingsPart* part = field->parts; part < field->parts + field->part_count; part++) {
                if (query.units()[unit].code >= 0) {
                    found.lists.push_back(postings_of(*part, query.units()[unit].code));
                } else {
                    if (hit == query.hit_count) return false;
                    const PostingsHits& hits = query.hits()[hit++];
                    if (!are_hits(*part->postings, hits.of, hits.occurrence_starts, hits.count)) return false;
                    found.lists.push_back({part, hits.of, hits.occurrence_starts, nullptr, hits.count});
                }
                found.postings += found.lists.back().count;
            }
        }
    }
    found.first_unit.push_back(unit), found.first_list.push_back(found.lists.size());
    for (size_t i = 0; i < query.member_count; i++)
        if (query.members()[i] < 0 || uint64_t(query.members()[i]) >= query.unit_count) return false;
    for (size_t i = 0; i < query.group_count; i++) {
        const PostingsGroup& group = query.groups()[i];
        if (group.first > query.member_count || group.count > query.member_count - group.first) return false;
    }
    return unit == query.unit_count && hit == query.hit_count;
}
