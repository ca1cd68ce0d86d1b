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
    put(bytes, 8, std::uint32_t(2));
    frozen::seal(bytes);
    CHECK_REFUSED(load(bytes), "expected layout version 1, got 2; update discrimen");
    put(bytes, 8, std::uint32_t(0));
    CHECK_REFUSED(load(bytes), "expected layout version 1, got 0");

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
    for (const char* name : {"meta", "prepare", "layers", "weights", "golden", "classes", "cuts"}) {
        std::vector<frozen::Section> sections = frozen::sections_of(network());
        for (auto& [found, payload] : sections)
            if (found == name) found = "other";
        CHECK_REFUSED(load(frozen::assemble(sections)), std::string("lacks its section ") + name);
    }
}

void check_preparation() {
    constexpr auto least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
    const char words[] = "the preparation is not a possible one";
    for (const double period : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
        CHECK_REFUSED(load(with_value("prepare", 0, period)), words);
    for (const int polarity : {0, 2, least}) CHECK_REFUSED(load(with_value("prepare", 16, polarity)), words);
    for (const int start : {-1, 2, most}) CHECK_REFUSED(load(with_value("prepare", 20, start)), words);
    for (const int stop : {0, -5, most}) CHECK_REFUSED(load(with_value("prepare", 24, stop)), words);
    for (const int start : {-1, least, most}) CHECK_REFUSED(load(with_value("prepare", 28, start)), words);
    for (const int length : {0, -1, most}) CHECK_REFUSED(load(with_value("prepare", 32, length)), words);
    for (const int scale : {-1, 3}) CHECK_REFUSED(load(with_value("prepare", 48, scale)), words);
    for (const double fraction : {0.0, 1.0, std::nan("")})
        CHECK_REFUSED(load(with("prepare",
                                [&](Bytes& payload) {
                                    put(payload, 8, fraction);
                                    put(payload, 36, 1);
                                })),
                      words);
    for (const int position : {least, most})
        CHECK_REFUSED(load(with("prepare",
                                [&](Bytes& payload) {
                                    put(payload, 36, 1);
                                    put(payload, 40, position);
                                })),
                      words);
    for (const int n_classes : {0, 1, 3, -1}) CHECK_REFUSED(load(with_value("prepare", 52, n_classes)), "classes");
    CHECK_REFUSED(load(with_value("prepare", 24, 1000)), "too short for the preparation");
    CHECK_REFUSED(load(with("prepare", [](Bytes& payload) { payload.push_back(0); })), "prepare: 1 bytes too many");
    CHECK_REFUSED(load(with("prepare", [](Bytes& payload) { payload.pop_back(); })), "prepare: expected");
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
    CHECK_REFUSED(load(with_layers({{frozen::activate, {8}, {}}})), "layer 1 (Activate): option 0 must lie between 0 and 7");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {}, {}}})), "expected 1 options");
    CHECK_REFUSED(load(with_layers({{frozen::activate, {0, 0}, {}}})), "expected 1 options");
    CHECK_REFUSED(load(with_layers({networks::dense(random, 3, 2, 0)})), "layer 1 (Dense): weights of shape (3,2,)");
    CHECK_REFUSED(load(with_layers({networks::lstm(random, 3, 2, true)})), "layer 1 (Lstm): weights of shape");
    CHECK_REFUSED(load(with_layers({networks::gru(random, 3, 2, true)})), "layer 1 (Gru): weights of shape");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 9, 2, 2, {0, 1, 1, frozen::valid})})),
                  "it reaches over 9 steps, 4 are there");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 0, 1, 0})})), "option 1 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 1, 0, 0})})), "option 2 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d(random, 1, 2, 2, {0, 1, 1, 2})})), "option 3 must lie between 0");
    CHECK_REFUSED(load(with_layers({{frozen::max_pooling, {5, 1, frozen::valid}, {}}})), "reaches over 5 steps");
    CHECK_REFUSED(load(with_layers({{frozen::max_pooling, {0, 1, 0}, {}}})), "option 0 must lie between 1");
    CHECK_REFUSED(load(with_layers({{frozen::reshape, {3, 3}, {}}})), "cannot make 3 x 3 of 8 values");
    CHECK_REFUSED(load(with_layers({{frozen::reshape, {-1, 8}, {}}})), "option 0 must lie between 0");
    CHECK_REFUSED(load(with_layers({{frozen::keep, {8}, {}}})), "option 0 must lie between 0 and 7");
    CHECK_REFUSED(load(with_layers({{frozen::add_kept, {0}, {}}})), "what is kept under 0");
    CHECK_REFUSED(load(with_layers({{frozen::keep, {1}, {}}, {frozen::flatten, {}, {}}, {frozen::add_kept, {1}, {}}})),
                  "has not the shape");
    CHECK_REFUSED(load(with_layers({{frozen::flatten, {}, {}}, {frozen::max_pooling, {1, 1, 0}, {}}})), "it needs steps");
    CHECK_REFUSED(load(with_layers({{frozen::global_max_pooling, {}, {}}})), "expected 8 scores");
    CHECK_REFUSED(load(with_layers({{frozen::up_sampling, {huge}, {}}})), "than a file of");
    CHECK_REFUSED(load(with_layers({{frozen::up_sampling, {0}, {}}})), "option 0 must lie between 1");
    CHECK_REFUSED(load(with_layers({networks::conv1d_transpose(random, 2, 2, 1, {0, huge, 0})})), "file warrants");
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
    CHECK_REFUSED(load(with_value("golden", 8, std::uint32_t(1))), "golden vectors of 2 pulses and 1 scores");
    for (const double tolerance : {0.0, -1.0, 0.01, std::nan("")})
        CHECK_REFUSED(load(with_value("golden", 16, tolerance)), "odd tolerance");
    CHECK_REFUSED(load(with("classes", [](Bytes& payload) { payload.back() = 'x'; })), "classes: a name has no end");
    CHECK_REFUSED(load(with("cuts", [](Bytes& payload) { payload.back() = 'x'; })), "cuts: a name has no end");
    CHECK_REFUSED(load(with("cuts", [](Bytes& payload) { payload.resize(3); })), "cuts: expected");
}

void check_names_and_thresholds() {
    frozen::Content content = network();
    content.classes.back() = content.classes.front();
    CHECK_REFUSED(load(frozen::write(content)), "two classes share a name");
    content = network();
    content.classes.front() = "";
    CHECK_REFUSED(load(frozen::write(content)), "two classes share a name, or one has none");
    content = network();
    content.thresholds = {{"twice", 0.4}, {"twice", 0.6}};
    CHECK_REFUSED(load(frozen::write(content)), "two thresholds share a name");
    for (const double value : {-0.1, 1.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
        content = network();
        content.thresholds = {{"odd", value}};
        CHECK_REFUSED(load(frozen::write(content)), "a threshold lies outside 0 to 1");
    }
}

// Every golden score counts, wherever it stands and whether or not it is a number.
void check_golden_scores() {
    const char words[] = "off its own golden vectors";
    const frozen::Content good = network();
    for (std::size_t which = 0; which < good.golden.scores.size(); ++which)
        for (const double wrong : {good.golden.scores[which] + 0.02, std::nan("")}) {
            frozen::Content altered = good;
            altered.golden.scores[which] = wrong;
            CHECK_REFUSED(load(frozen::write(altered)), words);
        }
    // A pulse that cannot be prepared has no scores to hold a model against.
    for (std::size_t pulse = 0; pulse < good.golden.n_pulses; ++pulse) {
        frozen::Content flat = good;
        for (std::size_t i = 0; i < flat.golden.n_samples; ++i)
            flat.golden.samples[pulse * flat.golden.n_samples + i] = 100;
        CHECK_REFUSED(load(frozen::write(flat)), words);
    }
    frozen::Content altered = good;
    altered.layers.back().arrays[1].values[0] += 1;
    CHECK_REFUSED(load(frozen::write(altered)), words);
}

}  // namespace

int main() {
    return check::run([] {
        check_truncation();
        check_altered();
        check_head();
        check_preparation();
        check_layers();
        check_weights_and_golden();
        check_names_and_thresholds();
        check_golden_scores();
    });
}
