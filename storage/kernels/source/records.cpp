// Records of points, in the form of storage/tables/point_records.py.

#include <cstring>

#include "checksums.h"
#include "kernels.h"

namespace {

const size_t HEADER_BYTES = 15, CHECKED_FROM = 5;  // version, checksum | commit, length of the id key

uint8_t* put_big_endian(uint8_t* out, uint64_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; i--) *out++ = uint8_t(number >> 8 * i);
    return out;
}

}  // namespace

int32_t hw_records(const RecordParts* parts, uint8_t* records, size_t length) {
    Checksum checksum = checksum_function();
    int64_t key = 0, payload = 0;
    for (size_t i = 0; i < parts->count; i++) {
        int64_t key_end = parts->key_ends[i], payload_end = parts->payload_ends[i];
        if (key_end < key || payload_end < payload || key_end - key > UINT16_MAX) return BAD_ARGUMENT;
        if (key_end > parts->key_bytes || payload_end > parts->payload_bytes) return BAD_ARGUMENT;
        size_t key_bytes = size_t(key_end - key), payload_bytes = size_t(payload_end - payload);
        size_t bytes = HEADER_BYTES + key_bytes + payload_bytes;
        if (bytes > length) return BAD_ARGUMENT;
        uint8_t* out = put_big_endian(records + CHECKED_FROM, parts->commit, 8);
        out = put_big_endian(out, key_bytes, 2);
        std::memcpy(out, parts->keys + key, key_bytes);
        std::memcpy(out + key_bytes, parts->payloads + payload, payload_bytes);
        records[0] = parts->version;
        put_big_endian(records + 1, checksum(records + CHECKED_FROM, bytes - CHECKED_FROM, 0), 4);
        records += bytes, length -= bytes;
        key = key_end, payload = payload_end;
    }
    return length == 0 ? DONE : BAD_ARGUMENT;
}
