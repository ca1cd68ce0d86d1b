// Activations on values that lie one behind the other, whatever they mean.
#pragma once

#include "../../plan.hpp"
#include "../vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

template <Activation activation>
static inline Vector activated(Vector x) {
    const Vector zero = {};
    if constexpr (activation == Activation::relu) return larger(x, zero);
    if constexpr (activation == Activation::tanh) return tangent(x);
    if constexpr (activation == Activation::sigmoid) return sigmoid(x);
    if constexpr (activation == Activation::elu) return x > zero ? x : exponential(smaller(x, zero)) - 1.0f;
    if constexpr (activation == Activation::gelu) return 0.5f * x * (1.0f + error_function(x * 0.70710678118654752f));
    if constexpr (activation == Activation::silu) return x * sigmoid(x);
    return x;
}

template <Activation activation>
static inline void activate_all(float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; i += lanes) store(values + i, activated<activation>(load(values + i)));
}

// Softmax over the channels of one pulse and step.
static inline void softmax_one(float* values, int channels) {
    float highest = values[0], total = 0;
    for (int c = 1; c < channels; ++c) highest = values[c] > highest ? values[c] : highest;
    for (int c = 0; c < channels; c += lanes) {
        const int left = channels - c < lanes ? channels - c : lanes;
        float powers[lanes];
        store(powers, exponential(load(values + c) - highest));
        for (int i = 0; i < left; ++i) {
            values[c + i] = powers[i];
            total += powers[i];
        }
    }
    const float share = 1.0f / total;
    for (int c = 0; c < channels; ++c) values[c] *= share;
}

// Softmax over the channels of `lanes` pulses.
static inline void softmax_lanes(float* values, int channels) {
    Vector highest = load(values), total = {};
    for (int c = 1; c < channels; ++c) highest = larger(highest, load(values + c * block));
    for (int c = 0; c < channels; ++c) {
        const Vector power = exponential(load(values + c * block) - highest);
        total += power;
        store(values + c * block, power);
    }
    const Vector share = reciprocal(total);
    for (int c = 0; c < channels; ++c) store(values + c * block, load(values + c * block) * share);
}

template <int width>
static inline void softmax(float* values, int steps, int channels) {
    for (int step = 0; step < steps; ++step, values += channels * width)
        if constexpr (width == 1) {
            softmax_one(values, channels);
        } else {
            softmax_lanes(values, channels);
            softmax_lanes(values + lanes, channels);
        }
}

template <int width>
static inline void activate(Activation activation, float* values, int steps, int channels) {
    const std::size_t count = std::size_t(steps) * channels * width;
    switch (activation) {
        case Activation::linear: return;
        case Activation::relu: return activate_all<Activation::relu>(values, count);
        case Activation::tanh: return activate_all<Activation::tanh>(values, count);
        case Activation::sigmoid: return activate_all<Activation::sigmoid>(values, count);
        case Activation::elu: return activate_all<Activation::elu>(values, count);
        case Activation::gelu: return activate_all<Activation::gelu>(values, count);
        case Activation::silu: return activate_all<Activation::silu>(values, count);
        case Activation::softmax: return softmax<width>(values, steps, channels);
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
