// What the kernel of an operation works on.
#pragma once

#include "../vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

struct Arguments {
    const float* in[most_inputs];
    float* out;  // may be in[0], where the planner says so
    float* scratch;
    // For a first Dense, or null: what each pulse of the block is still to be multiplied with, after a row behind the
    // input was added to all of its values.
    const Vector* scale;
    std::uint64_t seed, pulse;  // seed 0: none; number of the first pulse within the call
};

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
