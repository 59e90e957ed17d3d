// The library: the choice between the sets of instructions, and what they have in common.

#include "kernels.h"

#include <new>
#include <thread>

#include "paths.h"
#include "rows.h"

namespace {

// The best first.
const Path* const PATHS[] = {
#if defined(__x86_64__)
    &AVX512, &AVX2,
#elif defined(__aarch64__)
    &NEON,
#endif
    &SCALAR,
};

std::atomic<const Path*> chosen{nullptr};

}  // namespace

const Path& path() {
    const Path* known = chosen.load(std::memory_order_relaxed);
    if (known) return *known;
    for (const Path* each : PATHS)
        if (each->is_there()) {
            chosen.store(each, std::memory_order_relaxed);
            return *each;
        }
    return SCALAR;
}

const char* hw_source() { return HW_SOURCE; }

const char* hw_path() { return path().name; }

int32_t hw_use(const char* name) {
    for (const Path* each : PATHS)
        if (std::strcmp(each->name, name) == 0 && each->is_there()) {
            chosen.store(each, std::memory_order_relaxed);
            return DONE;
        }
    return BAD_ARGUMENT;
}

int32_t hw_scores(int32_t metric, const float* query, size_t size, const float* vectors, size_t rows,
                  const int64_t* positions, size_t count, float* scores) {
    if (!positions && count > rows) return BAD_ARGUMENT;
    for (size_t i = 0; positions && i < count; i++)
        if (positions[i] < 0 || size_t(positions[i]) >= rows) return BAD_ARGUMENT;
    size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
    std::unique_ptr<double[]> values(new (std::nothrow) double[padded + 1]());
    if (!values) return NO_MEMORY;
    for (size_t i = 0; i < size; i++) values[i] = double(query[i]);
    return path().scores(metric, query, Query{size, values.get()}, Rows{vectors, size, count, positions}, scores);
}

namespace {

int32_t walk_all(const Graph& graph, const Asking& asking, Receiver& receiver) {
    std::atomic<size_t> next{0};
    std::atomic<int32_t> status{DONE};
    auto work = [&] {
        int32_t own;
        try {
            own = path().walk(graph, asking, receiver, next);
        } catch (const std::bad_alloc&) {
            own = NO_MEMORY;
        }
        if (own != DONE) status = own, next = asking.count;
    };
    std::vector<std::thread> others;
    try {
        for (size_t i = 1; i < std::min(asking.threads, asking.count); i++) others.emplace_back(work);
    } catch (const std::exception&) {
        // No more threads are to be had: those that there are do the work.
    }
    work();
    for (std::thread& other : others) other.join();
    return status;
}

struct Keys : Receiver {
    const Asking& asking;
    int64_t *keys, *found, *computed;

    Keys(const Asking& asking, int64_t* keys, int64_t* found, int64_t* computed)
        : asking(asking), keys(keys), found(found), computed(computed) {}

    void receive(size_t number, const std::vector<int64_t>& positions, int64_t distances) override {
        std::copy(positions.begin(), positions.end(), keys + number * asking.width);
        found[number] = int64_t(positions.size()), computed[number] = distances;
    }
};

struct Scored : Receiver {
    const Scoring& scoring;
    size_t size;
    int64_t *positions, *kept, *usable, *place, *computed;
    float* scores;
    std::atomic<int32_t> status{DONE};

    Scored(const Scoring& scoring, size_t size) : scoring(scoring), size(size) {}

    void receive(size_t number, const std::vector<int64_t>& found, int64_t distances) override {
        int64_t* own = positions + number * scoring.nominated;
        size_t count = 0;
        int64_t at = -1;
        for (size_t i = 0; i < found.size(); i++) {
            size_t position = size_t(found[i]);
            if (position >= scoring.rows || (scoring.usable && !scoring.usable[position])) continue;
            if (count < scoring.nominated) own[count] = found[i];
            if (count < scoring.limit) at = int64_t(i);
            count++;
        }
        size_t scored = std::min(count, scoring.nominated);
        kept[number] = int64_t(scored), usable[number] = int64_t(count), place[number] = at, computed[number] = distances;
        int32_t own_status = hw_scores(scoring.metric, scoring.queries + number * size, size, scoring.vectors,
                                       scoring.rows, own, scored, scores + number * scoring.nominated);
        if (own_status != DONE) status = own_status;
    }
};

}  // namespace

int32_t hw_graph_walk(const void* graph, const Asking* asking, int64_t* keys, int64_t* found, int64_t* computed) {
    Keys receiver(*asking, keys, found, computed);
    return walk_all(*static_cast<const Graph*>(graph), *asking, receiver);
}

int32_t hw_graph_find(const void* graph, const Asking* asking, const Scoring* scoring, int64_t* positions,
                      float* scores, int64_t* kept, int64_t* usable, int64_t* place, int64_t* computed) {
    const Graph& walked = *static_cast<const Graph*>(graph);
    Scored receiver(*scoring, walked.size);
    receiver.positions = positions, receiver.scores = scores, receiver.kept = kept;
    receiver.usable = usable, receiver.place = place, receiver.computed = computed;
    int32_t status = walk_all(walked, *asking, receiver);
    return status == DONE ? int32_t(receiver.status) : status;
}

int32_t search_by_path(const PostingsQuery& query, const PostingsLists& lists, BestPostings& best) {
    return path().search_postings(query, lists, best);
}
