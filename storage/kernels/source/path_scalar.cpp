// The functions for any processor. The compiler takes the vectors that the processor has at least.

#include "path_headers.h"

#define HW_WIDTH 16
namespace scalar {
#include "path.inc"
}

extern const Path SCALAR = {"scalar", [] { return true; }, HW_FUNCTIONS(scalar)};
