// Postings as they lie in memory, and what is searched in them.
#pragma once

#include <cstddef>
#include <cstdint>

// Postings of some points: those of term i are from `starts[i]` to `starts[i + 1]`. Posting i is of the point `of[i]`,
// and its term is there `occurrence_starts[i + 1] - occurrence_starts[i]` times. planner/text/segment.py says more.
struct Postings {
    const uint32_t* slots;   // (points,), ascending
    const int32_t* lengths;  // (points,)
    uint64_t points;
    const int32_t* codes;   // (terms,), ascending
    const int64_t* starts;  // (terms + 1,)
    uint64_t terms;
    const int32_t* of;            // (postings,), ascending for each term
    const int64_t* occurrence_starts;  // (postings + 1,), ascending
    uint64_t postings;
};

// A part of the index of a field. `alive` (points,) says which points count; null: all.
struct PostingsPart {
    const Postings* postings;
    const uint8_t* alive;
    int64_t field;
};

struct PostingsField {
    double weight, k1, b, average;
};

// What is looked for in one field: a term by its code, or hits that are given for each part of the field.
struct PostingsUnit {
    int64_t field;
    int64_t code;      // -1: its hits are given
    int64_t scoring;   // of `UnitScoring`
    double rarity;     // what a score is multiplied by first
    double repeated;   // and last
};

enum UnitScoring : int64_t { UNSCORED = 0, BY_FREQUENCY = 1, ALWAYS_ONE = 2 };

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

// The parts of a field stand in order, as its units do. `hits` are those of the first unit that has some, by part, then
// of the next.
struct PostingsQuery {
    const PostingsField* fields;
    uint64_t field_count;
    const PostingsPart* parts;
    uint64_t part_count;
    const PostingsUnit* units;
    uint64_t unit_count;
    const PostingsHits* hits;
    uint64_t hit_count;
    const PostingsGroup* groups;
    uint64_t group_count;
    const int64_t* members;
    uint64_t member_count;
    const uint32_t* allowed;  // slots, ascending; null: all
    uint64_t allowed_count;
    uint64_t largest;  // 1: the score is the largest of the fields' and not their sum
    uint64_t limit;
    double deadline;  // in seconds of CLOCK_MONOTONIC
};
