// softmax(query key^T) value, for heads that lie side by side along the channels.
#pragma once

#include "../../plan.hpp"
#include "activation.hpp"
#include "arguments.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// The weights of one query step and head over the steps of the keys, before the softmax.
template <int width>
static inline void attend(const float* query, const float* keys, int steps, int channels, int pitch, float* weights) {
    for (int step = 0; step < steps; ++step, keys += std::size_t(pitch) * width, weights += width) {
        float sums[width] = {};
        for (int c = 0; c < channels; ++c)
            for (int i = 0; i < width; ++i) sums[i] += query[c * width + i] * keys[c * width + i];
        for (int i = 0; i < width; ++i) weights[i] = sums[i];
    }
}

template <int width>
static inline void gather(const float* weights, const float* values, int steps, int channels, int pitch, float* out) {
    for (int i = 0; i < channels * width; ++i) out[i] = 0;
    for (int step = 0; step < steps; ++step, values += std::size_t(pitch) * width, weights += width)
        for (int c = 0; c < channels; ++c)
            for (int i = 0; i < width; ++i) out[c * width + i] += weights[i] * values[c * width + i];
}

template <int width>
static inline void attention(const Operation& op, const Arguments& arguments) {
    const int in = op.channels_in / op.groups, out = op.channels_out / op.groups;
    for (int step = 0; step < op.steps_in; ++step)
        for (int head = 0; head < op.groups; ++head) {
            const float* query = arguments.in[0] + (std::size_t(step) * op.channels_in + head * in) * width;
            attend<width>(query, arguments.in[1] + std::size_t(head) * in * width, op.steps_other, in, op.channels_in,
                          arguments.scratch);
            softmax<width>(arguments.scratch, 1, op.steps_other);
            gather<width>(arguments.scratch, arguments.in[2] + std::size_t(head) * out * width, op.steps_other, out,
                          op.channels_other,
                          arguments.out + (std::size_t(step) * op.channels_out + head * out) * width);
        }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
