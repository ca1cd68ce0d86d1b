// Operations that move values, and pools.
#pragma once

#include "elementwise.hpp"

namespace discrimen::cuda {

template <class Team>
DISCRIMEN_FUNCTION void repeat(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t row = std::uint32_t(op.channels_in) << a.shift;
    team.each(count_of(op, a), [&](std::uint32_t item) {
        a.out[item] = a.in[0][std::size_t(item / row / std::uint32_t(op.length)) * row + item % row];
    });
}

template <class Team>
DISCRIMEN_FUNCTION void place(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t row_in = std::uint32_t(op.channels_in) << a.shift, row_out = std::uint32_t(op.channels_out)
                                                                                     << a.shift;
    float* to = a.out + std::size_t(op.to_step) * row_out + (std::size_t(op.to_channel) << a.shift);
    team.each(std::uint32_t(op.count) * row_in, [&](std::uint32_t item) {
        const std::uint32_t step = item / row_in, rest = item % row_in;
        const int from = op.first + int(step) * op.direction;
        to[std::size_t(step) * row_out + rest] = a.in[0][std::size_t(from) * row_in + rest];
    });
}

template <class Team>
DISCRIMEN_FUNCTION void zeros(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t row = std::uint32_t(op.channels_out) << a.shift;
    float* to = a.out + std::size_t(op.to_step) * row;
    team.each(std::uint32_t(op.count) * row, [&](std::uint32_t item) { to[item] = 0; });
}

template <class Team>
DISCRIMEN_FUNCTION void permute(const Team& team, const Operation& op, const Arguments& a) {
    const auto steps = std::uint32_t(op.steps_in), channels = std::uint32_t(op.channels_in);
    team.each((steps * channels) << a.shift, [&](std::uint32_t item) {
        const std::uint32_t value = item >> a.shift, channel = value / steps, step = value % steps;
        a.out[item] = a.in[0][(std::size_t(step * channels + channel) << a.shift) + (item & (a.width - 1))];
    });
}

template <bool of_largest, class Team>
DISCRIMEN_FUNCTION void pool(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t row = std::uint32_t(op.channels_in) << a.shift;
    team.each(std::uint32_t(op.steps_out) * row, [&](std::uint32_t item) {
        const int origin = int(item / row) * op.stride - op.pad_front;
        const int first = origin < 0 ? 0 : origin;
        const int last = origin + op.length < op.steps_in ? origin + op.length : op.steps_in;
        const float* x = a.in[0] + item % row;
        float value = x[std::size_t(first) * row];
        for (int from = first + 1; from < last; ++from) {
            const float next = x[std::size_t(from) * row];
            value = of_largest ? largest(value, next) : value + next;
        }
        a.out[item] = of_largest ? value : value * (1.0f / float(last - first));
    });
}

template <class Team>
DISCRIMEN_FUNCTION void max_pool(const Team& team, const Operation& op, const Arguments& a) {
    pool<true>(team, op, a);
}

template <class Team>
DISCRIMEN_FUNCTION void average_pool(const Team& team, const Operation& op, const Arguments& a) {
    pool<false>(team, op, a);
}

}  // namespace discrimen::cuda
