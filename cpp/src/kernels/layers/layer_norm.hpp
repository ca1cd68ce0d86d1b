// Layer normalisation over the channels of each pulse and step.
#pragma once

#include "../../plan.hpp"
#include "arguments.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// `count` pulses side by side, `width` floats from one channel to the next.
template <int count, int width>
static inline void normalise(const Operation& op, const float* x, float* y) {
    const int channels = op.channels_out;
    float mean[count] = {}, variance[count] = {};
    for (int c = 0; c < channels; ++c)
        for (int i = 0; i < count; ++i) mean[i] += x[c * width + i];
    for (int i = 0; i < count; ++i) mean[i] /= float(channels);
    for (int c = 0; c < channels; ++c)
        for (int i = 0; i < count; ++i) variance[i] += (x[c * width + i] - mean[i]) * (x[c * width + i] - mean[i]);
    for (int i = 0; i < count; ++i) variance[i] = 1.0f / __builtin_sqrtf(variance[i] / float(channels) + op.epsilon);
    for (int c = 0; c < channels; ++c)
        for (int i = 0; i < count; ++i)
            y[c * width + i] = (x[c * width + i] - mean[i]) * variance[i] * op.weights[c] + op.bias[c];
}

template <int width>
static inline void layer_norm(const Operation& op, const Arguments& arguments) {
    constexpr int count = width < lanes ? width : lanes;
    const std::size_t row = std::size_t(op.channels_out) * width;
    for (int step = 0; step < op.steps_out; ++step)
        for (int first = 0; first < width; first += count)
            normalise<count, width>(op, arguments.in[0] + step * row + first, arguments.out + step * row + first);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
