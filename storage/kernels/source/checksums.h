// CRC-32 as zlib computes it.
#pragma once

#include <cstddef>
#include <cstdint>

// The checksum of `length` bytes; or of more bytes, of which those before have the checksum `before`.
using Checksum = uint32_t (*)(const uint8_t* bytes, size_t length, uint32_t before);

// The function for the instructions that are used.
Checksum checksum_function();
