// MaxSim: what is asked, and what is answered, for the functions of each set of instructions.
#pragma once

#include "kernels.h"

// Answers go to `scores` (documents,), or, where that is null, bounds of them to `least` and `most` (documents,).
struct MultiScores {
    float* scores;
    double *least, *most;
};
