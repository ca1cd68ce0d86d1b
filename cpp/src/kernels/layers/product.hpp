// Products of weights and values, the work of nearly every layer: y = start + x @ weights, kept in registers.
#pragma once

#include "../vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// A block of pulses: x is (input, block), weights (input, pitch), y (output, block).
struct Product {
    int n_inputs, n_outputs, pitch;
    bool add;             // to what y holds; otherwise to the bias
    bool relu;            // at the end
    const Vector* scale;  // factor of each pulse, on the product but not the bias; or null
};

template <int outputs>
static inline void product_tile(const Product& product, const float* x, const float* weights, const float* bias,
                                float* y) {
    Vector sum[outputs][2];
    const bool from_y = product.add && !product.scale;
    for (int j = 0; j < outputs; ++j)
        for (int half = 0; half < 2; ++half)
            sum[j][half] = from_y ? load(y + j * block + half * lanes) : product.scale ? Vector{} : broadcast(bias[j]);
    for (int i = 0; i < product.n_inputs; ++i, x += block, weights += product.pitch) {
        const Vector x0 = load(x), x1 = load(x + lanes);
#pragma GCC unroll 16
        for (int j = 0; j < outputs; ++j) {
            sum[j][0] += weights[j] * x0;
            sum[j][1] += weights[j] * x1;
        }
    }
    for (int j = 0; j < outputs; ++j)
        for (int half = 0; half < 2; ++half) {
            Vector value = sum[j][half];
            if (product.scale) value = value * product.scale[half] + bias[j];
            if (product.relu) value = larger(value, Vector{});
            store(y + j * block + half * lanes, value);
        }
}

template <int outputs>
static inline void product_of(int wanted, const Product& product, const float* x, const float* weights,
                              const float* bias, float* y) {
    if constexpr (outputs > 1)
        if (wanted < outputs) return product_of<outputs - 1>(wanted, product, x, weights, bias, y);
    product_tile<outputs>(product, x, weights, bias, y);
}

// In tiles of about the same number of outputs.
static inline void multiply_block(const Product& product, const float* x, const float* weights, const float* bias,
                                  float* y) {
    const int n_tiles = (product.n_outputs + tile - 1) / tile;
    for (int number = 0; number < n_tiles; ++number) {
        const int first = product.n_outputs * number / n_tiles;
        const int wanted = product.n_outputs * (number + 1) / n_tiles - first;
        product_of<tile>(wanted, product, x, weights + first, bias + first, y + first * block);
    }
}

// A single pulse: the vector runs over the outputs, and several sums run beside each other to hide their latency.
// Writes whole vectors: up to lanes - 1 floats behind y.
template <int vectors, int sums>
static inline void multiply_one_tile(int n_inputs, int pitch, const float* x, const float* weights, const float* start,
                                     float* y) {
    Vector sum[sums][vectors] = {};
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[0][v] = load(start + v * lanes);
    int i = 0;
    for (; i + sums <= n_inputs; i += sums)
#pragma GCC unroll 8
        for (int s = 0; s < sums; ++s)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sum[s][v] += x[i + s] * load(weights + (i + s) * pitch + v * lanes);
#pragma GCC unroll 8
    for (int s = 0; s + 1 < sums; ++s)
        if (i + s < n_inputs)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sum[s][v] += x[i + s] * load(weights + (i + s) * pitch + v * lanes);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
#pragma GCC unroll 4
        for (int apart = sums / 2; apart > 0; apart /= 2)
#pragma GCC unroll 8
            for (int s = 0; s < apart; ++s) sum[s][v] += sum[s + apart][v];
        store(y + v * lanes, sum[0][v]);
    }
}

static inline void multiply_one(int n_inputs, int n_outputs, int pitch, bool add, const float* x, const float* weights,
                                const float* bias, float* y) {
    const float* start = add ? y : bias;
    int done = 0;
    for (; done + 3 * lanes < n_outputs; done += 4 * lanes)
        multiply_one_tile<4, 2>(n_inputs, pitch, x, weights + done, start + done, y + done);
    for (; done + lanes < n_outputs; done += 2 * lanes)
        multiply_one_tile<2, 4>(n_inputs, pitch, x, weights + done, start + done, y + done);
    for (; done < n_outputs; done += lanes)
        multiply_one_tile<1, 8>(n_inputs, pitch, x, weights + done, start + done, y + done);
}

// Several steps of a single pulse at once, one sum each: step s starts x_stride floats behind the one before, and its
// outputs, at most `lanes` of them, go y_stride floats behind. Writes whole vectors, in the order of the steps.
template <int steps>
static inline void multiply_steps(int n_inputs, int pitch, const float* x, int x_stride, const float* weights,
                                  const float* bias, bool relu, float* y, int y_stride) {
    Vector sum[steps];
#pragma GCC unroll 8
    for (int s = 0; s < steps; ++s) sum[s] = load(bias);
    for (int i = 0; i < n_inputs; ++i) {
        const Vector row = load(weights + i * pitch);
#pragma GCC unroll 8
        for (int s = 0; s < steps; ++s) sum[s] += x[s * x_stride + i] * row;
    }
#pragma GCC unroll 8
    for (int s = 0; s < steps; ++s) store(y + s * y_stride, relu ? larger(sum[s], Vector{}) : sum[s]);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
