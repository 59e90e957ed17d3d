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
