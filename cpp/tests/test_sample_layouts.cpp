// Samples of every type wherever they lie: odd addresses and strides, every second sample, backwards, flag bits above.
#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

constexpr double tolerance = 3e-6;

// A record that is as long as the preparation needs, or longer; with and without alignment.
frozen::Content content_for(bool aligned, Random& random) {
    frozen::Content content;
    content.preparation.window_length = 29;
    content.preparation.aligned = aligned;
    content.preparation.position = 6;
    content.layers = {networks::dense(random, 29, 3, frozen::tanh)};
    networks::complete(content, random);
    return content;
}

void check_layout(const frozen::Content& content, const discrimen::Model& model, const records::Layout& layout,
                  Random& random) {
    std::vector<std::vector<double>> pulses;
    const int n_samples = content.preparation.shortest_record() + random.integer(9, 40);
    for (int i = 0; i < 35; ++i) pulses.push_back(networks::plain_pulse(content.preparation, n_samples, random));
    const records::Records records(pulses, layout, random);
    records::check_scores(content, model, pulses, records.view(), tolerance);
}

void check_layouts(bool aligned, const std::string& set) {
    Random random(aligned ? 1 : 2);
    const frozen::Content content = content_for(aligned, random);
    const discrimen::Model model = networks::load(content, set);
    for (int type = 0; type < 4; ++type)
        for (const int gap_between_samples : {0, 1, 2, 6})
            for (const int gap_between_pulses : {0, 1, 3, 24})
                for (const int directions : {0, 1, 2, 3})
                    for (const int n_flag_bits : {0, 1, 2}) {
                        if (type == DISCRIMEN_FLOAT32 && n_flag_bits > 0) continue;
                        const check::Context where(
                            "type " + std::to_string(type) + ", gaps " + std::to_string(gap_between_samples) + " and " +
                            std::to_string(gap_between_pulses) + ", directions " + std::to_string(directions) +
                            ", flag bits " + std::to_string(n_flag_bits) + (aligned ? ", aligned" : ""));
                        check_layout(content, model,
                                     {discrimen_sample_type(type), gap_between_samples, gap_between_pulses,
                                      (directions & 1) != 0, (directions & 2) != 0, n_flag_bits},
                                     random);
                    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        check_layouts(false, set);
        check_layouts(true, set);
    });
}
