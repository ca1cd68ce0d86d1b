// A tile: the pulses that a team computes together, and the memory for them. Values lie as (value, pulse).
#pragma once

#include "../../../plan.hpp"
#include "function.hpp"

namespace discrimen::cuda {

// Logarithms of the pulses of a tile to base 2. Of 8 packed pulses and more the first lies at a multiple of 16 bytes.
constexpr std::uint32_t narrowest_shift = 3, widest_shift = 7;
constexpr int most_outputs = 32;

// How the memory of a tile is divided; the same for all tiles of a model.
struct TileShape {
    std::uint32_t width, shift;  // pulses, and the logarithm of their number to base 2
    std::uint32_t raw_bytes;     // room for raw samples
    std::size_t bytes;           // of all
};

// What a launch computes: pulses where they lie, and where their results go. All addresses are the device's.
struct Job {
    const NetworkPlan* plan;
    TileShape shape;
    SampleView view;
    bool aligned;                  // samples lie at multiples of their size
    bool raw;                      // outputs without their activations
    bool chain;                    // as chain.hpp computes it: tiles have memory for raw samples alone
    float* outputs[most_outputs];  // null: not wanted
    double* restoration;
    std::uint16_t* outside;
    float* height;
    std::uint64_t seed, first_pulse;  // number within the call of the first pulse of the view
};

struct Tile {
    double* origins;         // (2 + channel, pulse): start, divisor, baselines
    float* values;           // (value, pulse)
    float* scratch;          // (value, pulse)
    float *peak, *sum;       // (channel, pulse) of the windows; a peak that is no number: a value is none
    float *spread, *factor;  // (pulse)
    std::int32_t* valid;     // (pulse)
    char* raw;
    std::uint32_t width, shift;
    std::uint32_t count;  // pulses that are there; the places behind repeat the last one
    std::size_t first;    // number of the first one within the view

    // Which pulse of the view is at a place of the tile.
    DISCRIMEN_METHOD std::size_t pulse(std::uint32_t place) const {
        return first + (place < count ? place : count - 1);
    }
};

// Floats of one pulse beside its raw samples; the doubles count twice.
DISCRIMEN_ON_BOTH std::size_t floats_of_pulse(const NetworkPlan& plan) {
    const auto channels = std::size_t(plan.preparation.n_channels);
    return 2 * (2 + channels) + plan.values + plan.scratch + 2 * channels + 3;
}

DISCRIMEN_FUNCTION Tile tile_at(char* memory, const NetworkPlan& plan, const TileShape& shape, std::size_t first,
                                std::size_t n_pulses) {
    const std::size_t width = shape.width, channels = std::size_t(plan.preparation.n_channels);
    Tile tile;
    tile.origins = reinterpret_cast<double*>(memory);
    tile.values = reinterpret_cast<float*>(tile.origins + (2 + channels) * width);
    tile.scratch = tile.values + plan.values * width;
    tile.peak = tile.scratch + plan.scratch * width;
    tile.sum = tile.peak + channels * width;
    tile.spread = tile.sum + channels * width;
    tile.factor = tile.spread + width;
    tile.valid = reinterpret_cast<std::int32_t*>(tile.factor + width);
    tile.raw = reinterpret_cast<char*>(tile.valid + width);
    tile.width = shape.width;
    tile.shift = shape.shift;
    const std::size_t left = n_pulses - first;
    tile.count = left < width ? std::uint32_t(left) : shape.width;
    tile.first = first;
    return tile;
}

// What an operation works on.
struct Arguments {
    const float* in[most_inputs];
    float* out;  // may be in[0], where the planner says so
    float* scratch;
    std::uint32_t width, shift;
    std::uint64_t seed, pulse;  // seed 0: none; number within the call of the first pulse of the tile
    std::uint32_t last;         // place of the last pulse that is there
};

}  // namespace discrimen::cuda
