// Dense, Conv1D with and without groups, and Conv1DTranspose.
#pragma once

#include "../../plan.hpp"
#include "activation.hpp"
#include "arguments.hpp"
#include "product.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// One row of outputs (+)= one run of inputs @ weights.
template <int width>
static inline void product_row(const Product& product, const float* x, const float* weights, const float* bias,
                               float* y) {
    if constexpr (width == 1) {
        multiply_one(product.n_inputs, product.n_outputs, product.pitch, product.add, x, weights, bias, y);
        if (product.relu)
            for (int j = 0; j < product.n_outputs; j += lanes) store(y + j, larger(load(y + j), Vector{}));
    } else {
        multiply_block(product, x, weights, bias, y);
    }
}

// Taps of a kernel that fall on steps which are there: [first, last).
struct Taps {
    int first, last;
};

static inline Taps taps_inside(const Operation& op, int origin) {
    const int reach = (op.length - 1) * op.dilation;
    if (origin >= 0 && origin + reach < op.steps_in) return {0, op.length};
    const int after = op.steps_in - origin;  // distance to the first step that is not there
    const int first = origin < 0 ? (-origin + op.dilation - 1) / op.dilation : 0;
    const int last = after > 0 ? (after + op.dilation - 1) / op.dilation : 0;
    if (first >= last || first >= op.length) return {0, 0};
    return {first, last < op.length ? last : op.length};
}

// Step after step, each over the taps that are there. Not inlined: a single row should not pay for its registers.
template <int width>
static __attribute__((noinline)) void affine_steps(const Operation& op, const float* x, float* y) {
    const std::size_t row_in = std::size_t(op.channels_in) * width, row_out = std::size_t(op.channels_out) * width;
    const std::size_t tap_weights = std::size_t(op.channels_in) * op.pitch;
    const bool relu = op.activation == Activation::relu;
    Product product = {0, op.channels_out, op.pitch, false, relu, nullptr};
    constexpr int together = 8;
    for (int step = 0; step < op.steps_out; ++step) {
        const int origin = step * op.stride - op.pad_front;
        const Taps taps = taps_inside(op, origin);
        float* to = y + step * row_out;
        if constexpr (width == 1) {
            const int last = origin + (together - 1) * op.stride + op.length;
            if (op.dilation == 1 && op.channels_out <= lanes && origin >= 0 && last <= op.steps_in &&
                step + together <= op.steps_out) {
                multiply_steps<together>(op.length * op.channels_in, op.pitch, x + origin * row_in,
                                         op.stride * op.channels_in, op.weights, op.bias, relu, to, op.channels_out);
                step += together - 1;
                continue;
            }
        }
        if (op.dilation == 1 || taps.last - taps.first < 2) {
            product.n_inputs = (taps.last - taps.first) * op.channels_in;
            product.add = false;
            product.relu = relu;
            const std::ptrdiff_t at = taps.last > 0 ? origin + taps.first * op.dilation : 0;
            const float* from = x + at * std::ptrdiff_t(row_in);
            product_row<width>(product, from, op.weights + taps.first * tap_weights, op.bias, to);
            continue;
        }
        product.n_inputs = op.channels_in;
        for (int tap = taps.first; tap < taps.last; ++tap) {
            product.add = tap > taps.first;
            product.relu = relu && tap == taps.last - 1;
            product_row<width>(product, x + (origin + tap * op.dilation) * row_in, op.weights + tap * tap_weights,
                               op.bias, to);
        }
    }
}

// `scale`: see Arguments.
template <int width>
static inline void affine(const Operation& op, const float* x, float* y, const Vector* scale) {
    const bool relu = op.activation == Activation::relu;
    if (op.steps_out == 1 && op.length == 1) {
        const Product product = {op.channels_in + (scale ? 1 : 0), op.channels_out, op.pitch, false, relu, scale};
        product_row<width>(product, x, op.weights, op.bias, y);
    } else {
        affine_steps<width>(op, x, y);
    }
    if (!relu) activate_values<width>(op.activation, y, op.steps_out, op.channels_out);
}

template <int width>
static inline void affine(const Operation& op, const Arguments& arguments) {
    affine<width>(op, arguments.in[0], arguments.out, arguments.scale);
}

// Each group of outputs sees its own channels: sums of a few products, a vector of pulses at a time.
template <int width>
static inline void grouped(const Operation& op, const Arguments& arguments) {
    const int inputs = op.channels_in / op.groups, outputs = op.channels_out / op.groups;
    for (int step = 0; step < op.steps_out; ++step) {
        const int origin = step * op.stride - op.pad_front;
        const Taps taps = taps_inside(op, origin);
        float* to = arguments.out + std::size_t(step) * op.channels_out * width;
        for (int output = 0; output < op.channels_out; ++output) {
            const float* x = arguments.in[0] + std::size_t(output / outputs) * inputs * width;
            float sums[width];
            for (int i = 0; i < width; ++i) sums[i] = op.bias[output];
            for (int tap = taps.first; tap < taps.last; ++tap) {
                const float* from = x + std::size_t(origin + tap * op.dilation) * op.channels_in * width;
                const float* weights = op.weights + std::size_t(tap) * inputs * op.pitch + output;
                for (int c = 0; c < inputs; ++c)
                    for (int i = 0; i < width; ++i) sums[i] += weights[std::size_t(c) * op.pitch] * from[c * width + i];
            }
            for (int i = 0; i < width; ++i) to[output * width + i] = sums[i];
        }
    }
    activate_values<width>(op.activation, arguments.out, op.steps_out, op.channels_out);
}

// Output step t gathers tap k from input step s wherever s * stride + k == t + pad_front.
template <int width>
static inline void transposed(const Operation& op, const Arguments& arguments) {
    const float* x = arguments.in[0];
    float* y = arguments.out;
    const std::size_t row_in = std::size_t(op.channels_in) * width, row_out = std::size_t(op.channels_out) * width;
    const std::size_t tap_weights = std::size_t(op.channels_in) * op.pitch;
    Product product = {0, op.channels_out, op.pitch, false, false, nullptr};
    for (int step = 0; step < op.steps_out; ++step) {
        const int at = step + op.pad_front;
        float* to = y + step * row_out;
        product.n_inputs = 0;
        product.add = false;
        product_row<width>(product, x, op.weights, op.bias, to);
        product.n_inputs = op.channels_in;
        product.add = true;
        for (int tap = at % op.stride; tap < op.length && tap <= at; tap += op.stride) {
            const int from = (at - tap) / op.stride;
            if (from < op.steps_in)
                product_row<width>(product, x + from * row_in, op.weights + tap * tap_weights, op.bias, to);
        }
    }
    activate_values<width>(op.activation, y, op.steps_out, op.channels_out);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
