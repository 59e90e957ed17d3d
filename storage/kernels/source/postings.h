// Postings as they lie in memory, and what is searched in them. storage/kernels/postings.py packs the same.
#pragma once

#include <cstddef>
#include <cstdint>

// Postings of some points: those of term i are from `starts[i]` to `starts[i + 1]`. Posting i is of the point `of[i]`,
// and its term is there `occurrence_starts[i + 1] - occurrence_starts[i]` times. planner/text/segment.py says more.
struct Postings {
    static constexpr size_t FREQUENCIES = 8, LENGTHS = 32;

    const uint32_t* slots;   // (points,), ascending
    const int32_t* lengths;  // (points,)
    uint64_t points;
    const int32_t* codes;   // (terms,), ascending
    const int64_t* starts;  // (terms + 1,)
    uint64_t terms;
    const int32_t* of;            // (postings,), ascending for each term
    const int64_t* occurrence_starts;  // (postings + 1,), ascending
    uint64_t postings;
    // What is made of them. `kinds` (postings,): a posting of kind i * LENGTHS + j has about the i-th frequency, and
    // at least `least_lengths[j]` tokens in its text.
    uint8_t* kinds;
    int32_t* least_lengths;  // (LENGTHS,), ascending
};

// A part of the index of a field. `alive` (points,) says which points count; null: all.
struct PostingsPart {
    const Postings* postings;
    const uint8_t* alive;
};

struct PostingsField {
    double weight, k1, b, average;
    const PostingsPart* parts;
    uint64_t part_count, unit_count;
};

enum UnitScoring : int64_t { UNSCORED = 0, BY_FREQUENCY = 1, ALWAYS_ONE = 2 };

// What is looked for in one field: a term by its code, or hits that are given for each part of the field.
struct PostingsUnit {
    int64_t code;     // -1: its hits are given
    int64_t scoring;  // of `UnitScoring`
    double rarity;    // what a score is multiplied by first
    double repeated;  // and last
};

// Points of a part, ascending, and how often each has the unit: `occurrence_starts[i + 1] - occurrence_starts[i]` times.
struct PostingsHits {
    const int32_t* of;
    const int64_t* occurrence_starts;
    uint64_t count;
};

// The units of a clause in one field, `members[first]` and on. A point has the clause if it has all of one group; a
// group of none is never had. Groups of one clause stand together.
struct PostingsGroup {
    int64_t clause, excluded;
    uint64_t first, count;
};

// A query is this, and after it, without a gap: its fields, units by field, hits by unit and part, groups and members.
struct PostingsQuery {
    uint64_t field_count, unit_count, hit_count, group_count, member_count;
    const uint32_t* allowed;  // slots, ascending; null: all
    uint64_t allowed_count;
    uint64_t largest;  // 1: the score is the largest of the fields' and not their sum
    uint64_t limit;
    double deadline;  // in seconds of CLOCK_MONOTONIC

    const PostingsField* fields() const { return reinterpret_cast<const PostingsField*>(this + 1); }
    const PostingsUnit* units() const { return reinterpret_cast<const PostingsUnit*>(fields() + field_count); }
    const PostingsHits* hits() const { return reinterpret_cast<const PostingsHits*>(units() + unit_count); }
    const PostingsGroup* groups() const { return reinterpret_cast<const PostingsGroup*>(hits() + hit_count); }
    const int64_t* members() const { return reinterpret_cast<const int64_t*>(groups() + group_count); }
    size_t bytes() const { return size_t(reinterpret_cast<const char*>(members() + member_count) - reinterpret_cast<const char*>(this)); }
};
