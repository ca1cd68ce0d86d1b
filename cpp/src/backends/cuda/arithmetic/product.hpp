// Products of weights and values, kept in registers: what each weight that is loaded is used for several times.
#pragma once

#include "activation.hpp"

namespace discrimen::cuda {

constexpr int pulses_of_item = 4, outputs_of_item = 8;

struct alignas(16) Four {
    float value[4];
};

DISCRIMEN_FUNCTION Four four_at(const float* from) {
    require_aligned<Four>(from);
    return *reinterpret_cast<const Four*>(from);
}

// A few outputs of a few pulses: start + x @ weights. Rows of weights are padded with zeros, so that all may be loaded.
struct Sums {
    float sum[outputs_of_item][pulses_of_item];

    DISCRIMEN_METHOD explicit Sums(const float* start) {
        DISCRIMEN_UNROLLED
        for (int j = 0; j < outputs_of_item; ++j) {
            const float value = start[j];
            DISCRIMEN_UNROLLED
            for (int i = 0; i < pulses_of_item; ++i) sum[j][i] = value;
        }
    }

    // One input: its values of the pulses, one behind the other, and its row of weights.
    DISCRIMEN_METHOD void add(const float* x, const float* weights) {
        const Four values = four_at(x), low = four_at(weights), high = four_at(weights + 4);
        DISCRIMEN_UNROLLED
        for (int j = 0; j < outputs_of_item; ++j) {
            const float weight = j < 4 ? low.value[j % 4] : high.value[j % 4];
            DISCRIMEN_UNROLLED
            for (int i = 0; i < pulses_of_item; ++i) sum[j][i] += weight * values.value[i];
        }
    }

    DISCRIMEN_METHOD void add_many(int count, const float* x, std::uint32_t width, const float* weights, int pitch) {
        for (int i = 0; i < count; ++i, x += width, weights += pitch) add(x, weights);
    }

    // The first `count` outputs, activated: where they lie, so that there is one copy of the formulas.
    DISCRIMEN_METHOD void store(float* y, int count, std::uint32_t width, Activation activation) const {
        const bool relu = activation == Activation::relu;
        DISCRIMEN_UNROLLED
        for (int j = 0; j < outputs_of_item; ++j) {
            if (j >= count) break;
            Four values;
            DISCRIMEN_UNROLLED
            for (int i = 0; i < pulses_of_item; ++i) values.value[i] = relu ? largest(sum[j][i], 0.0f) : sum[j][i];
            require_aligned<Four>(y + std::size_t(j) * width);
            *reinterpret_cast<Four*>(y + std::size_t(j) * width) = values;
        }
        if (relu || activation == Activation::linear || activation == Activation::softmax) return;
        DISCRIMEN_ROLLED
        for (int j = 0; j < outputs_of_item && j < count; ++j) DISCRIMEN_ROLLED
        for (int i = 0; i < pulses_of_item; ++i) {
            float* at = y + std::size_t(j) * width + i;
            *at = activated(activation, *at);
        }
    }
};

// Which pulses, outputs and step an item computes.
struct ProductItem {
    std::uint32_t place, output, step;
    int count;  // of outputs

    DISCRIMEN_METHOD ProductItem(std::uint32_t item, std::uint32_t n_groups, int channels_out, const Arguments& a) {
        const std::uint32_t rest = item >> (a.shift - 2), group = rest % n_groups;
        place = (item & (a.width / pulses_of_item - 1)) * pulses_of_item;
        output = group * outputs_of_item;
        step = rest / n_groups;
        count = channels_out - int(output);
    }
};

DISCRIMEN_FUNCTION std::uint32_t groups_of(int channels_out) {
    return (std::uint32_t(channels_out) + outputs_of_item - 1) / outputs_of_item;
}

static_assert(pulses_of_item == 4 && narrowest_shift >= 2, "places of items are found by a shift");

}  // namespace discrimen::cuda
