// What both harnesses do with an input: load it, and if that succeeds, run a few pulses of every type of
// sample, by every instruction set alike.
#pragma once

#include <string>

#include "frozen_writer.hpp"

namespace loader_target {

// Returns the reason of a refusal, or nothing if the file was loaded. Aborts if anything else happens.
std::string load_and_run(const frozen::Bytes& bytes);

}  // namespace loader_target
