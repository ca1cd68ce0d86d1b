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
    each<outputs>([&](auto j) {
        each<2>([&](auto half) {
            sum[j][half] = from_y ? load(y + j * block + half * lanes) : product.scale ? Vector{} : broadcast(bias[j]);
        });
    });
    for (int i = 0; i < product.n_inputs; ++i, x += block, weights += product.pitch) {
        const Vector x0 = load(x), x1 = load(x + lanes);
        each<outputs>([&](auto j) {
            sum[j][0] += weights[j] * x0;
            sum[j][1] += weights[j] * x1;
        });
    }
    each<outputs>([&](auto j) {
        each<2>([&](auto half) {
            Vector value = sum[j][half];
            if (product.scale) value = value * product.scale[half] + bias[j];
            if (product.relu) value = larger(value, Vector{});
            store(y + j * block + half * lanes, value);
        });
    });
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
    for (int number = 0, first = 0; number < n_tiles; ++number) {
        const int wanted = (product.n_outputs - first) / (n_tiles - number);
        product_of<tile>(wanted, product, x, weights + first, bias + first, y + first * block);
        first += wanted;
    }
}

// A single pulse: the vector runs over the outputs, and several sums run beside each other to hide their latency.
// Writes whole vectors: up to lanes - 1 floats behind y.
template <int vectors, int sums>
static inline void multiply_one_tile(int n_inputs, int pitch, const float* x, const float* weights, const float* start,
                                     float* y) {
    Vector sum[sums][vectors];
    each<vectors>([&](auto v) {
        sum[0][v] = load(start + v * lanes);
        each<sums - 1>([&](auto s) { sum[s + 1][v] = Vector{}; });
    });
    const auto add = [&](auto s) {
        each<vectors>([&](auto v) { sum[s][v] += x[s] * load(weights + s * pitch + v * lanes); });
    };
    int left = n_inputs;
    for (; left >= sums; left -= sums, x += sums, weights += sums * pitch) each<sums>(add);
    each<sums - 1>([&](auto s) {
        if (left > s) add(s);
    });
    each<vectors>([&](auto v) {
        // Sums 0 and 1, 2 and 3, ... then those of the pairs.
        each<sums / 2>([&](auto s) { sum[2 * s][v] += sum[2 * s + 1][v]; });
        each<sums / 4>([&](auto s) { sum[4 * s][v] += sum[4 * s + 2][v]; });
        if constexpr (sums == 8) sum[0][v] += sum[4][v];
        store(y + v * lanes, sum[0][v]);
    });
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
    each<steps>([&](auto s) { sum[s] = load(bias); });
    for (int i = 0; i < n_inputs; ++i) {
        const Vector row = load(weights + i * pitch);
        each<steps>([&](auto s) { sum[s] += x[s * x_stride + i] * row; });
    }
    each<steps>([&](auto s) { store(y + s * y_stride, relu ? larger(sum[s], Vector{}) : sum[s]); });
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
