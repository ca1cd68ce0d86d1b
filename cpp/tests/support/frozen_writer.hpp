// Frozen files made in memory, whole or wrong on purpose; the layout is that of docs/frozen-layout.md.
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
    add,
    multiply,
    concatenate,
    permute,
    prelu,
    layer_norm,
    zero_padding,
    cropping,
    reverse,
    simple_rnn,
    attention,
    sample,
    neighbours,
};

enum Activation : std::int32_t {
    linear,
    relu,
    tanh,
    sigmoid,
    elu,
    gelu,
    silu,
    softmax,
    relu6,
    selu,
    softplus,
    mish,
    hard_sigmoid,
    exponential,
    softsign,
    hard_silu,
    gelu_tanh,
    square_root,
};
constexpr int n_activations = 18;

enum Padding : std::int32_t { valid, same, causal };

enum Scale : std::int32_t { none, peak, area };

enum Kind : std::uint32_t { classes, waveform, quantity, count, code };

struct Array {
    std::vector<std::uint32_t> shape;
    std::vector<float> values;
    std::int64_t start = -1;  // where the file says that its values lie; -1: where they do
};

struct Layer {
    std::uint32_t code;
    std::vector<std::int32_t> options;
    std::vector<Array> arrays;
    std::vector<std::uint32_t> inputs = {};  // values; empty: what the layer before gives
};

struct Channel {
    std::int32_t polarity = 1, baseline_start = 0, baseline_stop = 8, window_start = 8;
};

// With the members of its first channel.
struct Preparation : Channel {
    double sample_period_ns = 10, fraction = 0.3;
    std::int32_t window_length = 1;
    std::int32_t aligned = 0, position = 0, interpolate = 0, scale = peak, reference = 0, masked = 0;
    std::vector<Channel> others = {};

    int n_channels() const { return 1 + int(others.size()); }
    const Channel& channel(int number) const { return number == 0 ? *this : others[std::size_t(number - 1)]; }
    int shortest_record() const;
};

struct Threshold {
    std::string name;
    double value;
    std::uint32_t class_number;
    std::vector<double> heights = {}, thresholds = {};  // of a curve
};

struct Output {
    std::string name = "output";
    std::uint32_t kind = code;
    std::int64_t value = -1;  // -1: what the last layer gives
    std::uint32_t with_error = 0;
    std::int32_t activation = linear;
    std::vector<std::uint32_t> shape = {};  // empty: a row of all values
    std::string unit = "1";
    std::vector<std::string> names = {};
    std::vector<Threshold> thresholds = {};
    double tolerance = 0;             // 0: nearly the widest that a loader takes; tests compare more closely themselves
    std::vector<double> golden = {};  // before the activation
};

struct Golden {
    std::uint32_t n_pulses = 0, n_samples = 0, is_float = 0;
    std::vector<double> samples = {};        // (pulse, channel, sample)
    std::vector<std::uint8_t> present = {};  // (pulse, channel); empty: all
};

struct Content {
    std::string meta = "{}";
    Preparation preparation = {};
    std::vector<Layer> layers = {};
    std::vector<Output> outputs = {};
    Golden golden = {};
    Bytes domain = {};  // empty: no such section

    std::vector<std::uint32_t> inputs_of(std::size_t layer) const;
    std::size_t value_of(const Output& output) const;
};

// A domain of one range of height and one component, which is 1 at the first row.
struct Domain {
    float lowest = 1, highest = 1e6f, quiet = 1e6f, rail = 1e9f;
    float least_spread = 0, most_spread = 1e6f;
    std::int32_t edge_after = -1, edge_until = 0;
    float least_residual = 0, most_residual = 1e6f;
    std::vector<std::int32_t> rows = {0};
    std::vector<float> mean = {0}, weight = {1};

    Bytes bytes() const;
};

using Section = std::pair<std::string, Bytes>;

std::vector<Section> sections_of(const Content& content);
Bytes assemble(const std::vector<Section>& sections);  // sealed
Bytes write(const Content& content);

// Makes the checksum at the end good.
void seal(Bytes& bytes);

}  // namespace frozen
