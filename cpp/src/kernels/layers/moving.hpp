// Operations that move rows of values. A row of one pulse may end within a vector: copied by the byte.
#pragma once

#include "../../plan.hpp"
#include "arguments.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

static inline void copy(const float* from, std::size_t count, float* to) {
    __builtin_memcpy(to, from, count * sizeof(float));
}

template <int width>
static inline void repeat(const Operation& op, const Arguments& arguments) {
    const std::size_t row = std::size_t(op.channels_in) * width;
    for (int step = 0; step < op.steps_out; ++step)
        copy(arguments.in[0] + std::size_t(step / op.length) * row, row, arguments.out + std::size_t(step) * row);
}

template <int width>
static inline void place(const Operation& op, const Arguments& arguments) {
    const std::size_t row_in = std::size_t(op.channels_in) * width, row_out = std::size_t(op.channels_out) * width;
    float* to = arguments.out + std::size_t(op.to_step) * row_out + std::size_t(op.to_channel) * width;
    for (int step = 0; step < op.count; ++step)
        copy(arguments.in[0] + std::size_t(op.first + step * op.direction) * row_in, row_in,
             to + std::size_t(step) * row_out);
}

template <int width>
static inline void zeros(const Operation& op, const Arguments& arguments) {
    const std::size_t row = std::size_t(op.channels_out) * width;
    __builtin_memset(arguments.out + std::size_t(op.to_step) * row, 0, std::size_t(op.count) * row * sizeof(float));
}

template <int width>
static inline void permute(const Operation& op, const Arguments& arguments) {
    float* to = arguments.out;
    for (int channel = 0; channel < op.channels_in; ++channel)
        for (int step = 0; step < op.steps_in; ++step, to += width)
            copy(arguments.in[0] + (std::size_t(step) * op.channels_in + channel) * width, width, to);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
