// The frozen file: its sections, read into plain structures that point into its content. Nothing is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace discrimen {

// Numbers of the layers in the file; never given anew.
enum class LayerCode : std::uint32_t {
    dense = 1,
    conv1d = 2,
    max_pooling = 3,
    average_pooling = 4,
    global_max_pooling = 5,
    global_average_pooling = 6,
    flatten = 7,
    reshape = 8,
    lstm = 9,
    gru = 10,
    activate = 11,
    conv1d_transpose = 12,
    up_sampling = 13,
    keep = 14,
    add_kept = 15,
};

struct FrozenArray {
    std::vector<std::size_t> shape;
    std::size_t start;  // of its first value in `weights`
};

struct FrozenLayer {
    LayerCode code;
    std::vector<std::int32_t> options;
    std::vector<FrozenArray> arrays;
};

struct FrozenPreparation {
    double sample_period_ns, fraction;
    std::int32_t polarity, baseline_start, baseline_stop, window_start, window_length;
    std::int32_t aligned, position, interpolate, scale, n_classes;
};

struct FrozenGolden {
    std::size_t n_pulses, n_samples;
    double tolerance;
    std::vector<std::int32_t> samples;  // (pulse, sample)
    std::vector<double> scores;         // (pulse, class)
};

struct FrozenThreshold {
    double value;
    std::string name;
};

struct FrozenFile {
    std::size_t size;
    std::string description;
    FrozenPreparation preparation;
    std::vector<FrozenLayer> layers;
    std::vector<float> weights;
    FrozenGolden golden;
    std::vector<std::string> classes;
    std::vector<FrozenThreshold> thresholds;
};

// Throws Error if the content is no frozen file, is damaged, of a newer version, or contradicts itself.
FrozenFile read_frozen(const std::uint8_t* content, std::size_t size);

}  // namespace discrimen
