// Frozen files made in memory, whole or wrong on purpose; the layout is that of docs/frozen-file.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace frozen {

using Bytes = std::vector<std::uint8_t>;

enum Code : std::uint32_t {
    dense = 1,
    conv1d,
    max_pooling,
    average_pooling,
    global_max_pooling,
    global_average_pooling,
    flatten,
    reshape,
    lstm,
    gru,
    activate,
    conv1d_transpose,
    up_sampling,
    keep,
    add_kept,
};

enum Activation : std::int32_t { linear, relu, tanh, sigmoid, elu, gelu, silu, softmax };
constexpr int n_activations = 8;

enum Padding : std::int32_t { valid, same };

enum Scale : std::int32_t { none, peak, area };

struct Array {
    std::vector<std::uint32_t> shape;
    std::vector<float> values;
    std::int64_t start = -1;  // where the file says that its values lie; -1: where they do
};

struct Layer {
    std::uint32_t code;
    std::vector<std::int32_t> options;
    std::vector<Array> arrays;
};

struct Preparation {
    double sample_period_ns = 10, fraction = 0.3;
    std::int32_t polarity = 1, baseline_start = 0, baseline_stop = 8, window_start = 8, window_length = 1;
    std::int32_t aligned = 0, position = 0, interpolate = 0, scale = peak;

    int shortest_record() const;
};

struct Golden {
    std::uint32_t n_pulses = 0, n_samples = 0;
    double tolerance = 0.009;  // the widest that a loader takes: tests compare more closely themselves
    std::vector<std::int32_t> samples;
    std::vector<double> scores;
};

struct Content {
    std::string meta = "{}";
    Preparation preparation;
    std::vector<Layer> layers;
    Golden golden;
    std::vector<std::string> classes;
    std::vector<std::pair<std::string, double>> thresholds;
};

using Section = std::pair<std::string, Bytes>;

std::vector<Section> sections_of(const Content& content);
Bytes assemble(const std::vector<Section>& sections);  // sealed
Bytes write(const Content& content);

// Makes the checksum at the end good.
void seal(Bytes& bytes);

}  // namespace frozen
