#include "networks.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "reference.hpp"

namespace networks {
namespace {

using frozen::Array;
using frozen::Content;
using frozen::Layer;

constexpr int n_golden = 2, samples_behind = 5;

Array array(Random& random, std::vector<std::uint32_t> shape, double size) {
    std::size_t count = 1;
    for (const std::uint32_t length : shape) count *= length;
    Array made;
    made.shape = std::move(shape);
    made.values.resize(count);
    for (float& value : made.values) value = float(random.real(-1.7 * size, 1.7 * size));
    return made;
}

Layer recurrent(Random& random, std::uint32_t code, int inputs, int units, bool sequences, double gain) {
    const auto x = std::uint32_t(inputs), u = std::uint32_t(units), gates = u * (code == frozen::lstm ? 4 : 3);
    Layer layer = {code, {sequences}, {}};
    layer.arrays.push_back(array(random, {x, gates}, gain / std::sqrt(inputs)));
    layer.arrays.push_back(array(random, {u, gates}, gain / std::sqrt(units)));
    layer.arrays.push_back(array(random, {gates}, 0.3));
    if (code == frozen::gru) layer.arrays.push_back(array(random, {gates}, 0.3));
    return layer;
}

// A valid kernel that is not longer than the steps, or any with padding.
std::int32_t fitting_padding(Random& random, int reach, int steps) {
    return reach > steps || random.once_in(2) ? frozen::same : frozen::valid;
}

// Drawn one after the other: the order within a call is the compiler's choice, and would change the networks.
Layer random_conv1d(Random& random, int steps, int channels, int outputs, int activation) {
    const int length = random.integer(1, random.once_in(6) ? 12 : std::min(7, steps));
    const int dilation = random.once_in(3) ? random.integer(2, 4) : 1, stride = random.integer(1, 3);
    const int padding = fitting_padding(random, (length - 1) * dilation + 1, steps);
    return conv1d(random, length, channels, outputs, {activation, stride, dilation, padding});
}

Layer random_transposed(Random& random, int channels, int outputs, int activation) {
    const int length = random.integer(1, 6), stride = random.integer(1, 6), padding = random.integer(0, 1);
    return conv1d_transpose(random, length, channels, outputs, {activation, stride, padding});
}

Layer random_pool(Random& random, std::uint32_t code, int steps) {
    const int size = random.integer(1, random.once_in(6) ? 30 : 6), stride = random.integer(1, 5);
    return {code, {size, stride, fitting_padding(random, size, steps)}, {}};
}

// The layer itself, for values of (steps, channels).
Layer random_layer(Random& random, std::uint32_t code, int steps, int channels, int most_outputs) {
    const int outputs = random.integer(1, most_outputs), activation = random.integer(0, frozen::n_activations - 1);
    const bool sequences = random.once_in(2);
    switch (code) {
        case frozen::dense: return dense(random, channels, outputs, activation);
        case frozen::conv1d: return random_conv1d(random, steps, channels, outputs, activation);
        case frozen::conv1d_transpose: return random_transposed(random, channels, outputs, activation);
        case frozen::lstm: return lstm(random, channels, outputs, sequences);
        case frozen::gru: return gru(random, channels, outputs, sequences);
        case frozen::max_pooling:
        case frozen::average_pooling: return random_pool(random, code, steps);
        case frozen::reshape: return {code, {channels, steps}, {}};
        case frozen::activate: return {code, {activation}, {}};
        case frozen::up_sampling: return {code, {random.integer(1, 5)}, {}};
        case frozen::keep: return {code, {random.integer(0, 7)}, {}};
        default: return {code, {}, {}};
    }
}

// Window (steps, channels) -> the layer -> a row of values.
Content around(Random& random, std::uint32_t code, int steps, int channels, int most_outputs) {
    Content content;
    content.preparation.window_length = steps * channels;
    content.layers.push_back({frozen::reshape, {steps, channels}, {}});
    if (code == frozen::add_kept) {
        // Kept under two numbers, changed in between, and one of them overwritten.
        content.layers.push_back({frozen::keep, {2}, {}});
        content.layers.push_back(dense(random, channels, channels, frozen::tanh));
        content.layers.push_back({frozen::keep, {7}, {}});
        content.layers.push_back(dense(random, channels, channels, frozen::relu));
        content.layers.push_back({frozen::add_kept, {7}, {}});
        content.layers.push_back({frozen::keep, {7}, {}});
        content.layers.push_back({frozen::add_kept, {2}, {}});
        content.layers.push_back({frozen::add_kept, {7}, {}});
    } else {
        content.layers.push_back(random_layer(random, code, steps, channels, most_outputs));
    }
    content.layers.push_back({frozen::flatten, {}, {}});
    return content;
}

// Values that come out, by sending zeros through.
int n_values(const Content& content) {
    const std::vector<double> zeros(std::size_t(content.preparation.window_length));
    return int(reference::run(content.layers, zeros).data.size());
}

}  // namespace

const std::vector<std::uint32_t> every_code = {
    frozen::dense,   frozen::conv1d,  frozen::max_pooling,      frozen::average_pooling,
    frozen::global_max_pooling,       frozen::global_average_pooling,
    frozen::flatten, frozen::reshape, frozen::lstm,             frozen::gru,
    frozen::activate, frozen::conv1d_transpose, frozen::up_sampling, frozen::keep, frozen::add_kept};

const char* name_of(std::uint32_t code) {
    static const char* const names[] = {"?",       "Dense",   "Conv1D", "max pooling", "average pooling",
                                        "global max pooling", "global average pooling", "Flatten", "Reshape",
                                        "LSTM",    "GRU",     "Activate", "Conv1DTranspose", "UpSampling1D",
                                        "Keep",    "AddKept"};
    return names[code];
}

Layer dense(Random& random, int inputs, int outputs, int activation, double gain) {
    const auto in = std::uint32_t(inputs), out = std::uint32_t(outputs);
    return {frozen::dense,
            {activation},
            {array(random, {in, out}, gain / std::sqrt(inputs)), array(random, {out}, 0.3)}};
}

Layer conv1d(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options) {
    const auto taps = std::uint32_t(length), in = std::uint32_t(inputs), out = std::uint32_t(outputs);
    const double size = 1 / std::sqrt(length * inputs);
    return {frozen::conv1d, std::move(options), {array(random, {taps, in, out}, size), array(random, {out}, 0.3)}};
}

Layer conv1d_transpose(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options) {
    const auto taps = std::uint32_t(length), in = std::uint32_t(inputs), out = std::uint32_t(outputs);
    const double size = 1 / std::sqrt(length * inputs);
    return {frozen::conv1d_transpose,
            std::move(options),
            {array(random, {taps, out, in}, size), array(random, {out}, 0.3)}};
}

Layer lstm(Random& random, int inputs, int units, bool sequences, double gain) {
    return recurrent(random, frozen::lstm, inputs, units, sequences, gain);
}

Layer gru(Random& random, int inputs, int units, bool sequences, double gain) {
    return recurrent(random, frozen::gru, inputs, units, sequences, gain);
}

Content one_layer(Random& random, std::uint32_t code) {
    const int steps = random.integer(1, 12), most_channels = random.once_in(3) ? 40 : 9;
    const int channels = random.integer(1, most_channels), most_outputs = random.once_in(2) ? 40 : 9;
    Content content = around(random, code, steps, channels, most_outputs);
    complete(content, random);
    return content;
}

Content small_network(Random& random, std::uint32_t code) {
    const int steps = random.integer(2, 4), channels = random.integer(1, 2);
    Content content = around(random, code, steps, channels, 3);
    content.layers.push_back(dense(random, n_values(content), 2, frozen::softmax));
    content.preparation.baseline_stop = content.preparation.window_start = 2;
    content.thresholds = {{"balanced", 0.5}};
    complete(content, random);
    return content;
}

void complete(Content& content, Random& random) {
    content.classes.clear();
    for (int i = 0; i < n_values(content); ++i) content.classes.push_back("class " + std::to_string(i));
    content.golden.n_pulses = n_golden;
    content.golden.n_samples = std::uint32_t(content.preparation.shortest_record() + samples_behind);
    content.golden.samples.clear();
    content.golden.scores.clear();
    for (int i = 0; i < n_golden; ++i) {
        const std::vector<double> samples = plain_pulse(content.preparation, int(content.golden.n_samples), random);
        const std::vector<double> scores = reference::scores(content, samples);
        content.golden.samples.insert(content.golden.samples.end(), samples.begin(), samples.end());
        content.golden.scores.insert(content.golden.scores.end(), scores.begin(), scores.end());
    }
}

std::vector<double> pulse(const frozen::Preparation& preparation, int n_samples, Random& random) {
    const double level = preparation.polarity > 0 ? 1000 : 15000, height = random.real(4000, 14000);
    // Within a window that stands still, or anywhere behind the start of the record.
    const int first = preparation.aligned ? n_samples / 4 : preparation.window_start;
    const int end = preparation.aligned ? n_samples : preparation.window_start + preparation.window_length;
    const int rise_at = random.integer(first, end - 1), rise = random.integer(1, 4);
    const double decay = random.real(2, 20);
    std::vector<double> samples;
    for (int i = 0; i < n_samples; ++i) {
        const double shape = i < rise_at ? 0.0 : std::exp((rise_at - i) / decay) * std::min(1.0, (i - rise_at + 1.0) / rise);
        const double sample = level + preparation.polarity * height * shape + random.real(-80, 80);
        samples.push_back(std::round(std::clamp(sample, 0.0, 16383.0)));
    }
    return samples;
}

std::vector<double> plain_pulse(const frozen::Preparation& preparation, int n_samples, Random& random) {
    for (int i = 0; i < 100000; ++i) {
        const std::vector<double> samples = pulse(preparation, n_samples, random);
        const reference::Prepared prepared = reference::prepare(preparation, samples);
        double sum = 0;
        for (const double value : prepared.window) sum += std::abs(value);
        // A pulse outside the window, or a sum that nearly cancels out, would magnify every rounding.
        const bool plain = prepared.peak_adc > 1000 && (preparation.scale != frozen::area || sum < 3);
        if (prepared.valid && prepared.margin > 1e-4 && plain) return samples;
    }
    throw std::logic_error("this preparation takes no pulse");
}

discrimen::Model load(const Content& content, const std::string& instruction_set) {
    const frozen::Bytes bytes = frozen::write(content);
    return discrimen::Model::from_memory(bytes.data(), bytes.size(), {instruction_set, "cpu"});
}

std::string instruction_set_from(int argc, char** argv) {
    if (argc != 2) throw std::invalid_argument("expected the name of an instruction set");
    Random random(1);
    Content content = around(random, frozen::flatten, 1, 1, 1);
    complete(content, random);
    try {
        return load(content, argv[1]).instruction_set();
    } catch (const discrimen::Error& error) {
        if (std::string(error.what()).find("on this machine") == std::string::npos) throw;
        std::cout << "skipped: " << error.what() << "\n";
        return "";
    }
}

}  // namespace networks
