// Operations on each value by itself; the result may go where the first input is. Whole vectors are written: what lies
// behind the last value of a single pulse is free.
#pragma once

#include "../../plan.hpp"
#include "activation.hpp"
#include "moving.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

template <int width>
static inline std::size_t count_of(const Operation& op) {
    return std::size_t(op.steps_out) * op.channels_out * width;
}

template <int width>
static inline void activate(const Operation& op, const Arguments& arguments) {
    if (arguments.out != arguments.in[0]) copy(arguments.in[0], count_of<width>(op), arguments.out);
    activate_values<width>(op.activation, arguments.out, op.steps_out, op.channels_out);
}

template <int width>
static inline void add(const Operation& op, const Arguments& arguments) {
    for (std::size_t i = 0; i < count_of<width>(op); i += lanes)
        store(arguments.out + i, load(arguments.in[0] + i) + load(arguments.in[1] + i));
}

template <int width>
static inline void multiply(const Operation& op, const Arguments& arguments) {
    for (std::size_t i = 0; i < count_of<width>(op); i += lanes)
        store(arguments.out + i, load(arguments.in[0] + i) * load(arguments.in[1] + i));
}

// Each step by the same row.
template <int width>
static inline void multiply_rows(const Operation& op, const Arguments& arguments) {
    const std::size_t row = std::size_t(op.channels_out) * width;
    for (int step = 0; step < op.steps_out; ++step)
        for (std::size_t i = 0; i < row; ++i)
            arguments.out[step * row + i] = arguments.in[0][step * row + i] * arguments.in[1][i];
}

template <int width>
static inline void prelu(const Operation& op, const Arguments& arguments) {
    const float* x = arguments.in[0];
    float* y = arguments.out;
    for (int step = 0; step < op.steps_out; ++step)
        for (int channel = 0; channel < op.channels_out; ++channel, x += width, y += width) {
            const std::size_t which = op.length == 0   ? 0
                                      : op.length == 1 ? std::size_t(channel)
                                                       : std::size_t(step) * op.channels_out + channel;
            const float slope = op.weights[which];
            for (int i = 0; i < width; ++i) y[i] = x[i] > 0 ? x[i] : slope * x[i];
        }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
