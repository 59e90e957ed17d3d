// The C interface of the kernels. storage/kernels/library.py declares the same functions for Python.
//
// Every function returns 0, or a negative number of `Status`. Nothing is thrown across this boundary. Arrays are
// little-endian, contiguous, and belong to the caller. No function keeps a pointer after it returns, except
// `hw_graph_open`, whose bytes must stay mapped until `hw_graph_close`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "postings.h"

#define HW_API extern "C" __attribute__((visibility("default")))

enum Status : int32_t {
    DONE = 0,
    NO_MEMORY = -1,
    BAD_ARGUMENT = -2,  // a position outside of the rows, a metric or a form that is not known
    UNSOUND = -3,       // a file says what cannot be
    STOPPED = -4,       // the deadline passed
};

// The same numbers as `Metric` in storage/kernels/metric.py.
enum Metric : int32_t { COSINE = 0, DOT = 1, EUCLID = 2, MANHATTAN = 3, HAMMING = 4, JACCARD = 5 };

// What the vectors of a graph are stored as. The same numbers as `Form` in storage/kernels/metric.py.
enum Form : int32_t { FLOAT32 = 0, BFLOAT16 = 1, FLOAT16 = 2, INT8 = 3, BITS = 4 };

// The digest of the sources that the library was built from, as text.
HW_API const char* hw_source();

// Which instructions are used: "avx512", "avx2", "neon" or "scalar". `hw_use` chooses by name; BAD_ARGUMENT when this
// processor has not got them.
HW_API const char* hw_path();
HW_API int32_t hw_use(const char* name);

// Exact scores, (count,), of the rows of `vectors` (rows, size) at `positions` (count,), or of the first `count` rows
// where `positions` is null. They are computed in float64 with the order of summation of storage/kernels/lanes.py.
HW_API int32_t hw_scores(int32_t metric, const float* query, size_t size, const float* vectors, size_t rows,
                         const int64_t* positions, size_t count, float* scores);

// A graph in the bytes of a file of usearch. `*graph` is what the other functions take, `*nodes` its number of nodes.
HW_API int32_t hw_graph_open(const uint8_t* bytes, size_t length, int32_t metric, int32_t form, size_t size,
                             size_t positions, void** graph, size_t* nodes);
HW_API void hw_graph_close(void* graph);

// Codes of the vectors of a graph, which walks compare instead of the vectors: as int8, by what each code of a vector is
// multiplied to come near it, and the square of the vector's length.
struct GraphCodes {
    const int8_t* codes;     // (nodes, stride)
    const float* scales;     // (nodes,)
    const float* squares;    // (nodes,)
    size_t nodes, stride;
};

// Makes walks use codes, which must stay where they are until the graph is closed. BAD_ARGUMENT when they are not those
// of so many nodes, or the vectors have a form that has no codes. Not while the graph is walked.
HW_API int32_t hw_graph_use_codes(void* graph, const GraphCodes* codes);

// The codes of `count` vectors from number `first` on: (count, stride), filled up with zeros, (count,) and (count,).
HW_API int32_t hw_graph_code(const void* graph, size_t first, size_t count, size_t stride, int8_t* codes, float* scales,
                             float* squares);

// What is asked of a graph: walks for `count` queries in the graph's form, each `width` wide.
struct Asking {
    const uint8_t* queries;
    size_t count, width;
    size_t threads;   // at most so many walk, the caller's own included
    double deadline;  // in seconds of CLOCK_MONOTONIC
};

// `keys` (count, width) and `found` (count,) get the positions nearest first; `computed` (count,) gets the number of
// distances. Of an empty graph, or by walks that are 0 wide, nothing is found.
HW_API int32_t hw_graph_walk(const void* graph, const Asking* asking, int64_t* keys, int64_t* found, int64_t* computed);

// How found rows are scored: those that `usable` (rows,) has a 1 for (null: all), the nearest `nominated` of each walk.
struct Scoring {
    int32_t metric;
    const float* queries;  // (count, size)
    const float* vectors;  // (rows, size)
    size_t rows;
    const uint8_t* usable;
    size_t nominated, limit;
};

// Walks and scores. `positions` and `scores` (count, nominated) get the usable rows nearest first, `kept` (count,) how
// many. `usable` (count,) gets how many usable rows were found, `place` (count,) where among all that were found the
// `limit`-th of them stands, or the last when there are fewer; -1: there is none.
HW_API int32_t hw_graph_find(const void* graph, const Asking* asking, const Scoring* scoring, int64_t* positions,
                             float* scores, int64_t* kept, int64_t* usable, int64_t* place, int64_t* computed);

// Fills what is made of postings. UNSOUND unless all that they say is within their arrays. Requires: each array has the
// stated size.
HW_API int32_t hw_postings_prepare(Postings* postings);

// In how many living points of some parts each term of `codes` (count,) is.
HW_API void hw_postings_count(const PostingsPart* parts, uint64_t part_count, const int64_t* codes, uint64_t count,
                              int64_t* counts);

// The best `query->limit` points by BM25, and all that tie with the last of them, in no order: `*found` of them, of
// which the first `room` are put into `slots` and `scores`. `*matching`: all points that match. Requires: the postings
// were prepared, the query takes `bytes`, and its limit is at least 1.
HW_API int32_t hw_postings_search(const PostingsQuery* query, uint64_t bytes, uint32_t* slots, float* scores,
                                  uint64_t room, uint64_t* found, uint64_t* matching);

// The CRC-32 of each of the `count` rows of `row_bytes` bytes, (count,).
HW_API int32_t hw_checksums(const uint8_t* rows, size_t count, size_t row_bytes, uint32_t* checksums);

// What records of points are made of: id keys and payloads, one after the other, and where each of them ends, (count,).
struct RecordParts {
    const uint8_t* keys;
    const int64_t* key_ends;
    const uint8_t* payloads;
    const int64_t* payload_ends;
    int64_t key_bytes, payload_bytes;  // of all
    size_t count;
    uint64_t commit;
    uint8_t version;
};

// The records, one after the other, which have `length` bytes together.
HW_API int32_t hw_records(const RecordParts* parts, uint8_t* records, size_t length);

// Checks `count` records of `version`, which lie one after the other, and fills the rows of `places` (5, count): their
// commits; ids that are numbers (0 for others); where ids that are strings begin, which end where the payloads begin (of
// numbers just that); where payloads begin; where records end, given as their lengths. BAD_ARGUMENT: a record is
// damaged, or its id has a form that is not known here.
HW_API int32_t hw_read_records(const uint8_t* records, size_t length, uint8_t version, size_t count, int64_t* places);
// Rows that are scanned: those of `vectors` (rows, size), with their `norms` (rows,), at `positions` (count,), or the
// first `count` where that is null; of these the ones for which `usable` (rows,) has a 1 (null: all).
struct ScanRows {
    int32_t metric;
    const float* vectors;
    size_t rows, size;
    const float* norms;
    const int64_t* positions;
    size_t count;
    const uint8_t* usable;
    const int8_t* codes;     // (count, size), null: estimates are made of `vectors`
    const float *factors, *offsets, *errors, *lengths;  // (count,), see CodedRows in storage/vectors/codes.py
};

// What is asked of a scan: for each of `count` queries (count, size) the `limits` (count,) best rows.
struct ScanQueries {
    const float* queries;
    size_t count;
    const int64_t* limits;
    const float* floors;  // (count,): rows that score worse than this are not wanted; NaN: there is none
    const float* after;   // (count,): nor those that score better than this; NaN: there is none
    size_t threads;
    double deadline;
};

// `*found` is what hw_scan_take and hw_scan_free take, `counts` (queries,) gets how many rows were found for each query:
// its best, with all that tie with the last of them and with `after`.
HW_API int32_t hw_scan(const ScanRows* rows, const ScanQueries* queries, int64_t* counts, void** found);

// Copies what was found for one query after another, with exact scores.
HW_API void hw_scan_take(const void* found, int64_t* positions, float* scores);
HW_API void hw_scan_free(void* found);

// Codes, (count, size), of the rows of `vectors` (rows, size) at `positions` (count,), by what each code of a row is
// multiplied to come near it, (count,), and the length of what is lost, (count,).
HW_API int32_t hw_codes(const float* vectors, size_t rows, size_t size, const int64_t* positions, size_t count,
                        int8_t* codes, float* scales, float* lost);

// Of each of `count` indices of a sparse query: which postings are its, and what it is multiplied by.
struct SparseTerms {
    const int64_t *starts, *stops;
    const double* weights;
    size_t count;
};

// Adds to `sums` (count,) of each row the products with the terms from number `*next` on, one term after another, and to
// `shared` (count,) how many these are. `rows` and `values` (postings,): what each posting says. It returns after about
// a million postings, and `*next` is then the first term that is left.
HW_API int32_t hw_sparse_add(const SparseTerms* terms, size_t* next, const int32_t* rows, const float* values,
                             size_t postings, double* sums, int32_t* shared, size_t count, double deadline);

// What scores are made of, all (count,). `usable`: the rows that may be found, null: all. `norm` and `terms`: the norm
// of the query, and how many indices it has.
struct SparseRows {
    int32_t metric;  // DOT, COSINE or JACCARD
    const double* sums;
    const int32_t* shared;
    const uint8_t* usable;
    const int32_t* lengths;
    const double* norms;
    size_t count;
    double norm;
    size_t terms;
};

// The `*found` best rows that share an index with the query: `limit` and all that tie with the last of them, in no
// order. `*total`: all that share one. `positions` and `scores` have room for all rows.
HW_API int32_t hw_sparse_best(const SparseRows* rows, size_t limit, int64_t* positions, float* scores, size_t* found,
                              size_t* total);

// What multi-vectors are compared with: the `count` rows (count, size) of a query.
struct MultiQuery {
    int32_t metric;
    const float* rows;
    size_t count, size;
    double deadline;
};

// Multi-vectors: document i has the `rows` (row_count, size) from `starts[i]` up to the next start, at least one.
struct MultiDocuments {
    const float* rows;
    size_t row_count;
    const int64_t* starts;  // (count,)
    size_t count;
};

// MaxSim of each document, (count,), as max_similarities in storage/vectors/multi.py; or, where `scores` is null, bounds
// of it before rounding.
HW_API int32_t hw_max_similarities(const MultiQuery* query, const MultiDocuments* documents, float* scores,
                                   double* least, double* most);

// Runs of rows of lists, each of which is compared with a query of its own: rows `starts[i]` to `stops[i]`.
struct ListRuns {
    const int64_t *starts, *stops;  // (count,)
    size_t count, rows;
};

// Inner products of int8 codes: of query i, (count, size), with the rows of run i, one run after another.
HW_API int32_t hw_code_products(const ListRuns* runs, size_t size, const int8_t* queries, const int8_t* rows,
                                int32_t* products);

// How many bits of query i, (count, bytes), and of the rows of run i differ, one run after another.
HW_API int32_t hw_unequal_bits(const ListRuns* runs, size_t bytes, const uint8_t* queries, const uint8_t* rows,
                               int32_t* unequal);
