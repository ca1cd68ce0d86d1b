// Batches of any size give what single pulses give, and a pulse that cannot be prepared spoils none beside it.
#include <cmath>
#include <limits>

#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"
#include "reference.hpp"

namespace {

using networks::Random;

constexpr double tolerance = 3e-6;
constexpr int most_pulses = 130;

frozen::Content content_for(bool aligned, Random& random) {
    frozen::Content content;
    content.preparation.window_length = 40;
    content.preparation.aligned = aligned;
    content.preparation.position = 5;
    content.layers = {
        {frozen::reshape, {20, 2}, {}},           networks::conv1d(random, 3, 2, 7, {frozen::relu, 1, 1, frozen::same}),
        networks::gru(random, 7, 7, true),        {frozen::add, {}, {}, {3, 2}},
        {frozen::global_average_pooling, {}, {}}, networks::dense(random, 7, 3, frozen::softmax)};
    networks::complete(content, random);
    return content;
}

using PulseList = std::vector<std::vector<double>>;

// Flat, falling, and for floats not finite.
std::vector<double> impossible(int number, const frozen::Preparation& p, int n_samples, bool is_float) {
    std::vector<double> samples(std::size_t(n_samples), 500.0);
    if (number % 2 == 1)
        for (std::size_t i = 8; i < samples.size(); ++i) samples[i] -= p.polarity * 100;
    if (is_float && number % 4 == 2) samples[std::size_t(n_samples / 2)] = std::nan("");
    if (is_float && number % 4 == 3) samples[3] = std::numeric_limits<double>::infinity();
    return samples;
}

void check_all_sizes(const frozen::Content& content, const discrimen::Model& model, const PulseList& pulses,
                     const records::Layout& layout, Random& random) {
    const records::Records records(pulses, layout, random);
    const std::size_t n_classes = content.outputs[0].shape[0];
    const std::vector<float> single = records::scores(model, records.view(), 1);
    for (std::size_t p = 0; p < pulses.size(); ++p) {
        const std::vector<double> wanted = reference::scores(content, pulses[p]);
        for (std::size_t c = 0; c < n_classes; ++c) CHECK_CLOSE(single[p * n_classes + c], wanted[c], tolerance);
    }
    for (std::size_t n_pulses = 0; n_pulses <= pulses.size(); ++n_pulses) {
        const check::Context where(std::to_string(n_pulses) + " pulses");
        discrimen::Pulses some = records.view();
        some.n_pulses = n_pulses;
        const std::vector<float> together = records::scores(model, some, std::size_t(most_pulses));
        for (std::size_t i = 0; i < together.size(); ++i) CHECK_CLOSE(together[i], single[i], tolerance);
    }
}

void check_batches(bool aligned, const std::string& set) {
    for (int type = 0; type < 4; ++type) {
        const check::Context where("type " + std::to_string(type) + (aligned ? ", aligned" : ""));
        Random random(7);
        const frozen::Content content = content_for(aligned, random);
        const discrimen::Model model = networks::load(content, set);
        PulseList pulses;
        int n_impossible = 0;
        for (int i = 0; i < most_pulses; ++i)
            pulses.push_back(random.once_in(4) ? impossible(n_impossible++, content.preparation, 60, type == 3)
                                               : networks::plain_pulse(content.preparation, 60, random));
        records::Layout layout;
        layout.type = discrimen_sample_type(type);
        check_all_sizes(content, model, pulses, layout, random);
    }
}

// What lies outside baseline and window of a float record does not matter, were it no number.
void check_outside(const std::string& set) {
    Random random(3);
    const frozen::Content content = content_for(false, random);
    PulseList pulses;
    for (int i = 0; i < 20; ++i) {
        pulses.push_back(networks::plain_pulse(content.preparation, 60, random));
        pulses.back()[59] = i % 2 ? std::nan("") : -std::numeric_limits<double>::infinity();
    }
    records::Layout layout;
    layout.type = DISCRIMEN_FLOAT32;
    check_all_sizes(content, networks::load(content, set), pulses, layout, random);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        check_batches(false, set);
        check_batches(true, set);
        check_outside(set);
    });
}
