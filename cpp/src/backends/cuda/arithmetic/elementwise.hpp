// Operations on each value by itself, and layer normalisation; the result may go where the first input is.
#pragma once

#include "activation.hpp"

namespace discrimen::cuda {

DISCRIMEN_FUNCTION std::uint32_t count_of(const Operation& op, const Arguments& a) {
    return (std::uint32_t(op.steps_out) * std::uint32_t(op.channels_out)) << a.shift;
}

template <class Team>
DISCRIMEN_FUNCTION void activate(const Team& team, const Operation& op, const Arguments& a) {
    activate_values(team, op.activation, a.in[0], a.out, op.steps_out, op.channels_out, a);
}

template <class Team>
DISCRIMEN_FUNCTION void add(const Team& team, const Operation& op, const Arguments& a) {
    team.each(count_of(op, a), [&](std::uint32_t item) { a.out[item] = a.in[0][item] + a.in[1][item]; });
}

template <class Team>
DISCRIMEN_FUNCTION void multiply(const Team& team, const Operation& op, const Arguments& a) {
    team.each(count_of(op, a), [&](std::uint32_t item) { a.out[item] = a.in[0][item] * a.in[1][item]; });
}

// Each step by the same row.
template <class Team>
DISCRIMEN_FUNCTION void multiply_rows(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t row = std::uint32_t(op.channels_out) << a.shift;
    team.each(count_of(op, a), [&](std::uint32_t item) { a.out[item] = a.in[0][item] * a.in[1][item % row]; });
}

template <class Team>
DISCRIMEN_FUNCTION void prelu(const Team& team, const Operation& op, const Arguments& a) {
    const auto channels = std::uint32_t(op.channels_out);
    team.each(count_of(op, a), [&](std::uint32_t item) {
        const std::uint32_t value = item >> a.shift;
        const float slope = op.weights[op.length == 0   ? 0
                                       : op.length == 1 ? value % channels
                                                        : value],
                    x = a.in[0][item];
        a.out[item] = x > 0 ? x : slope * x;
    });
}

template <class Team>
DISCRIMEN_FUNCTION void layer_norm(const Team& team, const Operation& op, const Arguments& a) {
    const int channels = op.channels_out;
    team.each(std::uint32_t(op.steps_out) << a.shift, [&](std::uint32_t item) {
        const std::size_t start = std::size_t(item >> a.shift) * channels * a.width + (item & (a.width - 1));
        const float* x = a.in[0] + start;
        float mean = 0, variance = 0;
        for (int c = 0; c < channels; ++c) mean += x[std::size_t(c) * a.width];
        mean /= float(channels);
        for (int c = 0; c < channels; ++c) {
            const float off = x[std::size_t(c) * a.width] - mean;
            variance += off * off;
        }
        const float factor = 1.0f / sqrtf(variance / float(channels) + op.epsilon);
        for (int c = 0; c < channels; ++c)
            a.out[start + std::size_t(c) * a.width] =
                (x[std::size_t(c) * a.width] - mean) * factor * op.weights[c] + op.bias[c];
    });
}

}  // namespace discrimen::cuda
