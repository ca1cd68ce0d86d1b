// Preparation and layers in double precision and plain loops, written from their definitions: the measure of the engine.
#pragma once

#include <vector>

#include "frozen_writer.hpp"

namespace reference {

struct Prepared {
    bool valid;
    std::vector<double> window;
    // How far the pulse is from one that would be cut at another sample, relative to what decides it: single precision
    // may well decide otherwise when this is below about 1e-5.
    double margin;
    double peak_adc;  // of the window
};

// `samples`: of one pulse, flag bits taken off.
Prepared prepare(const frozen::Preparation& preparation, const std::vector<double>& samples);

// Values of a pulse: (step, channel), or one row of channels with 0 steps.
struct Values {
    int steps, channels;
    std::vector<double> data;

    int rows() const { return steps == 0 ? 1 : steps; }
    double& at(int step, int channel) { return data[std::size_t(step * channels + channel)]; }
    double at(int step, int channel) const { return data[std::size_t(step * channels + channel)]; }
};

// Sends a prepared window through a network.
Values run(const std::vector<frozen::Layer>& layers, const std::vector<double>& window);

// Scores of a raw pulse; NaN if it cannot be prepared.
std::vector<double> scores(const frozen::Content& content, const std::vector<double>& samples);

}  // namespace reference
