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

constexpr std::size_t n_golden = 2;
constexpr int samples_behind = 5;

Array array(Random& random, std::vector<std::uint32_t> shape, double size) {
    std::size_t count = 1;
    for (const std::uint32_t length : shape) count *= length;
    Array made;
    made.shape = std::move(shape);
    made.values.resize(count);
    for (float& value : made.values) value = float(random.real(-1.7 * size, 1.7 * size));
    return made;
}

Layer recurrent(Random& random, std::uint32_t code, int inputs, int units, std::vector<std::int32_t> options,
                double gain) {
    const std::uint32_t n_gates = code == frozen::lstm ? 4 : code == frozen::gru ? 3 : 1;
    const auto x = std::uint32_t(inputs), u = std::uint32_t(units), gates = u * n_gates;
    Layer layer = {code, std::move(options), {}};
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

// Without the square root, the last one: near 0 it makes a large error of the rounding of what it is given.
constexpr int n_smooth = frozen::n_activations - 1;

// Drawn one after the other: the order within a call is the compiler's choice, and would change the networks.
Layer random_conv1d(Random& random, int steps, int channels, int outputs, int activation) {
    const int length = random.integer(1, random.once_in(6) ? 12 : std::min(7, steps));
    const int dilation = random.once_in(3) ? random.integer(2, 4) : 1, stride = random.integer(1, 3);
    const int padding =
        random.once_in(4) ? int(frozen::causal) : fitting_padding(random, (length - 1) * dilation + 1, steps);
    std::vector<int> groups = {1, 1};
    for (int i = 2; i <= channels; ++i)
        if (channels % i == 0) groups.push_back(i);
    const int n_groups = groups[std::size_t(random.integer(0, int(groups.size()) - 1))];
    if (n_groups > 1) outputs = n_groups * random.integer(1, 3);
    return conv1d(random, length, channels, outputs, {activation, stride, dilation, padding, n_groups});
}

Layer random_transposed(Random& random, int channels, int outputs, int activation) {
    const int length = random.integer(1, 6), stride = random.integer(1, 6), padding = random.integer(0, 1);
    return conv1d_transpose(random, length, channels, outputs, {activation, stride, padding});
}

Layer random_pool(Random& random, std::uint32_t code, int steps) {
    const int size = random.integer(1, random.once_in(6) ? 30 : 6), stride = random.integer(1, 5);
    return {code, {size, stride, fitting_padding(random, size, steps)}, {}};
}

Layer random_prelu(Random& random, int steps, int channels) {
    const auto rows = std::uint32_t(steps), columns = std::uint32_t(channels);
    const int which = random.integer(0, 2);
    if (which == 0) return {frozen::prelu, {}, {array(random, {1}, 0.5)}};
    if (which == 1) return {frozen::prelu, {}, {array(random, {columns}, 0.5)}};
    return {frozen::prelu, {}, {array(random, {rows, columns}, 0.5)}};
}

Layer layer_norm(Random& random, int channels) {
    const auto columns = std::uint32_t(channels);
    Array epsilon = {{1}, {1e-3f}};
    Array gamma = array(random, {columns}, 1), beta = array(random, {columns}, 0.3);
    return {frozen::layer_norm, {}, {gamma, beta, epsilon}};
}

int elementwise(Random& random) {
    const int activation = random.integer(0, n_smooth - 2);
    return activation < frozen::softmax ? activation : activation + 1;
}

// The layer itself, for values of (steps, channels); those with several inputs are made by `several`.
Layer random_layer(Random& random, std::uint32_t code, int steps, int channels, int most_outputs) {
    const int outputs = random.integer(1, most_outputs), activation = random.integer(0, n_smooth - 1);
    const bool sequences = random.once_in(2), hard = random.once_in(3), reset_after = random.once_in(2);
    const int front = random.integer(0, 3), back = random.integer(0, 3);
    switch (code) {
        case frozen::dense: return dense(random, channels, outputs, activation);
        case frozen::conv1d: return random_conv1d(random, steps, channels, outputs, activation);
        case frozen::conv1d_transpose: return random_transposed(random, channels, outputs, activation);
        case frozen::lstm: return lstm(random, channels, outputs, sequences, 1, hard);
        case frozen::gru: return gru(random, channels, outputs, sequences, 1, hard, reset_after);
        case frozen::simple_rnn:
            return simple_rnn(random, channels, outputs, sequences, hard ? elementwise(random) : frozen::tanh);
        case frozen::max_pooling:
        case frozen::average_pooling: return random_pool(random, code, steps);
        case frozen::reshape: return {code, {channels, steps}, {}};
        case frozen::activate: return {code, {activation}, {}};
        case frozen::up_sampling: return {code, {random.integer(1, 5)}, {}};
        case frozen::prelu: return random_prelu(random, steps, channels);
        case frozen::layer_norm: return layer_norm(random, channels);
        case frozen::zero_padding: return {code, {front, back}, {}};
        case frozen::cropping: return {code, {std::min(front, steps - 1), 0}, {}};
        default: return {code, {}, {}};
    }
}

// Layers of several inputs, with what they read: value 1 has (steps, channels).
void several(Random& random, std::uint32_t code, int steps, int channels, int most_outputs, Content& content) {
    std::vector<Layer>& layers = content.layers;
    const auto next = [&] { return std::uint32_t(layers.size()); };
    const auto add_dense = [&](int outputs, std::vector<std::uint32_t> from) {
        Layer layer = dense(random, channels, outputs, frozen::tanh);
        layer.inputs = std::move(from);
        layers.push_back(layer);
        return next();
    };
    const bool along_steps = random.once_in(2);
    if (code == frozen::add) {
        const std::uint32_t one = add_dense(channels, {1}), other = add_dense(channels, {one});
        layers.push_back({code, {}, {}, {other, 1, one, other}});
    } else if (code == frozen::multiply) {
        const std::uint32_t one = add_dense(channels, {1});
        layers.push_back({frozen::global_average_pooling, {}, {}, {1}});
        layers.push_back({code, {}, {}, {next(), one, 1}});
    } else if (code == frozen::concatenate) {
        const std::uint32_t one = add_dense(along_steps ? channels : random.integer(1, most_outputs), {1});
        layers.push_back({code, {along_steps}, {}, {1, one, 1}});
    } else if (code == frozen::attention) {
        const int heads = random.integer(1, 3), d = random.integer(1, 4), e = random.integer(1, 4);
        const std::uint32_t query = add_dense(heads * d, {1});
        layers.push_back({frozen::zero_padding, {0, random.integer(0, 2)}, {}, {1}});
        const std::uint32_t longer = next();
        const std::uint32_t key = add_dense(heads * d, {longer}), value = add_dense(heads * e, {longer});
        layers.push_back({code, {heads}, {}, {query, key, value}});
    } else {
        const std::uint32_t variance = add_dense(channels, {1});
        layers.push_back({frozen::sample, {}, {}, {1, variance}});
    }
    (void)steps;
}

// Window (steps, channels) -> the layer -> a row of values.
Content around(Random& random, std::uint32_t code, int steps, int channels, int most_outputs) {
    Content content;
    content.preparation.window_length = steps * channels;
    content.layers.push_back({frozen::reshape, {steps, channels}, {}});
    if (code == frozen::add || code == frozen::multiply || code == frozen::concatenate || code == frozen::attention ||
        code == frozen::sample)
        several(random, code, steps, channels, most_outputs, content);
    else
        content.layers.push_back(random_layer(random, code, steps, channels, most_outputs));
    content.layers.push_back({frozen::flatten, {}, {}});
    return content;
}

std::vector<reference::Values> values_of(const Content& content) {
    return reference::run(content, std::vector<double>(std::size_t(content.preparation.window_length *
                                                                   content.preparation.n_channels())));
}

// Whether the golden values hold a network to something: a loader takes none that are all 0.
bool can_fail(const Content& content) {
    for (const frozen::Output& output : content.outputs) {
        double largest = 0;
        for (const double value : output.golden) largest = std::max(largest, std::abs(value));
        if (largest < 1e-3) return false;
    }
    return true;
}

}  // namespace

// But Neighbours: where two segments end equally high, float and double choose different ones. tests/network has it.
// clang-format off: a column of 25 lines says no more
const std::vector<std::uint32_t> every_code = {
    frozen::dense,   frozen::conv1d,  frozen::max_pooling,      frozen::average_pooling,
    frozen::global_max_pooling,       frozen::global_average_pooling,
    frozen::flatten, frozen::reshape, frozen::lstm,             frozen::gru,
    frozen::activate, frozen::conv1d_transpose, frozen::up_sampling, frozen::add, frozen::multiply,
    frozen::concatenate, frozen::permute, frozen::prelu, frozen::layer_norm, frozen::zero_padding,
    frozen::cropping, frozen::reverse, frozen::simple_rnn, frozen::attention, frozen::sample};

const char* name_of(std::uint32_t code) {
    static const char* const names[] = {
        "?",       "Dense",    "Conv1D",  "max pooling", "average pooling", "global max pooling",
        "global average pooling", "Flatten", "Reshape", "LSTM", "GRU", "Activate", "Conv1DTranspose",
        "UpSampling1D", "Add", "Multiply", "Concatenate", "Permute", "PReLU", "LayerNorm", "ZeroPadding1D",
        "Cropping1D", "Reverse", "SimpleRNN", "Attention", "Sample"};
    // clang-format on
    return names[code];
}

Layer dense(Random& random, int inputs, int outputs, int activation, double gain) {
    const auto in = std::uint32_t(inputs), out = std::uint32_t(outputs);
    return {
        frozen::dense, {activation}, {array(random, {in, out}, gain / std::sqrt(inputs)), array(random, {out}, 0.3)}};
}

Layer conv1d(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options) {
    if (options.size() == 4) options.push_back(1);
    const int of_group = inputs / options[4];
    const auto taps = std::uint32_t(length), in = std::uint32_t(of_group), out = std::uint32_t(outputs);
    const double size = 1 / std::sqrt(length * of_group);
    return {frozen::conv1d, std::move(options), {array(random, {taps, in, out}, size), array(random, {out}, 0.3)}};
}

Layer conv1d_transpose(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options) {
    const auto taps = std::uint32_t(length), in = std::uint32_t(inputs), out = std::uint32_t(outputs);
    const double size = 1 / std::sqrt(length * inputs);
    return {frozen::conv1d_transpose,
            std::move(options),
            {array(random, {taps, out, in}, size), array(random, {out}, 0.3)}};
}

Layer lstm(Random& random, int inputs, int units, bool sequences, double gain, bool hard) {
    return recurrent(random, frozen::lstm, inputs, units, {sequences, hard}, gain);
}

Layer gru(Random& random, int inputs, int units, bool sequences, double gain, bool hard, bool reset_after) {
    return recurrent(random, frozen::gru, inputs, units, {sequences, hard, reset_after}, gain);
}

Layer simple_rnn(Random& random, int inputs, int units, bool sequences, int activation) {
    return recurrent(random, frozen::simple_rnn, inputs, units, {sequences, activation}, 0.7);
}

Content one_layer(Random& random, std::uint32_t code) {
    while (true) {
        const int steps = random.integer(1, 12), most_channels = random.once_in(3) ? 40 : 9;
        const int channels = random.integer(1, most_channels), most_outputs = random.once_in(2) ? 40 : 9;
        Content content = around(random, code, steps, channels, most_outputs);
        complete(content, random);
        if (can_fail(content)) return content;
    }
}

Content small_network(Random& random, std::uint32_t code) {
    while (true) {
        const int steps = random.integer(2, 4), channels = random.integer(1, 2);
        Content content = around(random, code, steps, channels, 3);
        content.layers.push_back(dense(random, int(values_of(content).back().data.size()), 2, frozen::linear));
        content.preparation.baseline_stop = content.preparation.window_start = 2;
        frozen::Output classes, energy;
        classes.name = "particle", classes.kind = frozen::classes, classes.activation = frozen::softmax;
        classes.names = {"gamma", "neutron"};
        classes.thresholds = {{"balanced", 0.5, 1}, {"curve", 0, 1, {100, 400}, {0.3, 0.6}}};
        energy.name = "energy", energy.kind = frozen::quantity, energy.with_error = 1, energy.unit = "keV";
        energy.activation = frozen::softplus, energy.names = {"deposited"};
        content.outputs = {classes, energy};
        complete(content, random);
        if (can_fail(content)) return content;
    }
}

Content random_graph(Random& random) {
    while (true) {
        Content content;
        const int steps = random.integer(1, 6), channels = random.integer(1, 9);
        content.preparation.window_length = steps * channels;
        content.layers.push_back({frozen::reshape, {steps, channels}, {}});
        // All values keep this shape, so that any may be read with any other.
        for (int i = random.integer(2, 12); i > 0; --i) {
            const auto n_values = std::uint32_t(content.layers.size());
            const auto any = [&] { return std::uint32_t(random.integer(1, int(n_values))); };
            const int which = random.integer(0, 6);
            Layer layer = dense(random, channels, channels, frozen::tanh);
            layer.inputs = {any()};
            if (which == 1) layer = {frozen::activate, {frozen::tanh}, {}, {any()}};
            if (which == 2) layer = {frozen::add, {}, {}, {any(), any()}};
            if (which == 3) layer = {frozen::multiply, {}, {}, {any(), any(), any()}};
            if (which == 4) layer = {frozen::reverse, {}, {}, {any()}};
            if (which == 5) layer = layer_norm(random, channels), layer.inputs = {any()};
            if (which == 6) layer = random_prelu(random, steps, channels), layer.inputs = {any()};
            content.layers.push_back(layer);
        }
        // Some values are outputs too, one of them twice, and the input itself.
        const auto n_values = int(content.layers.size());
        for (int i = 0; i < 4; ++i) {
            frozen::Output output;
            output.name = "output " + std::to_string(i);
            output.activation = elementwise(random);
            output.value = i == 0 ? n_values : i == 3 ? content.outputs[2].value : random.integer(0, n_values);
            content.outputs.push_back(output);
        }
        complete(content, random);
        if (can_fail(content)) return content;
    }
}

Content several_channels(Random& random) {
    Content content;
    content.preparation.window_length = 6;
    content.preparation.baseline_stop = content.preparation.window_start = 2;
    content.preparation.others.assign(2, content.preparation);
    content.preparation.reference = -1;
    content.preparation.masked = 1;
    content.preparation.aligned = random.once_in(2);
    content.golden.present = {1, 0, 1, 1, 1, 1};
    content.layers = {{frozen::permute, {}, {}},
                      conv1d(random, 3, 3, 2, {frozen::relu, 1, 1, frozen::same}),
                      {frozen::global_average_pooling, {}, {}},
                      dense(random, 2, 2, frozen::linear)};
    complete(content, random);
    return content;
}

void complete(Content& content, Random& random) {
    const std::vector<reference::Values> values = values_of(content);
    if (content.outputs.empty()) content.outputs.emplace_back();
    for (frozen::Output& output : content.outputs) {
        const auto n_values = std::uint32_t(values[content.value_of(output)].data.size());
        if (output.kind != frozen::waveform) output.shape = {output.with_error ? n_values / 2 : n_values};
        output.golden.clear();
    }
    const std::size_t n_channels = std::size_t(content.preparation.n_channels());
    frozen::Golden& golden = content.golden;
    golden.n_pulses = n_golden;
    golden.n_samples = std::uint32_t(content.preparation.shortest_record() + samples_behind);
    golden.samples.clear();
    for (std::size_t i = 0; i < n_golden; ++i) {
        std::vector<std::uint8_t> present;
        if (!golden.present.empty())
            present.assign(golden.present.begin() + std::ptrdiff_t(i * n_channels),
                           golden.present.begin() + std::ptrdiff_t((i + 1) * n_channels));
        const std::vector<double> samples = plain_pulse(content.preparation, int(golden.n_samples), random, present);
        const auto results = reference::results(content, samples, present, true);
        golden.samples.insert(golden.samples.end(), samples.begin(), samples.end());
        for (std::size_t k = 0; k < results.size(); ++k)
            content.outputs[k].golden.insert(content.outputs[k].golden.end(), results[k].begin(), results[k].end());
    }
}

namespace {

std::vector<double> record(const frozen::Preparation& preparation, const frozen::Channel& channel, int n_samples,
                           Random& random) {
    const double level = channel.polarity > 0 ? 1000 : 15000, height = random.real(4000, 14000);
    // Within a window that stands still, or anywhere behind the start of the record.
    const int first = preparation.aligned ? n_samples / 4 : channel.window_start;
    const int end = preparation.aligned ? n_samples : channel.window_start + preparation.window_length;
    const int rise_at = random.integer(first, end - 1), rise = random.integer(1, 4);
    const double decay = random.real(2, 20);
    std::vector<double> samples;
    for (int i = 0; i < n_samples; ++i) {
        const double shape =
            i < rise_at ? 0.0 : std::exp((rise_at - i) / decay) * std::min(1.0, (i - rise_at + 1.0) / rise);
        const double sample = level + channel.polarity * height * shape + random.real(-80, 80);
        samples.push_back(std::round(std::clamp(sample, 0.0, 16383.0)));
    }
    return samples;
}

}  // namespace

std::vector<double> pulse(const frozen::Preparation& preparation, int n_samples, Random& random) {
    std::vector<double> samples;
    for (int c = 0; c < preparation.n_channels(); ++c) {
        const std::vector<double> own = record(preparation, preparation.channel(c), n_samples, random);
        samples.insert(samples.end(), own.begin(), own.end());
    }
    return samples;
}

std::vector<double> plain_pulse(const frozen::Preparation& preparation, int n_samples, Random& random,
                                const std::vector<std::uint8_t>& present) {
    for (int i = 0; i < 100000; ++i) {
        const std::vector<double> samples = pulse(preparation, n_samples, random);
        const reference::Prepared prepared = reference::prepare(preparation, samples, present);
        double sum = 0;
        for (const double value : prepared.window) sum += std::abs(value);
        // A pulse outside the window, or a sum that nearly cancels out, would magnify every rounding.
        const bool plain =
            prepared.peak_adc > 1000 && (preparation.scale != frozen::area || sum < 3 * preparation.n_channels());
        if (prepared.valid && prepared.margin > 1e-4 && plain) return samples;
    }
    throw std::logic_error("this preparation takes no pulse");
}

discrimen::Model load(const Content& content, const std::string& instruction_set) {
    const frozen::Bytes bytes = frozen::write(content);
    const bool on_gpu = instruction_set == "emulated" || instruction_set == "cuda";
    const discrimen::LoadOptions options = {on_gpu ? "" : instruction_set, on_gpu ? "cuda" : "cpu"};
    return discrimen::Model::from_memory(bytes.data(), bytes.size(), options);
}

std::string instruction_set_from(int argc, char** argv) {
    if (argc != 2) throw std::invalid_argument("expected the name of an instruction set");
    Random random(1);
    Content content = around(random, frozen::flatten, 2, 2, 1);
    complete(content, random);
    try {
        load(content, argv[1]);
        return argv[1];
    } catch (const discrimen::Error& error) {
        const bool no_gpu = std::string(argv[1]) == "cuda";
        if (!no_gpu && std::string(error.what()).find("on this machine") == std::string::npos) throw;
        std::cout << "skipped: " << error.what() << "\n";
        return "";
    }
}

}  // namespace networks
