// Activations of single values, and softmax over the channels of a pulse and step.
#pragma once

#include "tile.hpp"

namespace discrimen::cuda {

DISCRIMEN_FUNCTION float largest(float one, float other) { return one > other ? one : other; }
DISCRIMEN_FUNCTION float smallest(float one, float other) { return one < other ? one : other; }
DISCRIMEN_FUNCTION float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
DISCRIMEN_FUNCTION float hard_sigmoid(float x) { return largest(smallest(x * (1.0f / 6) + 0.5f, 1.0f), 0.0f); }
DISCRIMEN_FUNCTION float softplus(float x) { return largest(x, 0.0f) + log1pf(expf(-fabsf(x))); }
DISCRIMEN_FUNCTION float elu(float x) { return x > 0.0f ? x : expm1f(x); }

// x tanh(softplus(x)): with e = exp(x), that tangent is e (e + 2) / (e (e + 2) + 2). Beyond 20 it is 1.
DISCRIMEN_FUNCTION float mish(float x) {
    const float power = expf(smallest(x, 20.0f)), grown = power * (power + 2.0f);
    return x * (grown / (grown + 2.0f));
}

// All but softmax, which is of several values.
DISCRIMEN_FUNCTION float activated(Activation activation, float x) {
    switch (activation) {
        case Activation::linear:
        case Activation::softmax: return x;
        case Activation::relu: return largest(x, 0.0f);
        case Activation::tanh: return tanhf(x);
        case Activation::sigmoid: return sigmoid(x);
        case Activation::elu: return elu(x);
        case Activation::gelu: return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
        case Activation::silu: return x * sigmoid(x);
        case Activation::relu6: return smallest(largest(x, 0.0f), 6.0f);
        case Activation::selu: return x > 0.0f ? 1.05070098735548049f * x : 1.75809934084737685f * elu(x);
        case Activation::softplus: return softplus(x);
        case Activation::mish: return mish(x);
        case Activation::hard_sigmoid: return hard_sigmoid(x);
        case Activation::exponential: return expf(x);
        case Activation::softsign: return x / (1.0f + fabsf(x));
        case Activation::hard_silu: return x * hard_sigmoid(x);
        case Activation::gelu_tanh: return x * sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
        case Activation::sqrt: return sqrtf(largest(x, 0.0f));
    }
    return x;
}

// The largest of some values that lie `width` floats apart, and the sum of the powers of e of what they are below it.
struct Softmax {
    float highest;
    float share = 0;

    DISCRIMEN_METHOD Softmax(const float* values, std::uint32_t count, std::uint32_t width) : highest(values[0]) {
        for (std::uint32_t c = 1; c < count; ++c) highest = largest(highest, values[std::size_t(c) * width]);
        float total = 0;
        for (std::uint32_t c = 0; c < count; ++c) total += expf(values[std::size_t(c) * width] - highest);
        share = 1.0f / total;
    }

    DISCRIMEN_METHOD float of(float value) const { return expf(value - highest) * share; }
};

template <class Team>
DISCRIMEN_FUNCTION void softmax(const Team& team, float* values, int steps, int channels, const Arguments& a) {
    team.each(std::uint32_t(steps) << a.shift, [&](std::uint32_t item) {
        const std::uint32_t step = item >> a.shift, place = item & (a.width - 1);
        float* row = values + std::size_t(step) * channels * a.width + place;
        const Softmax weights(row, std::uint32_t(channels), a.width);
        for (int c = 0; c < channels; ++c) row[std::size_t(c) * a.width] = weights.of(row[std::size_t(c) * a.width]);
    });
}

template <class Team>
DISCRIMEN_FUNCTION void activate_values(const Team& team, Activation activation, const float* from, float* to,
                                        int steps, int channels, const Arguments& a) {
    const std::uint32_t count = (std::uint32_t(steps) * std::uint32_t(channels)) << a.shift;
    if (activation != Activation::softmax)
        return team.each(count, [&](std::uint32_t item) { to[item] = activated(activation, from[item]); });
    if (to != from) team.each(count, [&](std::uint32_t item) { to[item] = from[item]; });
    softmax(team, to, steps, channels, a);
}

}  // namespace discrimen::cuda
