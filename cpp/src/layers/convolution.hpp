// Steps that a kernel or a pool visits.
#pragma once

#include "planner.hpp"

namespace discrimen {

enum class Padding : std::int32_t { valid, same, causal };

// How many there are, with the zeros in front.
struct Visits {
    std::size_t steps, pad_front;
};

// Throws Error if the kernel or pool reaches over more steps than there are.
Visits visits(std::size_t steps, std::size_t size, std::size_t stride, std::size_t dilation, Padding padding);

}  // namespace discrimen
