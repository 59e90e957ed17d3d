// Answers as protobuf writes them: results with their points, byte for byte as deterministic serialization has them.

#include "wire.h"

#include <cstring>

#include "bytes.h"

namespace {

// Fields of points.proto and common.proto.
const uint32_t POINTS = tag_of(1, LENGTH), SEQ = tag_of(3, VARINT), TOTAL = tag_of(4, VARINT);
const uint32_t ID = tag_of(1, LENGTH), SCORE = tag_of(2, FOUR_BYTES), PAYLOAD = tag_of(3, LENGTH);
const uint32_t VERSION = tag_of(5, VARINT), NUMBER = tag_of(1, VARINT), KEY = tag_of(2, LENGTH);

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

// One point of an answer. Numbers of 0 are not written, as in all messages of proto3.
struct Point {
    Point(const Answers& answers, int64_t index) {
        int64_t key_start = index ? answers.key_ends[index - 1] : 0;
        key = {answers.keys + key_start, answers.keys + answers.key_ends[index]};
        number = answers.numbers[index];
        version = answers.versions[index];
        std::memcpy(&score, answers.scores + index, sizeof(score));
        has_payload = answers.payloads != nullptr;
        if (has_payload) {
            int64_t start = index ? answers.payload_ends[index - 1] : 0;
            payload = {answers.payloads + start, answers.payloads + answers.payload_ends[index]};
        }
        id_size = key.empty() ? 1 + varint_size(number) : part_size(key.size());
        size = part_size(id_size) + (score ? 1 + sizeof(score) : 0) + (version ? 1 + varint_size(version) : 0) +
               (has_payload ? part_size(payload.size()) : 0);
    }

    void write(Out& out) const {
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
            out.tag(SCORE);
            out.bytes(reinterpret_cast<const uint8_t*>(&score), sizeof(score));
        }
        if (has_payload) {
            out.tag(PAYLOAD);
            out.varint(payload.size());
            out.bytes(payload.at, payload.size());
        }
        if (version) {
            out.tag(VERSION);
            out.varint(version);
        }
    }

    Bytes key, payload;
    uint64_t number, version;
    uint32_t score;  // the bits of a float
    bool has_payload;
    size_t id_size, size;
};

}  // namespace

int32_t hw_answers_encode(const Answers* answers, uint32_t field, uint8_t* out, size_t capacity, size_t* length) {
    Out to{out};
    if (field < 1 || field > 15) return UNUSUAL;
    for (int64_t result = 0; result < answers->results; result++) {
        int64_t start = result ? answers->ends[result - 1] : 0, end = answers->ends[result];
        int64_t total = answers->totals[result];
        size_t size = (answers->seq ? 1 + varint_size(answers->seq) : 0) +
                      (total >= 0 ? 1 + varint_size(uint64_t(total)) : 0);
        for (int64_t index = start; index < end; index++) size += part_size(Point(*answers, index).size);
        if (part_size(size) > capacity - size_t(to.at - out)) return NO_MEMORY;
        to.tag(tag_of(field, LENGTH));
        to.varint(size);
        for (int64_t index = start; index < end; index++) {
            Point point(*answers, index);
            to.tag(POINTS);
            to.varint(point.size);
            point.write(to);
        }
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
