// Measurements without the cost of a caller in between: how long classify takes, and what the machine can do at most.
#pragma once

#include <cstddef>
#include <vector>

#include "discrimen/buffer.hpp"
#include "discrimen/model.hpp"

namespace discrimen {

// Nanoseconds of each of `n_calls` calls of the C interface with one pulse, the clock's own time taken off.
// Goes round through the given pulses. Throws Error if there are none, or their records are too short.
DISCRIMEN_API std::vector<double> single_pulse_ns(const discrimen_model* model, const Pulses& pulses,
                                                  std::size_t n_calls);

// Bytes a second that one core copies from memory to memory, read and written ones counted, by memcpy of `size` bytes.
DISCRIMEN_API double copy_bytes_hz(std::size_t size);

// Nanoseconds of each of `n_calls` calls of run with all pulses, contiguous ones, and all outputs: where they are, or,
// where `moved`, in memory of that place. Throws Error if a call fails, or there is no such memory.
DISCRIMEN_API std::vector<double> batch_ns(const Model& model, const Pulses& pulses, bool moved, Buffer::Place place,
                                           std::size_t n_calls);

// Bytes a second that the GPU of a model copies from memory of that place to its own, each counted once.
DISCRIMEN_API double device_copy_bytes_hz(const Model& model, Buffer::Place from, std::size_t size);

}  // namespace discrimen
