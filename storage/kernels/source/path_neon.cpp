// The functions for 64-bit Arm with NEON and its instructions for int8 (dot products, in all since about 2018). Without
// these, the compiler's vectors in path_scalar.cpp are NEON, too.

#include "path_headers.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>

#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#define HW_NEON
#define HW_WIDTH 16
namespace neon {
#include "path.inc"
}
#pragma GCC pop_options

// All that the line above allows the compiler to use: atomics, rounding products and dot products.
static bool is_there() {
    constexpr unsigned long ATOMICS = 1 << 8, ROUNDING = 1 << 12, DOT_PRODUCTS = 1 << 20;  // HWCAP_ATOMICS, ASIMDRDM, ASIMDDP
    constexpr unsigned long ALL = ATOMICS | ROUNDING | DOT_PRODUCTS;
    return (getauxval(AT_HWCAP) & ALL) == ALL;
}

extern const Path NEON = {"neon", is_there, HW_FUNCTIONS(neon)};
#endif
