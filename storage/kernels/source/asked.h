// A query in the form in which it is compared with stored vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "graph.h"

struct Asked {
    static constexpr size_t PADDING = 64;

    std::vector<float> floats;
    std::vector<uint16_t> halves;  // the same as bfloat16
    std::vector<int8_t> codes;
    std::vector<uint8_t> bits;
    int32_t sum = 0;  // of the codes
    float scale = 0;  // what each code is multiplied by to come near the query

    // Throws std::bad_alloc.
    void prepare(int32_t form, size_t size, const uint8_t* query) {
        switch (form) {
            case INT8: padded(codes, query, size); return;
            case BITS: padded(bits, query, (size + 7) / 8); return;
            case BFLOAT16: padded(floats, query, size); round(size); return;
            default: padded(floats, query, size);
        }
    }

    // Makes codes of the floats.
    void code(size_t size) {
        float largest = 0;
        for (size_t i = 0; i < size; i++) largest = std::max(largest, std::fabs(floats[i]));
        scale = largest / 127, sum = 0;
        float inverse = scale > 0 ? 1 / scale : 0;
        codes.assign(size + 2 * PADDING, 0);
        for (size_t i = 0; i < size; i++) {
            codes[i] = int8_t(std::max(-127.0f, std::min(127.0f, std::nearbyint(floats[i] * inverse))));
            sum += codes[i];
        }
    }

  private:
    template <class T>
    static void padded(std::vector<T>& values, const uint8_t* from, size_t count) {
        values.assign(count + PADDING, T(0));
        std::memcpy(values.data(), from, count * sizeof(T));
    }

    // To the nearest bfloat16, ties to even, as stored rows are.
    void round(size_t size) {
        halves.assign(size + PADDING, 0);
        for (size_t i = 0; i < size; i++) {
            uint32_t word;
            std::memcpy(&word, &floats[i], 4);
            word = (word + 0x7fff + ((word >> 16) & 1)) & 0xffff0000;
            std::memcpy(&floats[i], &word, 4);
            halves[i] = uint16_t(word >> 16);
        }
    }
};
