#include "payloads.h"

#include <algorithm>

namespace {

// The limits of server/convert/payload.py.
const size_t MAX_PAYLOAD_BYTES = size_t(1) << 20;
const size_t MAX_KEY_BYTES = 512;
const int MAX_PAYLOAD_DEPTH = 24;

// Fields of payload.proto.
const uint32_t ENTRY = tag_of(1, LENGTH), KEY = tag_of(1, LENGTH), VALUE = tag_of(2, LENGTH);
const uint32_t ELEMENT = tag_of(1, LENGTH);
const uint32_t NULL_VALUE = tag_of(1, VARINT), BOOL = tag_of(2, VARINT), INTEGER = tag_of(3, VARINT);
const uint32_t DOUBLE = tag_of(4, EIGHT_BYTES), STRING = tag_of(5, LENGTH);
const uint32_t LIST = tag_of(6, LENGTH), OBJECT = tag_of(7, LENGTH);

// The order of keys in a stored payload, which is that of protobuf: by bytes, and where one key begins with another the
// longer one first. Requires: neither is empty.
int compare(Bytes left, Bytes right) {
    int order = std::memcmp(left.at, right.at, std::min(left.size(), right.size()));
    if (order != 0) return order;
    return left.size() > right.size() ? -1 : left.size() < right.size();
}

bool is_finite(const uint8_t* bytes) {
    uint64_t bits;
    std::memcpy(&bits, bytes, 8);
    return (bits >> 52 & 0x7FF) != 0x7FF;
}

}  // namespace

bool PayloadCopy::copy(Bytes payload, uint8_t* out) {
    entries_.clear();
    return payload.size() <= MAX_PAYLOAD_BYTES && object(payload, out, 1);
}

bool PayloadCopy::object(Bytes object, uint8_t* out, int depth) {
    size_t first = entries_.size();
    if (depth > MAX_PAYLOAD_DEPTH || !read_entries(object) || !put_in_order(first)) return false;
    for (size_t i = first, last = entries_.size(); i < last; i++) {
        Entry entry = entries_[i];  // what is nested in it adds others
        size_t before = size_t(entry.value.at - entry.begin);
        std::memcpy(out, entry.begin, before);
        if (!value(entry.value, out + before, depth)) return false;
        out += entry.end - entry.begin;
    }
    entries_.resize(first);
    return true;
}

bool PayloadCopy::read_entries(Bytes object) {
    while (!object.empty()) {
        Entry entry;
        Bytes inner;
        entry.begin = object.at;
        if (!object.tag(ENTRY) || !object.part(inner)) return false;
        if (!inner.tag(KEY) || !inner.part(entry.key) || !inner.tag(VALUE) || !inner.part(entry.value)) return false;
        if (!inner.empty() || entry.key.empty() || entry.key.size() > MAX_KEY_BYTES || !is_utf8(entry.key)) return false;
        entry.end = object.at;
        entries_.push_back(entry);
    }
    return true;
}

// Sorts the entries from `first` by key. False: a key is there twice.
bool PayloadCopy::put_in_order(size_t first) {
    auto begin = entries_.begin() + ptrdiff_t(first), end = entries_.end();
    auto is_unordered = [](const Entry& left, const Entry& right) { return compare(left.key, right.key) >= 0; };
    if (std::adjacent_find(begin, end, is_unordered) == end) return true;
    std::sort(begin, end, [](const Entry& left, const Entry& right) { return compare(left.key, right.key) < 0; });
    return std::adjacent_find(begin, end, is_unordered) == end;
}

bool PayloadCopy::list(Bytes list, uint8_t* out, int depth) {
    if (depth > MAX_PAYLOAD_DEPTH) return false;
    const uint8_t* begin = list.at;
    while (!list.empty()) {
        const uint8_t* element = list.at;
        Bytes inner;
        if (!list.tag(ELEMENT) || !list.part(inner)) return false;
        uint8_t* place = out + (element - begin);
        size_t before = size_t(inner.at - element);
        std::memcpy(place, element, before);
        if (!value(inner, place + before, depth)) return false;
    }
    return true;
}

// Copies a value of the object or list at `depth`. It is one field, to its end.
bool PayloadCopy::value(Bytes value, uint8_t* out, int depth) {
    if (value.empty()) return false;
    const uint8_t* begin = value.at;
    uint32_t tag = *value.at++;
    uint64_t number;
    Bytes inner;
    switch (tag) {
        case NULL_VALUE:
            if (!value.varint(number) || number != 0) return false;
            break;
        case BOOL:
            if (!value.varint(number) || number > 1) return false;
            break;
        case INTEGER:
            if (!value.varint(number)) return false;
            break;
        case DOUBLE:
            if (value.size() != 8 || !is_finite(value.at)) return false;
            value.at += 8;
            break;
        case STRING:
            if (!value.part(inner) || !is_utf8(inner)) return false;
            break;
        case LIST:
        case OBJECT: {
            if (!value.part(inner) || !value.empty()) return false;
            size_t before = size_t(inner.at - begin);
            std::memcpy(out, begin, before);
            return tag == LIST ? list(inner, out + before, depth + 1) : object(inner, out + before, depth + 1);
        }
        default:
            return false;
    }
    std::memcpy(out, begin, size_t(value.at - begin));
    return value.empty();
}
