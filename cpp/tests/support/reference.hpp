// Preparation and layers in double precision and plain loops, from their definitions: the measure of the engine.
#pragma once

#include <vector>

#include "frozen_writer.hpp"

namespace reference {

struct Prepared {
    bool valid;
    std::vector<double> window;  // (channel, sample)
    // How far the pulse is from one that would be cut at another sample, relative to what decides it: single precision
    // may well decide otherwise when this is below about 1e-5.
    double margin;
    double peak_adc;  // of the window that the scale comes from
    double start, divisor;
    std::vector<double> baselines;
};

using Present = std::vector<std::uint8_t>;  // of the channels of a pulse; empty: all are there

// `samples`: of one pulse, channel after channel, flag bits taken off.
Prepared prepare(const frozen::Preparation& preparation, const std::vector<double>& samples,
                 const Present& present = {});

// Values of a pulse: (step, channel), or one row of channels with 0 steps.
struct Values {
    int steps, channels;
    std::vector<double> data;

    int rows() const { return steps == 0 ? 1 : steps; }
    double& at(int step, int channel) { return data[std::size_t(step * channels + channel)]; }
    double at(int step, int channel) const { return data[std::size_t(step * channels + channel)]; }
};

// Sends a prepared window through a network: every value, the window first.
std::vector<Values> run(const frozen::Content& content, const std::vector<double>& window);

// What one layer makes of its inputs.
Values apply(const frozen::Layer& layer, const std::vector<Values>& inputs);

// The values of each output for a raw pulse, with or without the outputs' activations; NaN if it cannot be prepared.
std::vector<std::vector<double>> results(const frozen::Content& content, const std::vector<double>& samples,
                                         const Present& present = {}, bool raw = false);

// Of the first output.
std::vector<double> scores(const frozen::Content& content, const std::vector<double>& samples);

}  // namespace reference
