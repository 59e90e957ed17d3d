// Points, and answers with their points, as protobuf writes them: byte for byte as deterministic serialization has them.

#include "wire.h"

#include <cstring>

#include "bytes.h"

namespace {

// Fields of points.proto and common.proto.
const uint32_t POINTS = tag_of(1, LENGTH), SEQ = tag_of(3, VARINT), TOTAL = tag_of(4, VARINT);
const uint32_t ID = tag_of(1, LENGTH), NUMBER = tag_of(1, VARINT), KEY = tag_of(2, LENGTH);

// What differs between messages of points.
struct Form {
    uint32_t score, payload, version;
};
const Form SCORED = {tag_of(2, FOUR_BYTES), tag_of(3, LENGTH), tag_of(5, VARINT)};
const Form RETRIEVED = {0, tag_of(2, LENGTH), tag_of(4, VARINT)};

size_t varint_size(uint64_t value) {
    size_t size = 1;
    while (value >= 0x80) value >>= 7, size++;
    return size;
}

// The size of a field of wire type LENGTH whose tag has one byte.
size_t part_size(size_t inner) { return 1 + varint_size(inner) + inner; }

struct Out {
    uint8_t* at;

    void tag(uint32_t tag) { *at++ = uint8_t(tag); }

    void varint(uint64_t value) {
        while (value >= 0x80) *at++ = uint8_t(value | 0x80), value >>= 7;
        *at++ = uint8_t(value);
    }

    void bytes(const uint8_t* from, size_t count) {
        if (count) std::memcpy(at, from, count);
        at += count;
    }
};

// One point. Numbers of 0 are not written, as in all messages of proto3.
struct Point {
    // Requires: `are_sound(points)`.
    Point(const StoredPoints& points, size_t index, const Form& as, uint32_t score_bits)
        : form(as), score(score_bits), has_payload(points.with_payloads) {
        const int64_t* place = points.places + index;
        version = uint64_t(place[0]);
        number = uint64_t(place[points.count]);
        const uint8_t* middle = points.records + place[3 * points.count];
        key = {points.records + place[2 * points.count], middle};
        payload = {middle, points.records + place[4 * points.count]};
        id_size = key.empty() ? 1 + varint_size(number) : part_size(key.size());
        size = part_size(id_size) + (score ? 1 + sizeof(score) : 0) + (version ? 1 + varint_size(version) : 0) +
               (has_payload ? part_size(payload.size()) : 0);
    }

    // Writes the point in a field of the message around it.
    void write(Out& out, uint32_t tag) const {
        out.tag(tag);
        out.varint(size);
        out.tag(ID);
        out.varint(id_size);
        if (key.empty()) {
            out.tag(NUMBER);
            out.varint(number);
        } else {
            out.tag(KEY);
            out.varint(key.size());
            out.bytes(key.at, key.size());
        }
        if (score) {
            out.tag(form.score);
            out.bytes(reinterpret_cast<const uint8_t*>(&score), sizeof(score));
        }
        if (has_payload) {
            out.tag(form.payload);
            out.varint(payload.size());
            out.bytes(payload.at, payload.size());
        }
        if (version) {
            out.tag(form.version);
            out.varint(version);
        }
    }

    const Form& form;
    Bytes key, payload;
    uint64_t number, version;
    uint32_t score;  // the bits of a float
    bool has_payload;
    size_t id_size, size;
};

// Whether all parts of points lie within their records.
bool are_sound(const StoredPoints& points) {
    const int64_t* starts = points.places + 2 * points.count;
    for (size_t i = 0; i < points.count; i++) {
        int64_t start = starts[i], payload = starts[points.count + i], end = starts[2 * points.count + i];
        if (start < 0 || payload < start || end < payload || size_t(end) > points.length) return false;
    }
    return true;
}

Point hit(const Answers& answers, int64_t index) {
    uint32_t score;
    std::memcpy(&score, answers.scores + index, sizeof(score));
    return Point(answers.points, size_t(index), SCORED, score);
}

}  // namespace

int32_t hw_answers_encode(const Answers* answers, uint32_t field, uint8_t* out, size_t capacity, size_t* length) {
    Out to{out};
    if (field < 1 || field > 15 || !are_sound(answers->points)) return UNUSUAL;
    for (int64_t result = 0; result < answers->results; result++) {
        int64_t start = result ? answers->ends[result - 1] : 0, end = answers->ends[result];
        if (end < start || size_t(end) > answers->points.count) return UNUSUAL;
        int64_t total = answers->totals[result];
        size_t size = (answers->seq ? 1 + varint_size(answers->seq) : 0) +
                      (total >= 0 ? 1 + varint_size(uint64_t(total)) : 0);
        for (int64_t index = start; index < end; index++) size += part_size(hit(*answers, index).size);
        if (part_size(size) > capacity - size_t(to.at - out)) return NO_MEMORY;
        to.tag(tag_of(field, LENGTH));
        to.varint(size);
        for (int64_t index = start; index < end; index++) hit(*answers, index).write(to, POINTS);
        if (answers->seq) {
            to.tag(SEQ);
            to.varint(answers->seq);
        }
        if (total >= 0) {
            to.tag(TOTAL);
            to.varint(uint64_t(total));
        }
    }
    *length = size_t(to.at - out);
    return DONE;
}

int32_t hw_points_encode(const StoredPoints* points, uint32_t field, uint8_t* out, size_t capacity, size_t* length) {
    Out to{out};
    if (field < 1 || field > 15 || !are_sound(*points)) return UNUSUAL;
    for (size_t i = 0; i < points->count; i++) {
        Point point(*points, i, RETRIEVED, 0);
        if (part_size(point.size) > capacity - size_t(to.at - out)) return NO_MEMORY;
        point.write(to, tag_of(field, LENGTH));
    }
    *length = size_t(to.at - out);
    return DONE;
}
