// Which samples a preparation reads, for whoever brings them.
#pragma once

#include "../../../plan.hpp"
#include "function.hpp"

namespace discrimen::cuda {

// Samples of each channel that a preparation reads: [first, last).
struct Needed {
    int first, last;
};

DISCRIMEN_ON_BOTH Needed needed_of(const PreparationPlan& plan, std::size_t n_samples) {
    if (plan.aligned) return {0, int(n_samples)};
    Needed needed = {plan.channels[0].window_start, plan.channels[0].window_start + plan.window_length};
    for (int c = 0; c < plan.n_channels; ++c) {
        const ChannelPlan& channel = plan.channels[c];
        const int stop = channel.window_start + plan.window_length;
        if (channel.window_start < needed.first) needed.first = channel.window_start;
        if (stop > needed.last) needed.last = stop;
        if (channel.baseline_start == channel.baseline_stop) continue;
        if (channel.baseline_start < needed.first) needed.first = channel.baseline_start;
        if (channel.baseline_stop > needed.last) needed.last = channel.baseline_stop;
    }
    return needed;
}

// Bytes from one pulse to the next in the tile: an odd number of words, so that neighbours lie in different banks.
DISCRIMEN_ON_BOTH std::size_t staged_pitch(std::size_t n_values, std::size_t bytes_of_sample) {
    return ((n_values * bytes_of_sample + 3) / 4 | 1) * 4;
}

}  // namespace discrimen::cuda
