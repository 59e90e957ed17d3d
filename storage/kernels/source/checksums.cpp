#include "checksums.h"

#include <cstring>

#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

// Eight tables, so that eight bytes are taken at once.
struct Tables {
    uint32_t of[8][256];

    Tables() {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = byte;
            for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xEDB88320u ^ (sum >> 1) : sum >> 1;
            of[0][byte] = sum;
        }
        for (int i = 1; i < 8; i++)
            for (uint32_t byte = 0; byte < 256; byte++)
                of[i][byte] = (of[i - 1][byte] >> 8) ^ of[0][of[i - 1][byte] & 0xFF];
    }
};

const Tables TABLES;

// Checksums within a function are inverted, as the polynomial division has them.
uint32_t by_tables(const uint8_t* bytes, size_t length, uint32_t sum) {
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t eight;
        std::memcpy(&eight, bytes, 8);
        eight ^= sum;
        sum = 0;
        for (int i = 0; i < 8; i++) sum ^= TABLES.of[7 - i][eight >> 8 * i & 0xFF];
    }
    for (; length > 0; bytes++, length--) sum = (sum >> 8) ^ TABLES.of[0][(sum ^ *bytes) & 0xFF];
    return sum;
}

uint32_t plain_checksum(const uint8_t* bytes, size_t length, uint32_t before) {
    return ~by_tables(bytes, length, ~before);
}

#if defined(__x86_64__)

#define FOLDING __attribute__((target("pclmul,sse4.1")))

FOLDING inline __m128i block_at(const uint8_t* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// Moves a block on by the distance that `factors` stand for, and adds what is there.
FOLDING inline __m128i folded(__m128i block, __m128i factors, __m128i there) {
    __m128i low = _mm_clmulepi64_si128(block, factors, 0x00), high = _mm_clmulepi64_si128(block, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

// From 128 bits to 64, and from 64 to the 32 of the checksum by Barrett's reduction.
FOLDING inline uint32_t reduced(__m128i block, __m128i by_one) {
    const __m128i halves = _mm_setr_epi32(~0, 0, ~0, 0);
    const __m128i to_64 = _mm_set_epi64x(0, 0x163cd6124), division = _mm_set_epi64x(0x1f7011641, 0x1db710641);
    block = _mm_xor_si128(_mm_srli_si128(block, 8), _mm_clmulepi64_si128(block, by_one, 0x10));
    __m128i rest = _mm_srli_si128(block, 4);
    block = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(block, halves), to_64, 0x00), rest);
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(block, halves), division, 0x10);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, halves), division, 0x00);
    return uint32_t(_mm_extract_epi32(_mm_xor_si128(block, product), 1));
}

// Folds blocks of 16 bytes by multiplication without carries: Gopal et al., "Fast CRC Computation for Generic
// Polynomials Using PCLMULQDQ Instruction", Intel, 2009, whose constants these are.
FOLDING uint32_t folding_checksum(const uint8_t* bytes, size_t length, uint32_t before) {
    if (length < 64) return plain_checksum(bytes, length, before);
    const __m128i by_four = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_one = _mm_set_epi64x(0xccaa009e, 0x1751997d0);
    __m128i blocks[4];
    for (int i = 0; i < 4; i++) blocks[i] = block_at(bytes + 16 * i);
    blocks[0] = _mm_xor_si128(blocks[0], _mm_cvtsi32_si128(int32_t(~before)));
    bytes += 64, length -= 64;
    for (; length >= 64; bytes += 64, length -= 64)
        for (int i = 0; i < 4; i++) blocks[i] = folded(blocks[i], by_four, block_at(bytes + 16 * i));
    __m128i block = blocks[0];
    for (int i = 1; i < 4; i++) block = folded(block, by_one, blocks[i]);
    for (; length >= 16; bytes += 16, length -= 16) block = folded(block, by_one, block_at(bytes));
    return ~by_tables(bytes, length, reduced(block, by_one));
}

bool can_fold() { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }

#else

constexpr Checksum folding_checksum = plain_checksum;

bool can_fold() { return false; }

#endif

}  // namespace

Checksum checksum_function() {
    bool is_plain = std::strcmp(hw_path(), "scalar") == 0 || !can_fold();
    return is_plain ? plain_checksum : folding_checksum;
}

int32_t hw_checksums(const uint8_t* rows, size_t count, size_t row_bytes, uint32_t* checksums) {
    Checksum checksum = checksum_function();
    for (size_t i = 0; i < count; i++) checksums[i] = checksum(rows + i * row_bytes, row_bytes, 0);
    return DONE;
}
