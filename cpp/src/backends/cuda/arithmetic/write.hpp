// From values of a tile to the results of a caller: pulse after pulse, the outputs' activations applied.
#pragma once

#include "activation.hpp"

namespace discrimen::cuda {

// Neighbouring items are neighbouring values of one pulse, which lie one behind the other in memory.
template <class Team>
DISCRIMEN_FUNCTION void write_output(const Team& team, const Job& job, const Tile& tile, const OutputPlan& output,
                                     float* to) {
    const float* values = tile.values + (output.place << tile.shift);
    const auto n_values = std::uint32_t(output.n_values);
    const Activation activation = job.raw ? Activation::linear : output.activation;
    require_aligned<float>(to);
    to += tile.first * n_values;
    if (activation == Activation::softmax) {  // of one row
        team.each(tile.count, [&](std::uint32_t place) {
            const Softmax weights(values + place, n_values, tile.width);
            for (std::uint32_t c = 0; c < n_values; ++c)
                to[place * n_values + c] =
                    tile.valid[place] ? weights.of(values[(std::size_t(c) << tile.shift) + place]) : nanf("");
        });
        return;
    }
    team.each(tile.count * n_values, [&](std::uint32_t item) {
        const std::uint32_t place = item / n_values, c = item % n_values;
        to[item] = tile.valid[place] ? activated(activation, values[(std::size_t(c) << tile.shift) + place]) : nanf("");
    });
}

template <class Team>
DISCRIMEN_FUNCTION void write_results(const Team& team, const Job& job, const Tile& tile) {
    const NetworkPlan& plan = *job.plan;
    for (int i = 0; i < plan.n_outputs; ++i)
        if (job.outputs[i]) write_output(team, job, tile, plan.outputs[i], job.outputs[i]);
}

// What is said of the prepared pulse itself: before the network goes on, which may use its place.
template <class Team>
DISCRIMEN_FUNCTION void write_origins(const Team& team, const Job& job, const Tile& tile) {
    const auto n_origins = std::uint32_t(2 + job.plan->preparation.n_channels);
    if (job.height)
        team.each(tile.count, [&](std::uint32_t place) {
            job.height[tile.first + place] = tile.valid[place] ? tile.peak[place] : nanf("");
        });
    if (!job.restoration) return;
    require_aligned<double>(job.restoration);
    double* to = job.restoration + tile.first * n_origins;
    team.each(tile.count * n_origins, [&](std::uint32_t item) {
        const std::uint32_t place = item / n_origins, number = item % n_origins;
        to[item] = tile.valid[place] ? tile.origins[(number << tile.shift) + place] : std::nan("");
    });
}

}  // namespace discrimen::cuda
