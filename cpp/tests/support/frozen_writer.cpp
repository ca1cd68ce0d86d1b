#include "frozen_writer.hpp"

#include <algorithm>
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

Bytes preparation_section(const Preparation& p, std::size_t n_classes) {
    Bytes bytes;
    put(bytes, p.sample_period_ns);
    put(bytes, p.fraction);
    for (const std::int32_t value : {p.polarity, p.baseline_start, p.baseline_stop, p.window_start, p.window_length,
                                     p.aligned, p.position, p.interpolate, p.scale, std::int32_t(n_classes)})
        put(bytes, value);
    return bytes;
}

Bytes layers_section(const std::vector<Layer>& layers, Bytes& weights) {
    Bytes bytes;
    put(bytes, std::uint32_t(layers.size()));
    for (const Layer& layer : layers) {
        put(bytes, layer.code);
        put(bytes, std::uint32_t(layer.options.size()));
        put(bytes, std::uint32_t(layer.arrays.size()));
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

Bytes golden_section(const Golden& golden, std::size_t n_classes) {
    Bytes bytes;
    for (const std::uint32_t value : {golden.n_pulses, golden.n_samples, std::uint32_t(n_classes), 0u})
        put(bytes, value);
    put(bytes, golden.tolerance);
    for (const std::int32_t sample : golden.samples) put(bytes, sample);
    for (const double score : golden.scores) put(bytes, score);
    return bytes;
}

}  // namespace

int Preparation::shortest_record() const {
    return std::max(baseline_stop, aligned ? 1 : window_start + window_length);
}

std::vector<Section> sections_of(const Content& content) {
    Bytes weights, classes, cuts;
    const Bytes layers = layers_section(content.layers, weights);
    for (const std::string& name : content.classes) put_name(classes, name);
    for (const auto& [name, value] : content.thresholds) {
        put(cuts, value);
        put_name(cuts, name);
    }
    return {{"meta", Bytes(content.meta.begin(), content.meta.end())},
            {"prepare", preparation_section(content.preparation, content.classes.size())},
            {"layers", layers},
            {"weights", weights},
            {"golden", golden_section(content.golden, content.classes.size())},
            {"classes", classes},
            {"cuts", cuts}};
}

Bytes assemble(const std::vector<Section>& sections) {
    Bytes head = {'D', 'I', 'S', 'C', 'R', 'I', 'M', 0}, body;
    put(head, std::uint32_t(1));
    put(head, std::uint32_t(sections.size()));
    const std::size_t table_end = head_bytes + sections.size() * entry_bytes;
    for (const auto& [name, payload] : sections) {
        body.resize((table_end + body.size() + alignment - 1) / alignment * alignment - table_end);
        char padded[8] = {};
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
