// What both harnesses do with an input: load it, and if that succeeds, score a few pulses of every type of sample.
#pragma once

#include <string>

#include "frozen_writer.hpp"

namespace loader_target {

// Returns the reason of a refusal, or nothing if the file was loaded. Aborts if anything else happens.
std::string load_and_classify(const frozen::Bytes& bytes);

}  // namespace loader_target
