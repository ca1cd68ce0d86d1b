#include "frozen_outputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "plan.hpp"

namespace discrimen {
namespace {

constexpr std::size_t most_values = 1 << 26;  // of an output: their product with anything of the file fits into 64 bits
constexpr double largest_share = 0.01;        // a check that allows more than this of the largest value cannot fail

constexpr std::uint32_t most_knots = 16;

void check_threshold(const Threshold& threshold) {
    if (threshold.knots.empty() && !(threshold.value >= 0 && threshold.value <= 1))
        throw Error("a threshold lies outside 0 to 1, where scores are");
    double before = 0;
    for (const Knot& knot : threshold.knots) {
        if (!(knot.threshold > 0 && knot.threshold < 1))
            throw Error("a threshold of a curve lies outside 0 to 1, or is one of them");
        if (!(knot.height_adc > before && std::isfinite(knot.height_adc)))
            throw Error("the heights of a curve of thresholds do not ascend");
        before = knot.height_adc;
    }
}

Threshold read_threshold(Cursor& cursor) {
    Threshold threshold{};
    const auto n_knots = cursor.take<std::uint32_t>();
    if (n_knots == 1 || n_knots > most_knots)
        throw Error("expected one threshold or a curve of 2 to " + number(most_knots) + " knots, got " +
                    number(n_knots));
    threshold.class_number = cursor.take<std::uint32_t>();
    threshold.value = n_knots == 0 ? cursor.take<double>() : std::numeric_limits<double>::quiet_NaN();
    const auto heights = cursor.take_many<double>(n_knots), thresholds = cursor.take_many<double>(n_knots);
    for (std::uint32_t i = 0; i < n_knots; ++i) threshold.knots.push_back({heights[i], thresholds[i]});
    threshold.name = cursor.take_name();
    return threshold;
}

// The rules for what an output says of itself; throws the one that is broken.
void check_promise(const FrozenOutput& output) {
    const Output& o = output.promised;
    const bool classes = o.kind == DISCRIMEN_CLASSES, quantity = o.kind == DISCRIMEN_QUANTITY;
    if (o.name.empty()) throw Error("it has no name");
    if (o.unit.empty()) throw Error("its unit is empty, expected \"1\" where it has none");
    if (o.with_error && !quantity) throw Error("only a quantity can have a standard deviation");
    if (output.activation < 0 || output.activation >= n_activations)
        throw Error("expected an activation from 0 to " + std::to_string(n_activations - 1) + ", got " +
                    std::to_string(output.activation));
    const auto activation = Activation(output.activation);
    if (classes && activation != Activation::softmax && activation != Activation::sigmoid)
        throw Error("classes need softmax or sigmoid, got activation " + std::to_string(output.activation));
    if (!classes && activation == Activation::softmax) throw Error("softmax is for classes");
    if (classes && (o.shape.size() != 1 || o.names.size() < 2 || o.names.size() != o.shape[0]))
        throw Error("expected a name for each of 2 classes or more, got " + number(o.names.size()) + " for " +
                    number(o.shape[0]));
    if (quantity && !o.names.empty() && o.names.size() != o.shape[0])
        throw Error("expected no names or " + number(o.shape[0]) + ", got " + number(o.names.size()));
    if (!classes && !quantity && !o.names.empty()) throw Error("only classes and quantities have named components");
    if (has_twins(o.names)) throw Error("two of its components share a name, or one has none");
    if (o.kind == DISCRIMEN_WAVEFORM && o.shape.size() != 2) throw Error("a waveform has the axes (channel, sample)");
    if (!classes && !o.thresholds.empty()) throw Error("only classes have thresholds");
    std::vector<std::string> names;
    for (const Threshold& threshold : o.thresholds) {
        check_threshold(threshold);
        if (threshold.class_number >= o.names.size())
            throw Error("a threshold is on class " + number(threshold.class_number) + ", there are " +
                        number(o.names.size()));
        names.push_back(threshold.name);
    }
    if (has_twins(names)) throw Error("two thresholds share a name, or one has none");
}

FrozenOutput read_output(Cursor& cursor, std::size_t n_layers) {
    FrozenOutput output;
    Output& o = output.promised;
    const auto kind = cursor.take<std::uint32_t>();
    if (kind > DISCRIMEN_CODE) throw Error("expected a kind from 0 to 4, got " + number(kind));
    o.kind = discrimen_kind(kind);
    output.value = cursor.take<std::uint32_t>();
    if (output.value > n_layers)
        throw Error("it reads value " + number(output.value) + ", the last one is " + number(n_layers));
    const auto with_error = cursor.take<std::uint32_t>();
    if (with_error > 1) throw Error("expected 0 or 1 for its standard deviation, got " + number(with_error));
    o.with_error = with_error == 1;
    output.activation = cursor.take<std::int32_t>();
    const auto n_axes = cursor.take<std::uint32_t>();
    if (n_axes < 1 || n_axes > 2) throw Error("expected 1 or 2 axes, got " + number(n_axes));
    o.n_values = 1;
    for (const std::uint32_t length : cursor.take_many<std::uint32_t>(n_axes)) {
        if (length < 1 || length > most_values / o.n_values) throw Error("its shape is not a possible one");
        o.n_values *= length;
        o.shape.push_back(length);
    }
    if (o.with_error) o.n_values *= 2;
    output.tolerance = cursor.take<double>();
    const auto n_names = cursor.take<std::uint32_t>(), n_thresholds = cursor.take<std::uint32_t>();
    o.name = cursor.take_name();
    o.unit = cursor.take_name();
    for (std::uint32_t i = 0; i < n_names; ++i) o.names.push_back(cursor.take_name());
    for (std::uint32_t i = 0; i < n_thresholds; ++i) o.thresholds.push_back(read_threshold(cursor));
    check_promise(output);
    return output;
}

void check_tolerance(const FrozenOutput& output) {
    double largest = 0;
    for (const double value : output.golden) {
        if (!std::isfinite(value)) throw Error("golden values of output '" + output.promised.name + "' are not finite");
        largest = std::max(largest, std::abs(value));
    }
    if (!(output.tolerance > 0 && output.tolerance <= largest_share * largest))
        throw Error("the golden vectors of output '" + output.promised.name + "' have the tolerance " +
                    std::to_string(output.tolerance) +
                    ", expected more than 0 and at most a hundredth of the largest, " + std::to_string(largest));
}

// Floats that are not finite could not be told from a fault.
void check_samples(const FrozenGolden& golden) {
    for (const std::int32_t bits : golden.samples) {
        float sample;
        std::memcpy(&sample, &bits, sizeof sample);
        if (golden.is_float && !std::isfinite(sample)) throw Error("golden samples are not finite");
    }
}

}  // namespace

bool has_twins(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end() || (!names.empty() && names.front().empty());
}

std::vector<FrozenOutput> read_outputs(Cursor cursor, std::size_t n_layers) {
    const auto n_outputs = cursor.take<std::uint32_t>();
    if (n_outputs < 1) throw Error("outputs: expected 1 at least, got 0");
    std::vector<FrozenOutput> outputs;
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < n_outputs; ++i) {
        try {
            outputs.push_back(read_output(cursor, n_layers));
        } catch (const Error& error) {
            throw Error("output " + number(i) + ": " + error.what());
        }
        names.push_back(outputs.back().promised.name);
    }
    cursor.finish();
    if (has_twins(names)) throw Error("two outputs share a name");
    return outputs;
}

FrozenGolden read_golden(Cursor cursor, const FrozenInput& input, std::vector<FrozenOutput>& outputs) {
    FrozenGolden golden;
    golden.n_pulses = cursor.take<std::uint32_t>();
    golden.n_samples = cursor.take<std::uint32_t>();
    const auto type = cursor.take<std::uint32_t>(), has_mask = cursor.take<std::uint32_t>();
    if (golden.n_pulses < 1 || golden.n_samples < 1 || type > 1 || has_mask > 1)
        throw Error("golden vectors of " + number(golden.n_pulses) + " pulses, " + number(golden.n_samples) +
                    " samples, type " + number(type) + ", mask " + number(has_mask) + " are not possible");
    const std::size_t n_channels = input.channels.size(), n_rows = golden.n_pulses * n_channels;
    if (n_rows > cursor.left() || golden.n_samples > cursor.left() / n_rows)
        throw Error("golden: expected samples of " + number(n_rows) + " records, " + number(cursor.left()) +
                    " bytes are left");
    golden.is_float = type == 1;
    golden.samples = cursor.take_many<std::int32_t>(n_rows * golden.n_samples);
    check_samples(golden);
    for (FrozenOutput& output : outputs) {
        output.golden = cursor.take_many<double>(golden.n_pulses * output.promised.n_values);
        check_tolerance(output);
    }
    if (has_mask) golden.present = cursor.take_many<std::uint8_t>(n_rows);
    cursor.finish();
    for (const std::uint8_t there : golden.present)
        if (there > 1 || (there == 0 && !input.masked))
            throw Error("the golden vectors lack channels that the input must have");
    return golden;
}

}  // namespace discrimen
