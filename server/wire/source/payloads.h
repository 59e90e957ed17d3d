// Payloads: checked, and brought into their one stored form. server/convert/payload.py is the twin.
#pragma once

#include <vector>

#include "bytes.h"

// Copies payloads. The stored form of a payload has its keys in order at every level. Of a payload without anything
// unusual it is as long as the payload that was sent: its entries just stand elsewhere.
class PayloadCopy {
  public:
    // Copies a payload into as many bytes at `out`. False: it may be unsound, or must be encoded anew; then `out` holds
    // anything. Throws std::bad_alloc.
    bool copy(Bytes payload, uint8_t* out);

  private:
    struct Entry {
        Bytes key;
        const uint8_t* begin;
        const uint8_t* end;
        Bytes value;
    };

    bool object(Bytes object, uint8_t* out, int depth);
    bool read_entries(Bytes object);
    bool put_in_order(size_t first);
    bool list(Bytes list, uint8_t* out, int depth);
    bool value(Bytes value, uint8_t* out, int depth);

    std::vector<Entry> entries_;  // of the objects that are being copied, the outermost first
};
