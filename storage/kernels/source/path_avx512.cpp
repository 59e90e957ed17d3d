// The functions for x86 with AVX-512 and its instructions for bfloat16 and int8 (BF16, VNNI).

#include "path_headers.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx512vpopcntdq,avx2,fma,f16c,bmi2,popcnt,prefer-vector-width=512")
#define HW_AVX512
#define HW_WIDTH 64
namespace avx512 {
#include "path.inc"
}
#pragma GCC pop_options

// All that the line above allows the compiler to use.
static bool is_there() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

extern const Path AVX512 = {"avx512", is_there, HW_FUNCTIONS(avx512)};
#endif
