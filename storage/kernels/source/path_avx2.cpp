// The functions for x86 with AVX2.

#include "path_headers.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,bmi2,popcnt")
#define HW_WIDTH 32
namespace avx2 {
#include "path.inc"
}
#pragma GCC pop_options

// All that the line above allows the compiler to use.
static bool is_there() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

extern const Path AVX2 = {"avx2", is_there, HW_FUNCTIONS(avx2)};
#endif
