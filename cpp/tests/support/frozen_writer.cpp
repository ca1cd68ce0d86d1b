#include "frozen_writer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sha256.hpp"

namespace frozen {
namespace {

constexpr std::size_t head_bytes = 16, entry_bytes = 24, digest_bytes = 32, alignment = 64;

template <class T>
void put(Bytes& bytes, T value) {
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

void put_name(Bytes& bytes, const std::string& name) {
    bytes.insert(bytes.end(), name.begin(), name.end());
    bytes.push_back(0);
}

Bytes input_section(const Preparation& p) {
    Bytes bytes;
    put(bytes, std::uint32_t(p.n_channels()));
    for (const std::int32_t value :
         {p.window_length, p.scale, p.reference, p.aligned, p.position, p.interpolate, p.masked})
        put(bytes, value);
    put(bytes, p.sample_period_ns);
    put(bytes, p.fraction);
    for (int i = 0; i < p.n_channels(); ++i) {
        const Channel& c = p.channel(i);
        for (const std::int32_t value : {c.polarity, c.baseline_start, c.baseline_stop, c.window_start})
            put(bytes, value);
    }
    for (int i = 0; i < p.n_channels(); ++i) put_name(bytes, "channel " + std::to_string(i));
    return bytes;
}

Bytes layers_section(const Content& content, Bytes& weights) {
    Bytes bytes;
    put(bytes, std::uint32_t(content.layers.size()));
    for (std::size_t i = 0; i < content.layers.size(); ++i) {
        const Layer& layer = content.layers[i];
        const std::vector<std::uint32_t> inputs = content.inputs_of(i);
        put(bytes, layer.code);
        put(bytes, std::uint32_t(inputs.size()));
        put(bytes, std::uint32_t(layer.options.size()));
        put(bytes, std::uint32_t(layer.arrays.size()));
        for (const std::uint32_t input : inputs) put(bytes, input);
        for (const std::int32_t option : layer.options) put(bytes, option);
        for (const Array& array : layer.arrays) {
            put(bytes, std::uint32_t(array.shape.size()));
            for (const std::uint32_t length : array.shape) put(bytes, length);
            put(bytes, array.start < 0 ? std::uint64_t(weights.size() / sizeof(float)) : std::uint64_t(array.start));
            for (const float value : array.values) put(weights, value);
        }
    }
    return bytes;
}

double largest_of(const std::vector<double>& values) {
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

Bytes outputs_section(const Content& content) {
    Bytes bytes;
    put(bytes, std::uint32_t(content.outputs.size()));
    for (const Output& output : content.outputs) {
        put(bytes, output.kind);
        put(bytes, std::uint32_t(content.value_of(output)));
        put(bytes, output.with_error);
        put(bytes, output.activation);
        put(bytes, std::uint32_t(output.shape.size()));
        for (const std::uint32_t length : output.shape) put(bytes, length);
        put(bytes, output.tolerance != 0 ? output.tolerance : 0.0099 * largest_of(output.golden));
        put(bytes, std::uint32_t(output.names.size()));
        put(bytes, std::uint32_t(output.thresholds.size()));
        put_name(bytes, output.name);
        put_name(bytes, output.unit);
        for (const std::string& name : output.names) put_name(bytes, name);
        for (const Threshold& threshold : output.thresholds) {
            put(bytes, std::uint32_t(threshold.heights.size()));
            put(bytes, threshold.class_number);
            if (threshold.heights.empty()) put(bytes, threshold.value);
            for (const double height : threshold.heights) put(bytes, height);
            for (const double each : threshold.thresholds) put(bytes, each);
            put_name(bytes, threshold.name);
        }
    }
    return bytes;
}

Bytes golden_section(const Content& content) {
    const Golden& golden = content.golden;
    Bytes bytes;
    for (const std::uint32_t value :
         {golden.n_pulses, golden.n_samples, golden.is_float, std::uint32_t(!golden.present.empty())})
        put(bytes, value);
    for (const double sample : golden.samples)
        if (golden.is_float)
            put(bytes, float(sample));
        else
            put(bytes, std::int32_t(sample));
    for (const Output& output : content.outputs)
        for (const double value : output.golden) put(bytes, value);
    for (const std::uint8_t there : golden.present) put(bytes, there);
    return bytes;
}

}  // namespace

int Preparation::shortest_record() const {
    int shortest = 1;
    for (int i = 0; i < n_channels(); ++i)
        shortest =
            std::max({shortest, channel(i).baseline_stop, aligned ? 1 : channel(i).window_start + window_length});
    return shortest;
}

std::vector<std::uint32_t> Content::inputs_of(std::size_t layer) const {
    return layers[layer].inputs.empty() ? std::vector<std::uint32_t>{std::uint32_t(layer)} : layers[layer].inputs;
}

std::size_t Content::value_of(const Output& output) const {
    return output.value < 0 ? layers.size() : std::size_t(output.value);
}

Bytes Domain::bytes() const {
    Bytes bytes;
    for (const std::uint32_t count : {std::uint32_t(1), std::uint32_t(rows.size()), std::uint32_t(1)})
        put(bytes, count);
    for (const float value : {lowest, highest, quiet, rail, 0.0f, least_spread, most_spread}) put(bytes, value);
    put(bytes, edge_after);
    put(bytes, edge_until);
    put(bytes, least_residual);
    put(bytes, most_residual);
    for (const std::int32_t row : rows) put(bytes, row);
    for (const float value : mean) put(bytes, value);
    for (const float value : weight) put(bytes, value);
    for (std::size_t i = 0; i < rows.size(); ++i) put(bytes, i == 0 ? 1.0f : 0.0f);
    return bytes;
}

std::vector<Section> sections_of(const Content& content) {
    Bytes weights;
    const Bytes layers = layers_section(content, weights);
    std::vector<Section> sections = {{"meta", Bytes(content.meta.begin(), content.meta.end())},
                                     {"input", input_section(content.preparation)},
                                     {"layers", layers},
                                     {"weights", weights},
                                     {"outputs", outputs_section(content)},
                                     {"golden", golden_section(content)}};
    if (!content.domain.empty()) sections.emplace_back("domain", content.domain);
    return sections;
}

Bytes assemble(const std::vector<Section>& sections) {
    Bytes head = {'D', 'I', 'S', 'C', 'R', 'I', 'M', 0}, body;
    put(head, std::uint32_t(3));
    put(head, std::uint32_t(sections.size()));
    const std::size_t table_end = head_bytes + sections.size() * entry_bytes;
    for (const auto& [name, payload] : sections) {
        body.resize((table_end + body.size() + alignment - 1) / alignment * alignment - table_end);
        char padded[8] = {};
        // A name of 8 letters has no end. NOLINTNEXTLINE(bugprone-not-null-terminated-result)
        std::memcpy(padded, name.data(), std::min(name.size(), sizeof padded));
        head.insert(head.end(), padded, padded + sizeof padded);
        put(head, std::uint64_t(table_end + body.size()));
        put(head, std::uint64_t(payload.size()));
        body.insert(body.end(), payload.begin(), payload.end());
    }
    head.insert(head.end(), body.begin(), body.end());
    head.resize(head.size() + digest_bytes);
    seal(head);
    return head;
}

Bytes write(const Content& content) { return assemble(sections_of(content)); }

void seal(Bytes& bytes) {
    if (bytes.size() < digest_bytes) return;
    const std::size_t body = bytes.size() - digest_bytes;
    const auto digest = discrimen::sha256(bytes.data(), body);
    std::copy(digest.begin(), digest.end(), bytes.begin() + std::ptrdiff_t(body));
}

}  // namespace frozen
