// Which kernels this machine can run.
#pragma once

#include <string>

#include "plan.hpp"

namespace discrimen {

// The kernels of a set of instructions by name, or the best ones for an empty name.
// Throws Error if there is no such set, or this machine lacks it.
const Kernels& kernels_for(const std::string& instruction_set);

}  // namespace discrimen
