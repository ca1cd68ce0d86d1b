// A chain of a few small Dense layers on 16-bit samples of one channel, the usual discriminator: each item takes two
// pulses from raw samples to outputs in registers, and nothing between is stored.
#pragma once

#include "is_chain.hpp"
#include "product.hpp"
#include "stage.hpp"

namespace discrimen::cuda {

// Values of the units of a layer for the pulses of an item; those behind the last unit mean nothing.
struct Units {
    float value[most_units][pulses_of_chain];

    // Those that are there one after the other, unrolled: their places in registers are known then.
    template <class F>
    DISCRIMEN_METHOD void each(int count, F f) {
        DISCRIMEN_UNROLLED
        for (int j = 0; j < most_units; ++j)
            if (j < count) {
                DISCRIMEN_UNROLLED
                for (int i = 0; i < pulses_of_chain; ++i) value[j][i] = f(j, i, value[j][i]);
            }
    }

    // The same for values that are not known before.
    template <class F>
    DISCRIMEN_METHOD void begin(int count, F f) {
        DISCRIMEN_UNROLLED
        for (int j = 0; j < most_units; ++j)
            if (j < count) {
                DISCRIMEN_UNROLLED
                for (int i = 0; i < pulses_of_chain; ++i) value[j][i] = f(j);
            }
    }

    DISCRIMEN_METHOD void activate(Activation activation, int count) {
        if (activation == Activation::linear) return;
        if (activation == Activation::relu) return each(count, [](int, int, float x) { return largest(x, 0.0f); });
        if (activation == Activation::tanh) return each(count, [](int, int, float x) { return tanhf(x); });
        each(count, [](int, int, float x) { return sigmoid(x); });
    }

    DISCRIMEN_METHOD Units next(const Operation& op) const {
        Units sums;
        sums.begin(op.channels_out, [&](int j) { return op.bias[j]; });
        DISCRIMEN_UNROLLED
        for (int k = 0; k < most_units; ++k)
            if (k < op.channels_in) {
                const float* weights = op.weights + k * most_units;
                const Units& own = *this;
                sums.each(op.channels_out, [&](int j, int i, float x) { return x + weights[j] * own.value[k][i]; });
            }
        sums.activate(op.activation, op.channels_out);
        return sums;
    }
};

// The first layer while samples come in: products with samples above the baseline, which are scaled at the end.
template <class R, int quads>
struct FirstLayer {
    float sum[4 * quads][pulses_of_chain], peak[pulses_of_chain], area[pulses_of_chain];

    DISCRIMEN_METHOD FirstLayer(const NetworkPlan& plan, const R (&records)[pulses_of_chain]) {
        const ChannelPlan& channel = plan.preparation.channels[0];
        const Level<R> levels[] = {level_of(channel, records[0]), level_of(channel, records[1])};
        const float* weights = plan.operations[0].weights;
        float lost[pulses_of_chain] = {};
        DISCRIMEN_UNROLLED
        for (int i = 0; i < pulses_of_chain; ++i) {
            peak[i] = -HUGE_VALF, area[i] = 0;
            DISCRIMEN_UNROLLED
            for (int j = 0; j < 4 * quads; ++j) sum[j][i] = 0;
        }
        const bool of_area = plan.preparation.scale == Scale::area;
        for (int sample = 0; sample < plan.preparation.window_length; ++sample, weights += most_units) {
            float above[pulses_of_chain];
            DISCRIMEN_UNROLLED
            for (int i = 0; i < pulses_of_chain; ++i) {
                above[i] = levels[i].above(records[i][channel.window_start + sample]);
                peak[i] = largest(above[i], peak[i]);
                if (of_area) add_exactly(above[i], area[i], lost[i]);
            }
            DISCRIMEN_UNROLLED
            for (int quad = 0; quad < quads; ++quad) {
                const Four weight = four_at(weights + 4 * quad);
                DISCRIMEN_UNROLLED
                for (int j = 0; j < 4; ++j) DISCRIMEN_UNROLLED
                for (int i = 0; i < pulses_of_chain; ++i) sum[4 * quad + j][i] += weight.value[j] * above[i];
            }
        }
    }

    DISCRIMEN_METHOD static Level<R> level_of(const ChannelPlan& channel, const R& record) {
        return {mean_of(record, channel.baseline_start, channel.baseline_stop), channel.polarity};
    }

    // What a sum loses is given back to it.
    DISCRIMEN_METHOD static void add_exactly(float value, float& to, float& lost) {
        const float term = value - lost, grown = to + term;
        lost = (grown - to) - term;
        to = grown;
    }

    DISCRIMEN_METHOD Units finished(const Operation& op, Scale scale, bool (&valid)[pulses_of_chain]) const {
        float factor[pulses_of_chain];
        DISCRIMEN_UNROLLED
        for (int i = 0; i < pulses_of_chain; ++i) {
            const float divisor = scale == Scale::none ? 1.0f : scale == Scale::peak ? peak[i] : area[i];
            valid[i] = scale == Scale::none || (peak[i] > 0 && divisor > 0);
            factor[i] = 1.0f / divisor;
        }
        Units units;
        DISCRIMEN_UNROLLED
        for (int j = 0; j < 4 * quads; ++j) DISCRIMEN_UNROLLED
        for (int i = 0; i < pulses_of_chain; ++i) units.value[j][i] = sum[j][i] * factor[i] + op.bias[j];
        units.activate(op.activation, op.channels_out);
        return units;
    }
};

DISCRIMEN_FUNCTION void write_units(const Job& job, const OutputPlan& output, Units units, int i, std::size_t pulse,
                                    bool valid) {
    float* to = job.outputs[0] + pulse * std::size_t(output.n_values);
    if (!job.raw && output.activation == Activation::softmax) {
        float highest = -HUGE_VALF, total = 0;
        DISCRIMEN_UNROLLED
        for (int j = 0; j < most_units; ++j)
            if (j < output.n_values) highest = largest(units.value[j][i], highest);
        DISCRIMEN_UNROLLED
        for (int j = 0; j < most_units; ++j)
            if (j < output.n_values) units.value[j][i] = expf(units.value[j][i] - highest), total += units.value[j][i];
        const float share = 1.0f / total;
        DISCRIMEN_UNROLLED
        for (int j = 0; j < most_units; ++j)
            if (j < output.n_values) to[j] = valid ? units.value[j][i] * share : nanf("");
        return;
    }
    units.activate(job.raw ? Activation::linear : output.activation, output.n_values);
    DISCRIMEN_UNROLLED
    for (int j = 0; j < most_units; ++j)
        if (j < output.n_values) to[j] = valid ? units.value[j][i] : nanf("");
}

template <class R, int quads>
DISCRIMEN_FUNCTION void run_chain_item(const Job& job, const Tile& tile, const Samples& samples, std::uint32_t item) {
    const NetworkPlan& plan = *job.plan;
    const std::uint32_t places[] = {item, item + tile.width / pulses_of_chain};
    const R records[] = {samples.template record<R>(tile, places[0], 0),
                         samples.template record<R>(tile, places[1], 0)};
    const FirstLayer<R, quads> first(plan, records);
    bool valid[pulses_of_chain];
    Units units = first.finished(plan.operations[0], plan.preparation.scale, valid);
    for (int k = 1; k < plan.n_operations; ++k) units = units.next(plan.operations[k]);
    DISCRIMEN_UNROLLED
    for (int i = 0; i < pulses_of_chain; ++i) {
        if (places[i] >= tile.count) continue;
        const std::size_t pulse = tile.first + places[i];
        if (job.outputs[0]) write_units(job, plan.outputs[0], units, i, pulse, valid[i]);
        if (job.height) job.height[pulse] = valid[i] ? first.peak[i] : nanf("");
    }
}

template <class R, class Team>
DISCRIMEN_FUNCTION void run_chain_as(const Team& team, const Job& job, const Tile& tile) {
    const Samples samples = staged_samples<R>(team, job.plan->preparation, job, tile);
    const std::uint32_t items = tile.width / pulses_of_chain;
    switch ((job.plan->operations[0].channels_out + 3) / 4) {
        case 1: return team.each(items, [&](std::uint32_t item) { run_chain_item<R, 1>(job, tile, samples, item); });
        case 2: return team.each(items, [&](std::uint32_t item) { run_chain_item<R, 2>(job, tile, samples, item); });
        case 3: return team.each(items, [&](std::uint32_t item) { run_chain_item<R, 3>(job, tile, samples, item); });
        default: return team.each(items, [&](std::uint32_t item) { run_chain_item<R, 4>(job, tile, samples, item); });
    }
}

// The tile number `number` of a job: its memory holds raw samples alone.
template <class Team>
DISCRIMEN_FUNCTION void run_chain_tile(const Team& team, const Job& job, std::size_t number, char* memory) {
    Tile tile{};
    tile.raw = memory;
    tile.width = job.shape.width;
    tile.shift = job.shape.shift;
    tile.first = number << job.shape.shift;
    const std::size_t left = job.view.n_pulses - tile.first;
    tile.count = left < tile.width ? std::uint32_t(left) : tile.width;
    if (job.view.type == 0)
        run_chain_as<Record<std::int16_t, true>>(team, job, tile);
    else
        run_chain_as<Record<std::uint16_t, true>>(team, job, tile);
}

}  // namespace discrimen::cuda
