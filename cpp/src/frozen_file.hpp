// The frozen file: its sections, read into plain structures. Nothing in it is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "discrimen/model.hpp"
#include "plan.hpp"

namespace discrimen {

struct FrozenChannel {
    std::int32_t polarity, baseline_start, baseline_stop, window_start;
};

struct FrozenInput {
    std::int32_t window_length, scale, reference, aligned, position, interpolate, masked;
    double sample_period_ns, fraction;
    std::vector<FrozenChannel> channels;
    std::vector<std::string> names;
};

struct FrozenArray {
    std::vector<std::size_t> shape;
    std::size_t start;  // of its first value in `weights`
};

// Layer k gives value k + 1; value 0 is the prepared input.
struct FrozenLayer {
    std::uint32_t code;
    std::vector<std::uint32_t> inputs;  // values that it reads
    std::vector<std::int32_t> options;
    std::vector<FrozenArray> arrays;
};

struct FrozenOutput {
    Output promised;
    std::size_t value;  // that it reads
    std::int32_t activation;
    double tolerance;
    std::vector<double> golden;  // (pulse, value), before the activation
};

struct FrozenGolden {
    std::size_t n_pulses, n_samples;
    bool is_float;
    std::vector<std::int32_t> samples;  // (pulse, channel, sample); the bits of floats if is_float
    std::vector<std::uint8_t> present;  // (pulse, channel); empty: all are there
};

struct FrozenFile {
    std::size_t size;
    std::string description;
    FrozenInput input;
    std::vector<FrozenLayer> layers;
    std::vector<float> weights;
    std::vector<FrozenOutput> outputs;
    FrozenGolden golden;
    DomainPlan domain;  // not known if the file has none
};

std::string number(std::size_t value);  // for messages

// Throws Error if the content is no frozen file, is damaged, of another version, or contradicts itself.
FrozenFile read_frozen(const std::uint8_t* content, std::size_t size);

}  // namespace discrimen
