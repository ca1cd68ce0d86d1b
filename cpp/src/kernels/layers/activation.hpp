// Activations on values that lie one behind the other, whatever they mean.
#pragma once

#include "../../plan.hpp"
#include "../vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

static inline Vector elu(Vector x) { return x > 0.0f ? x : exponential_less_1(smaller(x, Vector{})); }

static inline Vector softplus(Vector x) { return larger(x, Vector{}) + log_1_plus(exponential(-larger(x, -x))); }

// x tanh(softplus(x)): with e = exp(x), that tangent is e (e + 2) / (e (e + 2) + 2). Beyond 20 it is 1.
static inline Vector mish(Vector x) {
    const Vector power = exponential(smaller(x, broadcast(20.0f)));
    const Vector grown = power * (power + 2.0f);
    return x * ratio(grown, grown + 2.0f);
}

template <Activation activation>
static inline Vector activated(Vector x) {
    const Vector zero = {};
    if constexpr (activation == Activation::relu) return larger(x, zero);
    if constexpr (activation == Activation::tanh) return tangent(x);
    if constexpr (activation == Activation::sigmoid) return sigmoid(x);
    if constexpr (activation == Activation::elu) return elu(x);
    if constexpr (activation == Activation::gelu) return 0.5f * x * (1.0f + error_function(x * 0.70710678118654752f));
    if constexpr (activation == Activation::silu) return x * sigmoid(x);
    if constexpr (activation == Activation::relu6) return smaller(larger(x, zero), broadcast(6.0f));
    if constexpr (activation == Activation::selu)
        return x > zero ? 1.05070098735548049f * x : 1.75809934084737685f * elu(x);
    if constexpr (activation == Activation::softplus) return softplus(x);
    if constexpr (activation == Activation::mish) return mish(x);
    if constexpr (activation == Activation::hard_sigmoid) return hard_sigmoid(x);
    if constexpr (activation == Activation::exponential) return exponential(x);
    if constexpr (activation == Activation::softsign) return x / (1.0f + larger(x, -x));
    if constexpr (activation == Activation::hard_silu) return x * hard_sigmoid(x);
    if constexpr (activation == Activation::gelu_tanh)
        return x * sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
    if constexpr (activation == Activation::sqrt) return square_root(larger(x, zero));
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

// The same for the last row, whose few channels fit into a vector: what lies behind them is free.
static inline void softmax_few(float* values, int channels) {
    float highest = values[0], total = 0, powers[lanes];
    for (int c = 1; c < channels; ++c) highest = values[c] > highest ? values[c] : highest;
    const Vector power = exponential(load(values) - highest);
    store(powers, power);
    for (int c = 0; c < channels; ++c) total += powers[c];
    store(values, power * (1.0f / total));
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
            if (step + 1 == steps && channels <= lanes)
                softmax_few(values, channels);
            else
                softmax_one(values, channels);
        } else {
            softmax_lanes(values, channels);
            softmax_lanes(values + lanes, channels);
        }
}

template <int width>
static inline void activate_values(Activation activation, float* values, int steps, int channels) {
    const std::size_t count = std::size_t(steps) * channels * width;
    switch (activation) {
        case Activation::linear: return;
        case Activation::softmax: return softmax<width>(values, steps, channels);
#define DISCRIMEN_CASE(name) \
    case Activation::name: return activate_all<Activation::name>(values, count)
            DISCRIMEN_CASE(relu);
            DISCRIMEN_CASE(tanh);
            DISCRIMEN_CASE(sigmoid);
            DISCRIMEN_CASE(elu);
            DISCRIMEN_CASE(gelu);
            DISCRIMEN_CASE(silu);
            DISCRIMEN_CASE(relu6);
            DISCRIMEN_CASE(selu);
            DISCRIMEN_CASE(softplus);
            DISCRIMEN_CASE(mish);
            DISCRIMEN_CASE(hard_sigmoid);
            DISCRIMEN_CASE(exponential);
            DISCRIMEN_CASE(softsign);
            DISCRIMEN_CASE(hard_silu);
            DISCRIMEN_CASE(gelu_tanh);
            DISCRIMEN_CASE(sqrt);
#undef DISCRIMEN_CASE
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
