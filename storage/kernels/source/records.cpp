// Records of points, in the form of storage/tables/point_records.py.

#include <cstring>

#include "checksums.h"
#include "kernels.h"

namespace {

const size_t HEADER_BYTES = 15, CHECKED_FROM = 5;  // version, checksum | commit, length of the id key

// Kinds of ids, see storage/tables/keys.py.
const uint8_t NUMBER = 1, STRING = 2;
const size_t NUMBER_BYTES = 8;

uint8_t* put_big_endian(uint8_t* out, uint64_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; i--) *out++ = uint8_t(number >> 8 * i);
    return out;
}

uint64_t big_endian(const uint8_t* bytes, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) number = number << 8 | bytes[i];
    return number;
}

// Fills the elements at `place`, each `count` after the one before. False: the record is damaged, or its id has another
// form.
bool read_record(const uint8_t* records, size_t start, size_t length, uint8_t version, Checksum checksum,
                 int64_t* place, size_t count) {
    const uint8_t* record = records + start;
    if (length < HEADER_BYTES || record[0] != version) return false;
    if (big_endian(record + 1, 4) != checksum(record + CHECKED_FROM, length - CHECKED_FROM, 0)) return false;
    size_t key_bytes = size_t(big_endian(record + HEADER_BYTES - 2, 2));
    if (key_bytes < 2 || key_bytes > length - HEADER_BYTES) return false;
    const uint8_t* key = record + HEADER_BYTES;
    size_t payload = start + HEADER_BYTES + key_bytes;
    bool is_number = key[0] == NUMBER;
    if (is_number ? key_bytes != 1 + NUMBER_BYTES : key[0] != STRING) return false;
    place[0] = int64_t(big_endian(record + CHECKED_FROM, 8));
    place[count] = is_number ? int64_t(big_endian(key + 1, NUMBER_BYTES)) : 0;
    place[2 * count] = int64_t(is_number ? payload : start + HEADER_BYTES + 1);
    place[3 * count] = int64_t(payload);
    place[4 * count] = int64_t(start + length);
    return true;
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

int32_t hw_read_records(const uint8_t* records, size_t length, uint8_t version, size_t count, int64_t* places) {
    Checksum checksum = checksum_function();
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t bytes = places[4 * count + i];
        if (bytes < 0 || size_t(bytes) > length - start) return BAD_ARGUMENT;
        if (!read_record(records, start, size_t(bytes), version, checksum, places + i, count)) return BAD_ARGUMENT;
        start += size_t(bytes);
    }
    return start == length ? DONE : BAD_ARGUMENT;
}
