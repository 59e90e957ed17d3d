// The C interface of the wire library. server/wire/library.py declares the same functions for Python.
//
// Every function returns 0, or a number of `Status`. Nothing is thrown across this boundary. Arrays are little-endian,
// contiguous, and belong to the caller. No function keeps a pointer after it returns.
#pragma once

#include <cstddef>
#include <cstdint>

#define HW_API extern "C" __attribute__((visibility("default")))

enum Status : int32_t {
    DONE = 0,
    UNUSUAL = 1,     // the request is left to protobuf: it is malformed, or says something that is not known here
    NO_MEMORY = -1,
};

// How large the columns of a request's points are.
struct Sizes {
    int64_t points;
    int64_t payload_bytes;
    int64_t rest_bytes;  // of the fields of the request that are no points
    int64_t spaces;
};

// The vectors of one space. The name is a part of the request.
struct SpaceSizes {
    int64_t name_start;
    int64_t name_end;
    int64_t rows;
    int64_t components;  // of each row
};

// What is filled. `matrices` and `positions` have one array for each space.
struct Columns {
    uint64_t* numbers;      // (points,), ids that are numbers; 0 for others
    int64_t* keys;          // (points, 2), where ids that are strings begin and end in the request; -1 for others
    uint8_t* payloads;      // (payload_bytes,)
    int64_t* payload_ends;  // (points,)
    uint8_t* rest;          // (rest_bytes,)
    float* const* matrices;
    int64_t* const* positions;
};

static const int64_t MAX_SPACES = 64;  // more are left to protobuf

// The digest of the sources that the library was built from, as text.
HW_API const char* hw_source();

// Measures the points of a request, `PointsUpsertRequest` or, without payloads, `PointsUpdateVectorsRequest`. `spaces`
// has MAX_SPACES elements.
HW_API int32_t hw_points_measure(const uint8_t* request, size_t length, int32_t with_payloads, Sizes* sizes,
                                 SpaceSizes* spaces);

// Fills columns of the sizes that `hw_points_measure` gave for the same request.
HW_API int32_t hw_points_fill(const uint8_t* request, size_t length, int32_t with_payloads, const Sizes* sizes,
                              const SpaceSizes* spaces, const Columns* columns);

// Points as storage reads them: their records, and what these hold by the rows of `places` (5, count): versions; ids that
// are numbers; where ids that are strings begin, which end where payloads begin (of numbers just that); where payloads
// begin; where they end.
struct StoredPoints {
    const uint8_t* records;
    size_t length;
    const int64_t* places;
    size_t count;
    int32_t with_payloads;
};

// Answers to queries, by their points one after the other.
struct Answers {
    StoredPoints points;
    const float* scores;  // (points,)
    int64_t results;
    const int64_t* ends;    // (results,), where the points of each end
    const int64_t* totals;  // (results,); -1: not known
    uint64_t seq;
};

// Writes each answer as a `QueryResult` in `field` of the message around it. `capacity`: the room of `out`. NO_MEMORY:
// it is too small.
HW_API int32_t hw_answers_encode(const Answers* answers, uint32_t field, uint8_t* out, size_t capacity, size_t* length);

// Writes each point as a `RetrievedPoint` in `field` of the message around it, likewise.
HW_API int32_t hw_points_encode(const StoredPoints* points, uint32_t field, uint8_t* out, size_t capacity,
                                size_t* length);

// Fields that lead to vectors, by kind of message: those of kind k are `starts[k]` to `starts[k + 1]`.
struct Leads {
    const int64_t* starts;
    const int64_t* fields;  // numbers of fields, each of wire type LENGTH
    const int64_t* kinds;   // the kind of message in it, or VALUES: components of a vector, packed
    int64_t list;           // 0: the request is of kind 0; else: it has a list of such messages in this field
};

static const int64_t VALUES = -1, OTHER = -2;

static const int64_t MAX_CUT = 1024;  // parts, and vectors in all of them; requests with more are left to protobuf

// What a request is cut into. A request that is no list has one part.
struct Cut {
    uint8_t* keys;  // of a list, first the key of all that is not in the list; then those of its parts
    size_t key_room;
    float* values;
    size_t value_room;
    int64_t* key_ends;     // (MAX_CUT + 1,), where each key ends in `keys`
    int64_t* key_of;       // (MAX_CUT,), the key of each part, by number
    int64_t* vector_ends;  // (MAX_CUT,), where the vectors of each part end
    int64_t* value_ends;   // (MAX_CUT,), where each vector ends in `values`
    int64_t* value_places;  // (MAX_CUT,), where each vector begins in the request
};

struct CutSizes {
    int64_t parts;
    int64_t keys;
    int64_t vectors;
    int64_t values;
};

// Cuts a request into vectors, in the order of its bytes, and keys: requests with equal keys differ in vectors alone.
HW_API int32_t hw_request_cut(const uint8_t* request, size_t length, const Leads* leads, const Cut* cut,
                              CutSizes* sizes);
