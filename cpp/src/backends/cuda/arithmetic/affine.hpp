// Dense, Conv1D with and without groups, and Conv1DTranspose.
#pragma once

#include "product.hpp"

namespace discrimen::cuda {

template <class Team>
DISCRIMEN_FUNCTION void affine(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t n_groups = groups_of(op.channels_out);
    const std::size_t row_in = std::size_t(op.channels_in) * a.width, row_out = std::size_t(op.channels_out) * a.width;
    const std::size_t tap_weights = std::size_t(op.channels_in) * op.pitch;
    team.each((n_groups * std::uint32_t(op.steps_out)) << (a.shift - 2), [&](std::uint32_t number) {
        const ProductItem item(number, n_groups, op.channels_out, a);
        const int origin = int(item.step) * op.stride - op.pad_front;
        const float *weights = op.weights + item.output, *x = a.in[0] + item.place;
        Sums sums(op.bias + item.output);
        for (int tap = 0; tap < op.length; ++tap) {
            const int from = origin + tap * op.dilation;
            if (from < 0 || from >= op.steps_in) continue;
            sums.add_many(op.channels_in, x + std::size_t(from) * row_in, a.width,
                          weights + std::size_t(tap) * tap_weights, op.pitch);
        }
        float* to = a.out + item.step * row_out + std::size_t(item.output) * a.width + item.place;
        sums.store(to, item.count, a.width, op.activation);
    });
    if (op.activation == Activation::softmax) softmax(team, a.out, op.steps_out, op.channels_out, a);
}

// Each group of outputs sees its own channels: sums of a few products.
template <class Team>
DISCRIMEN_FUNCTION void grouped(const Team& team, const Operation& op, const Arguments& a) {
    const int inputs = op.channels_in / op.groups, outputs = op.channels_out / op.groups;
    const auto channels_out = std::uint32_t(op.channels_out);
    team.each((channels_out * std::uint32_t(op.steps_out)) << a.shift, [&](std::uint32_t item) {
        const std::uint32_t place = item & (a.width - 1), value = item >> a.shift;
        const int output = int(value % channels_out), step = int(value / channels_out);
        const float* x = a.in[0] + std::size_t(output / outputs * inputs) * a.width + place;
        const float* weights = op.weights + output;
        float sum = op.bias[output];
        for (int tap = 0; tap < op.length; ++tap) {
            const int from = step * op.stride - op.pad_front + tap * op.dilation;
            if (from < 0 || from >= op.steps_in) continue;
            for (int c = 0; c < inputs; ++c)
                sum += weights[(std::size_t(tap) * inputs + c) * op.pitch] *
                       x[(std::size_t(from) * op.channels_in + c) * a.width];
        }
        a.out[item] = activated(op.activation, sum);
    });
    if (op.activation == Activation::softmax) softmax(team, a.out, op.steps_out, op.channels_out, a);
}

// Output step t gathers tap k from input step s wherever s * stride + k == t + pad_front.
template <class Team>
DISCRIMEN_FUNCTION void transposed(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint32_t n_groups = groups_of(op.channels_out);
    const std::size_t row_in = std::size_t(op.channels_in) * a.width, row_out = std::size_t(op.channels_out) * a.width;
    const std::size_t tap_weights = std::size_t(op.channels_in) * op.pitch;
    team.each((n_groups * std::uint32_t(op.steps_out)) << (a.shift - 2), [&](std::uint32_t number) {
        const ProductItem item(number, n_groups, op.channels_out, a);
        const int at = int(item.step) + op.pad_front;
        const float *weights = op.weights + item.output, *x = a.in[0] + item.place;
        Sums sums(op.bias + item.output);
        for (int tap = at % op.stride; tap < op.length && tap <= at; tap += op.stride) {
            const int from = (at - tap) / op.stride;
            if (from >= op.steps_in) continue;
            sums.add_many(op.channels_in, x + std::size_t(from) * row_in, a.width,
                          weights + std::size_t(tap) * tap_weights, op.pitch);
        }
        float* to = a.out + item.step * row_out + std::size_t(item.output) * a.width + item.place;
        sums.store(to, item.count, a.width, op.activation);
    });
    if (op.activation == Activation::softmax) softmax(team, a.out, op.steps_out, op.channels_out, a);
}

}  // namespace discrimen::cuda
