// Files that are truncated, altered, newer or contradict themselves are refused, each with its reason.
#include <cmath>
#include <cstring>
#include <limits>

#include "check.hpp"
#include "networks.hpp"

namespace {

using frozen::Bytes;
using networks::Random;

constexpr std::size_t digest_bytes = 32;

void load(const Bytes& bytes) {
    // An exact copy in memory of its own: reading beyond the end is seen by the address sanitizer.
    const Bytes own(bytes);
    discrimen::Model::from_memory(own.data(), own.size());
}

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

frozen::Content network() {
    Random random(1);
    return networks::small_network(random, frozen::conv1d);
}

// The file with one of its sections changed, checksum and table made good.
template <class Change>
Bytes with(const char* name, Change change) {
    std::vector<frozen::Section> sections = frozen::sections_of(network());
    for (auto& [found, payload] : sections)
        if (found == name) change(payload);
    return frozen::assemble(sections);
}

template <class T>
Bytes with_value(const char* name, std::size_t at, T value) {
    return with(name, [&](Bytes& payload) { put(payload, at, value); });
}

void check_truncation() {
    const Bytes whole = frozen::write(network());
    CHECK_EQUAL(check::reason_of([&] { load(whole); }), "");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const check::Context where("the first " + std::to_string(size) + " bytes");
        Bytes cut(whole.begin(), whole.begin() + std::ptrdiff_t(size));
        CHECK_REFUSED(load(cut), size < 16 + digest_bytes ? "no frozen model" : "checksum differs");
        if (size < 16 + digest_bytes) continue;
        frozen::seal(cut);
        CHECK(!check::reason_of([&] { load(cut); }).empty());
    }
    Bytes longer = whole;
    longer.push_back(0);
    CHECK_REFUSED(load(longer), "checksum differs");
}

void check_altered() {
    const Bytes whole = frozen::write(network());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        Bytes altered = whole;
        altered[at] ^= 0x10;
        CHECK_REFUSED(load(altered), at < 8 ? "no frozen model" : at < 12 ? "layout version" : "checksum differs");
    }
}

void check_head() {
    Bytes bytes = frozen::write(network());
    put(bytes, 8, std::uint32_t(4));
    frozen::seal(bytes);
    CHECK_REFUSED(load(bytes), "expected layout version 3, got 4; update discrimen");
    put(bytes, 8, std::uint32_t(2));
    CHECK_REFUSED(load(bytes), "expected layout version 3, got 2; freeze the model again");

    bytes = frozen::write(network());
    put(bytes, 12, std::uint32_t(17));
    frozen::seal(bytes);
    CHECK_REFUSED(load(bytes), "expected at most 16 sections, got 17");
    for (const std::uint64_t start : {std::uint64_t(1) << 40, ~std::uint64_t(0), std::uint64_t(bytes.size())}) {
        bytes = frozen::write(network());
        put(bytes, 16 + 8, start);
        frozen::seal(bytes);
        CHECK_REFUSED(load(bytes), "section 0 reaches beyond the file");
        bytes = frozen::write(network());
        put(bytes, 16 + 16, start);
        frozen::seal(bytes);
        CHECK_REFUSED(load(bytes), "section 0 reaches beyond the file");
    }
    for (const char* name : {"meta", "input", "layers", "weights", "outputs", "golden"}) {
        std::vector<frozen::Section> sections = frozen::sections_of(network());
        for (auto& [found, payload] : sections)
            if (found == name) found = "other";
        CHECK_REFUSED(load(frozen::assemble(sections)), std::string("lacks its section ") + name);
    }
}

void check_input() {
    constexpr auto least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
    const char words[] = "the input is not a possible one", channel[] = "channel 0 of the input is not a possible one";
    for (const double period : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
        CHECK_REFUSED(load(with_value("input", 32, period)), words);
    for (const int length : {0, -1, most}) CHECK_REFUSED(load(with_value("input", 4, length)), words);
    for (const int scale : {-1, 3}) CHECK_REFUSED(load(with_value("input", 8, scale)), words);
    for (const int reference : {-2, 1, most})
        CHECK_REFUSED(load(with_value("input", 12, reference)), "the reference channel is");
    for (const int place : {16, 24, 28})
        for (const int value : {2, -1}) CHECK_REFUSED(load(with_value("input", std::size_t(place), value)), words);
    for (const int polarity : {0, 2, least}) CHECK_REFUSED(load(with_value("input", 48, polarity)), channel);
    for (const int start : {-1, 3, most}) CHECK_REFUSED(load(with_value("input", 52, start)), channel);
    for (const int stop : {-1, most}) CHECK_REFUSED(load(with_value("input", 56, stop)), channel);
    for (const int start : {-1, least, most}) CHECK_REFUSED(load(with_value("input", 60, start)), channel);
    const auto aligned_with = [](std::size_t at, auto value) {
        return with("input", [&](Bytes& payload) {
            put(payload, 16, 1);
            put(payload, at, value);
        });
    };
    for (const double fraction : {0.0, 1.0, std::nan("")})
        CHECK_REFUSED(load(aligned_with(40, fraction)), "the alignment of the input");
    for (const int position : {least, most})
        CHECK_REFUSED(load(aligned_with(20, position)), "the alignment of the input");
    for (const int start : {least, most}) CHECK_REFUSED(load(aligned_with(60, start)), channel);
    for (const std::uint32_t n_channels : {0u, 1000u, ~0u})
        CHECK_REFUSED(load(with_value("input", 0, n_channels)), "channels do not fit into");
    CHECK_REFUSED(load(with_value("input", 0, std::uint32_t(2))), "input: ");
    CHECK_REFUSED(load(with_value("input", 56, 1000)), "samples are too short: the input takes 1000");
    CHECK_REFUSED(load(with("input", [](Bytes& payload) { payload.push_back(0); })), "input: 1 bytes too many");
    CHECK_REFUSED(load(with("input", [](Bytes& payload) { payload.pop_back(); })), "input: a name has no end");
    CHECK_REFUSED(load(with_value("input", 64, '\0')), "input: ");
}

void check_channel_names() {
    frozen::Content content = network();
    Random random(5);
    content.preparation.others.resize(1);
    content.preparation.window_length /= 2;
    content.outputs[0].thresholds.clear();  // one of them is for one channel
    networks::complete(content, random);
    const std::vector<frozen::Section> sections = frozen::sections_of(content);
    CHECK_EQUAL(check::reason_of([&] { load(frozen::assemble(sections)); }), "");
    std::vector<frozen::Section> twins = sections;
    twins[1].second[twins[1].second.size() - 2] = '0';
    CHECK_REFUSED(load(frozen::assemble(twins)), "two channels share a name");
}

// A network of the given layers between the usual reshape to (4, 2) and a flatten.
Bytes with_layers(std::vector<frozen::Layer> layers) {
    Random random(1);
    frozen::Content content;
    content.preparation.window_length = 8;
    networks::complete(content, random);
    content.layers = {{frozen::reshape, {4, 2}, {}}};
    content.layers.insert(content.layers.end(), layers.begin(), layers.end());
    content.layers.push_back({frozen::flatten, {}, {}});
    return frozen::write(content);
}

void check_layers() {
    Random random(1);
    constexpr int huge = (1 << 24) - 1;
    CHECK_REFUSED(load(with_layers({{99, {}, {}}})), "there is no layer with number 99");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {18}, {}}})),
                  "layer 1 (Activate): option 0 must lie between 0 and 17");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {}, {}}})), "expected 1 options");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {0, 0}, {}}})), "expected 1 options");
    CHECK_REFUSED(load(with_layers({networks::dense(random, 3, 2, 0)})), "layer 1 (Dense): weights of shape (3,2,)");
    CHECK_REFUSED(load(with_layers({networks::lstm(random, 3, 2, true)})), "layer 1 (Lstm): weights of shape");
    CHECK_REFUSED(load(with_layers({networks::gru(random, 3, 2, true)})), "layer 1 (Gru): weights of shape");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 9, 2, 2, {0, 1, 1, frozen::valid})})),
                  "it reaches over 9 steps, 4 are there");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 0, 1, 0})})), "option 1 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 1, 0, 0})})), "option 2 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 1, 1, 3})})), "option 3 must lie between 0");
    CHECK_REFUSED(load(with_layers({{frozen::max_pooling, {5, 1, frozen::valid}, {}}})), "reaches over 5 steps");
    CHECK_REFUSED(load(with_layers({{frozen::max_pooling, {0, 1, 0}, {}}})), "option 0 must lie between 1");
    CHECK_REFUSED(load(with_layers({{frozen::reshape, {3, 3}, {}}})), "cannot make 3 x 3 of 8 values");
    CHECK_REFUSED(load(with_layers({{frozen::reshape, {-1, 8}, {}}})), "option 0 must lie between 0");
    CHECK_REFUSED(load(with_layers({{frozen::flatten, {}, {}}, {frozen::max_pooling, {1, 1, 0}, {}}})),
                  "it needs steps");
    CHECK_REFUSED(load(with_layers({{frozen::global_max_pooling, {}, {}}})),
                  "output 'output' promises 8 values, its value has the shape 2");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {0}, {}, {3}}})), "layer 1 reads value 3, which comes after it");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {0}, {}, {2}}})), "layer 1 reads value 2, which comes after it");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {0}, {}, {0, 1}}})), "expected 1 inputs, got 2");
    CHECK_REFUSED(load(with_layers({{frozen::add, {}, {}, {1}}})), "expected 2 inputs or more, got 1");
    CHECK_REFUSED(load(with_layers({{frozen::add, {}, {}, {0, 1}}})), "its inputs have the shapes 1 x 8 and 4 x 2");
    CHECK_REFUSED(load(with_layers({{frozen::multiply, {}, {}, {0, 1}}})),
                  "its inputs have the shapes 1 x 8 and 4 x 2");
    CHECK_REFUSED(load(with_layers({{frozen::concatenate, {0}, {}, {0, 1}}})),
                  "its inputs have the shapes 1 x 8 and 4 x 2");
    CHECK_REFUSED(load(with_layers({{frozen::concatenate, {1}, {}, {0, 1}}})),
                  "its inputs have the shapes 1 x 8 and 4 x 2");
    CHECK_REFUSED(load(with_layers({{frozen::concatenate, {2}, {}, {1, 1}}})), "option 0 must lie between 0 and 1");
    CHECK_REFUSED(load(with_layers({{frozen::sample, {}, {}, {0, 1}}})), "mean and variance have the shapes");
    CHECK_REFUSED(load(with_layers({{frozen::attention, {1}, {}, {0, 1, 1}}})), "query, key and value have the shapes");
    CHECK_REFUSED(load(with_layers({{frozen::attention, {3}, {}, {1, 1, 1}}})), "do not make 3 heads");
    CHECK_REFUSED(load(with_layers({{frozen::neighbours, {5, 1, 1}, {}}})),
                  "it wants 5 segments or more channels, and gets 4");
    CHECK_REFUSED(load(with_layers({{frozen::neighbours, {2, 1, 3}, {}}})),
                  "it looks at the last 3 samples, and gets 2");
    CHECK_REFUSED(load(with_layers({{frozen::neighbours, {2, 1, 0}, {}}})), "option 2 must lie between 1");
    CHECK_REFUSED(load(with_layers({{frozen::cropping, {2, 2}, {}}})), "it takes 4 of 4 steps away");
    CHECK_REFUSED(load(with_layers({{frozen::cropping, {-1, 2}, {}}})), "option 0 must lie between 0");
    CHECK_REFUSED(load(with_layers({{frozen::zero_padding, {huge, huge}, {}}})), "than a file of");
    frozen::Layer grouped = networks::conv1d(random, 1, 2, 2, {0, 1, 1, 0});
    for (const int groups : {0, 3}) {
        grouped.options[4] = groups;
        CHECK_REFUSED(load(with_layers({grouped})),
                      groups == 0 ? "option 4 must lie between 1" : "do not make 3 groups");
    }
    CHECK_REFUSED(load(with_layers({networks::simple_rnn(random, 2, 2, true, frozen::softmax)})),
                  "softmax is not for each");
    CHECK_REFUSED(load(with_layers({{frozen::prelu, {}, {{{3}, {1, 1, 1}}}}})), "weights of shape (3,), expected (2,)");
    CHECK_REFUSED(load(with_layers({{frozen::layer_norm, {}, {{{2}, {1, 1}}, {{2}, {1, 1}}, {{1}, {0}}}}})),
                  "epsilon must be positive");
    CHECK_REFUSED(load(with_layers({{frozen::up_sampling, {huge}, {}}})), "than a file of");
    CHECK_REFUSED(load(with_layers({{frozen::up_sampling, {0}, {}}})), "option 0 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d_transpose(random, 2, 2, 1, {0, huge, 0})})), "than a file of");
}

void check_weights_and_golden() {
    CHECK_REFUSED(load(with_value("weights", 0, std::nanf(""))), "weights are not finite");
    CHECK_REFUSED(load(with_value("weights", 4, std::numeric_limits<float>::infinity())), "weights are not finite");
    CHECK_REFUSED(load(with("weights", [](Bytes& payload) { payload.resize(payload.size() - 4); })),
                  "do not lie within the file");
    CHECK_REFUSED(load(with("weights", [](Bytes& payload) { payload.push_back(0); })), "weights: 1 bytes too many");
    CHECK_REFUSED(load(with("layers", [](Bytes& payload) { payload.push_back(0); })), "layers: 1 bytes too many");
    CHECK_REFUSED(load(with_value("layers", 0, ~std::uint32_t(0))), "layers: expected");
    CHECK_REFUSED(load(with_value("layers", 8, ~std::uint32_t(0))), "layers: expected");
    CHECK_REFUSED(load(with_value("golden", 0, std::uint32_t(0))), "golden vectors of 0 pulses");
    CHECK_REFUSED(load(with_value("golden", 0, ~std::uint32_t(0))), "golden: expected");
    CHECK_REFUSED(load(with_value("golden", 4, std::uint32_t(0))), "0 samples");
    CHECK_REFUSED(load(with_value("golden", 4, ~std::uint32_t(0))), "golden: expected");
    CHECK_REFUSED(load(with_value("golden", 8, std::uint32_t(2))), "type 2");
    CHECK_REFUSED(load(with_value("golden", 12, std::uint32_t(2))), "mask 2");
    CHECK_REFUSED(load(with_value("golden", 12, std::uint32_t(1))), "golden: expected 2 values of 1 bytes");
    CHECK_REFUSED(load(with("golden",
                            [](Bytes& payload) {
                                put(payload, 12, std::uint32_t(1));
                                payload.insert(payload.end(), {1, 0});
                            })),
                  "lack channels that the input must have");
    CHECK_REFUSED(load(with("golden", [](Bytes& payload) { payload.push_back(0); })), "golden: 1 bytes too many");
}

frozen::Content with_outputs(const std::function<void(std::vector<frozen::Output>&)>& change) {
    frozen::Content content = network();
    change(content.outputs);
    return content;
}

void check_outputs() {
    using Outputs = std::vector<frozen::Output>;
    const auto refused = [](const std::string& words, const std::function<void(Outputs&)>& change) {
        CHECK_REFUSED(load(frozen::write(with_outputs(change))), words);
    };
    refused("outputs: expected 1 at least", [](Outputs& o) { o.clear(); });
    refused("two outputs share a name", [](Outputs& o) { o[1].name = o[0].name; });
    refused("output 0: it has no name", [](Outputs& o) { o[0].name = ""; });
    refused("output 1: its unit is empty", [](Outputs& o) { o[1].unit = ""; });
    refused("output 1: expected a kind from 0 to 4, got 5", [](Outputs& o) { o[1].kind = 5; });
    refused("output 0: it reads value 5", [](Outputs& o) { o[0].value = 5; });
    refused("expected 0 or 1 for its standard deviation", [](Outputs& o) { o[1].with_error = 2; });
    refused("only a quantity can have a standard deviation", [](Outputs& o) { o[0].with_error = 1; });
    refused("expected an activation from 0 to 17, got 18", [](Outputs& o) { o[1].activation = 18; });
    refused("expected an activation from 0 to 17, got -1", [](Outputs& o) { o[1].activation = -1; });
    refused("classes need softmax or sigmoid", [](Outputs& o) { o[0].activation = frozen::relu; });
    refused("softmax is for classes", [](Outputs& o) { o[1].activation = frozen::softmax; });
    refused("expected 1 or 2 axes, got 3", [](Outputs& o) { o[1].shape = {1, 1, 1}; });
    refused("expected 1 or 2 axes, got 0", [](Outputs& o) { o[1].shape = {}; });
    refused("its shape is not a possible one", [](Outputs& o) { o[1].shape = {0}; });
    refused("its shape is not a possible one", [](Outputs& o) { o[1].shape = {~0u, ~0u}; });
    refused("golden: expected", [](Outputs& o) { o[1].shape = {1000}, o[1].names.clear(); });
    refused("a name for each of 2 classes or more, got 1 for 2", [](Outputs& o) { o[0].names.pop_back(); });
    refused("expected no names or 1, got 2", [](Outputs& o) { o[1].names = {"a", "b"}; });
    refused("only classes and quantities have named",
            [](Outputs& o) { o[1].kind = frozen::code, o[1].with_error = 0; });
    refused("a waveform has the axes",
            [](Outputs& o) { o[1].kind = frozen::waveform, o[1].with_error = 0, o[1].names = {}; });
    refused("components share a name", [](Outputs& o) { o[0].names[1] = o[0].names[0]; });
    refused("components share a name, or one has none", [](Outputs& o) { o[0].names[1] = ""; });
    refused("only classes have thresholds", [](Outputs& o) { o[1].thresholds = {{"one", 0.5, 0}}; });
    refused("two thresholds share a name",
            [](Outputs& o) { o[0].thresholds = {{"twice", 0.4, 0}, {"twice", 0.6, 0}}; });
    refused("a threshold is on class 2", [](Outputs& o) { o[0].thresholds = {{"odd", 0.4, 2}}; });
    for (const double value : {-0.1, 1.1, std::nan(""), std::numeric_limits<double>::infinity()})
        refused("a threshold lies outside 0 to 1", [&](Outputs& o) { o[0].thresholds = {{"odd", value, 0}}; });
    for (const double tolerance : {-1.0, 1.0, std::nan(""), std::numeric_limits<double>::infinity()})
        refused("have the tolerance", [&](Outputs& o) { o[0].tolerance = tolerance; });
    refused("have the tolerance",
            [](Outputs& o) { o[0].golden.assign(o[0].golden.size(), 0.0), o[0].tolerance = 1e-9; });
    CHECK_REFUSED(load(with("outputs", [](Bytes& payload) { payload.push_back(0); })), "outputs: 1 bytes too many");
    CHECK_REFUSED(load(with("outputs", [](Bytes& payload) { payload.pop_back(); })), "a name has no end");
    CHECK_REFUSED(load(with_value("outputs", 0, ~std::uint32_t(0))), "output 2: ");
}

// Every golden value counts, wherever it stands and whether or not it is a number; each has its output's tolerance.
void check_golden_values() {
    const char words[] = "off its own golden vectors";
    const frozen::Content good = network();
    for (std::size_t o = 0; o < good.outputs.size(); ++o)
        for (std::size_t which = 0; which < good.outputs[o].golden.size(); ++which)
            for (const double wrong : {0.2, std::nan("")}) {
                frozen::Content altered = good;
                altered.outputs[o].golden[which] += wrong;
                CHECK_REFUSED(load(frozen::write(altered)), std::isnan(wrong) ? "are not finite" : words);
            }
    // A pulse that cannot be prepared has no values to hold a model against.
    for (std::size_t pulse = 0; pulse < good.golden.n_pulses; ++pulse) {
        frozen::Content flat = good;
        for (std::size_t i = 0; i < flat.golden.n_samples; ++i)
            flat.golden.samples[pulse * flat.golden.n_samples + i] = 100;
        CHECK_REFUSED(load(frozen::write(flat)), words);
    }
    // Weights that an activation hides: the values before it still tell.
    frozen::Content altered = good;
    altered.layers.back().arrays[1].values[0] += 1;
    CHECK_REFUSED(load(frozen::write(altered)), words);
    frozen::Content saturated = good;
    saturated.layers.back().arrays[1].values = {-100, 100};
    Random random(1);
    networks::complete(saturated, random);
    CHECK_EQUAL(check::reason_of([&] { load(frozen::write(saturated)); }), "");
    saturated.layers.back().arrays[1].values = {-103, 103};
    CHECK_REFUSED(load(frozen::write(saturated)), words);
    frozen::Content floats = good;
    floats.golden.is_float = 1;
    CHECK_EQUAL(check::reason_of([&] { load(frozen::write(floats)); }), "");
    floats.golden.samples[3] = std::numeric_limits<double>::infinity();
    CHECK_REFUSED(load(frozen::write(floats)), "golden samples are not finite");
}

}  // namespace

int main() {
    return check::run([] {
        check_truncation();
        check_altered();
        check_head();
        check_input();
        check_channel_names();
        check_layers();
        check_weights_and_golden();
        check_outputs();
        check_golden_values();
    });
}
