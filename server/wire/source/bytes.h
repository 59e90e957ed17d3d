// Reads protobuf's wire format within its bounds. Whatever is not in its shortest form is refused, so that parts can be
// copied as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// Wire types.
enum Type : uint32_t { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5 };

constexpr uint32_t tag_of(uint32_t field, Type type) { return field << 3 | type; }

// Bytes that are still to be read. Functions that return false leave it in any state.
struct Bytes {
    const uint8_t* at;
    const uint8_t* end;

    size_t size() const { return size_t(end - at); }
    bool empty() const { return at == end; }

    bool skip(size_t count) {
        if (count > size()) return false;
        at += count;
        return true;
    }

    // Reads a varint in its shortest form.
    bool varint(uint64_t& value) {
        if (at < end && *at < 0x80) {
            value = *at++;
            return true;
        }
        value = 0;
        for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
            uint64_t byte = *at++;
            if (shift == 63 && byte > 1) return false;
            value |= (byte & 0x7F) << shift;
            if (byte < 0x80) return byte != 0;
        }
        return false;
    }

    // Reads what a field of wire type LENGTH holds.
    bool part(Bytes& inner) {
        uint64_t length;
        if (!varint(length) || length > size()) return false;
        inner = {at, at + length};
        at += length;
        return true;
    }

    // Reads a tag of one byte if it comes next.
    bool tag(uint32_t wanted) {
        if (at == end || *at != wanted) return false;
        at++;
        return true;
    }

    // Skips what a field of this wire type holds. Groups are refused.
    bool skip_field(uint32_t type) {
        uint64_t value;
        Bytes inner;
        switch (type) {
            case VARINT: return varint(value);
            case EIGHT_BYTES: return skip(8);
            case LENGTH: return part(inner);
            case FOUR_BYTES: return skip(4);
            default: return false;
        }
    }
};

inline bool same(Bytes left, Bytes right) {
    return left.size() == right.size() && (left.empty() || std::memcmp(left.at, right.at, left.size()) == 0);
}

// Whether text is UTF-8: no surrogates, nothing beyond U+10FFFF, each character in its shortest form.
inline bool is_utf8(Bytes text) {
    const uint8_t *at = text.at, *end = text.end;
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) at += 8;
        if (at == end) break;
        uint8_t lead = *at++;
        if (lead < 0x80) continue;
        if (lead < 0xC2 || lead > 0xF4) return false;
        ptrdiff_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if (end - at < more) return false;
        uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (*at < least || *at > most) return false;
        for (ptrdiff_t i = 1; i < more; i++)
            if ((at[i] & 0xC0) != 0x80) return false;
        at += more;
    }
    return true;
}
