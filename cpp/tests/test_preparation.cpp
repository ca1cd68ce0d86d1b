// Every preparation against the reference: a network without layers gives the prepared window itself.
#include <cmath>

#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"
#include "reference.hpp"

namespace {

using networks::Random;

constexpr double tolerance = 3e-6;
constexpr double tolerance_adc = 1e-3;      // 14-bit samples in single precision are that coarse
constexpr double tolerance_long = 1e-5;     // one step of single precision at 65000 ADC, for a pulse of 500 ADC
constexpr double tolerance_aligned = 2e-5;  // and so is a place in a record of more than 64 samples
constexpr int n_pulses = 37;

struct Windows {
    int baseline_start, baseline_stop, window_start, window_length;
};

// The baseline before, behind, inside, around and overlapping the window; windows of one sample and of odd lengths.
constexpr Windows windows[] = {{0, 8, 8, 40},   {0, 8, 0, 48},   {4, 12, 8, 33}, {40, 50, 3, 31},
                               {0, 60, 10, 17}, {30, 40, 0, 35}, {2, 3, 20, 1},  {0, 1, 1, 75}};

void check_preparation(const frozen::Preparation& preparation, bool with_dense, const records::Layout& layout,
                       const std::string& set, Random& random) {
    const bool in_adc = preparation.scale == frozen::none && !with_dense;
    frozen::Content content;
    content.preparation = preparation;
    if (with_dense) content.layers = {networks::dense(random, preparation.window_length, 5, frozen::tanh)};
    // ADC counts would drive every unit to its limit.
    if (with_dense && preparation.scale == frozen::none)
        for (float& weight : content.layers[0].arrays[0].values) weight *= 1e-4f;
    networks::complete(content, random);
    const int n_samples = preparation.shortest_record() + random.integer(0, 40);
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < n_pulses; ++i) pulses.push_back(networks::plain_pulse(preparation, n_samples, random));
    const records::Records records(pulses, layout, random);
    records::check_scores(content, networks::load(content, set), pulses, records.view(),
                          in_adc                ? tolerance_adc
                          : preparation.aligned ? tolerance_aligned
                                                : tolerance);
}

records::Layout layout_of(int number) {
    records::Layout layout;
    layout.type = discrimen_sample_type(number % 4);
    return layout;
}

void check_fixed_windows(const std::string& set) {
    Random random(1);
    int number = 0;
    for (const Windows& w : windows)
        for (const int polarity : {1, -1})
            for (const int scale : {0, 1, 2})
                for (const bool with_dense : {false, true})
                    for (int type = 0; type < 4; ++type) {
                        const check::Context where("fixed window, case " + std::to_string(number++));
                        frozen::Preparation p;
                        p.baseline_start = w.baseline_start, p.baseline_stop = w.baseline_stop;
                        p.window_start = w.window_start, p.window_length = w.window_length;
                        p.polarity = polarity, p.scale = scale;
                        check_preparation(p, with_dense, layout_of(type), set, random);
                    }
}

// Windows that start long before the record, end long behind it, or lie inside.
void check_alignment(const std::string& set) {
    Random random(2);
    int number = 0;
    for (const int position : {0, 10, 60, -4})
        for (const double fraction : {0.05, 0.3, 0.9})
            for (const int interpolate : {0, 1})
                for (const int scale : {0, 1, 2}) {
                    const check::Context where("aligned, case " + std::to_string(number));
                    frozen::Preparation p;
                    p.aligned = 1, p.position = position, p.fraction = fraction, p.interpolate = interpolate;
                    p.polarity = number % 2 ? 1 : -1, p.scale = scale;
                    p.baseline_start = 0, p.baseline_stop = 20;
                    p.window_start = 0, p.window_length = position == 60 ? 120 : 33;
                    check_preparation(p, scale == frozen::none || number % 5 == 0, layout_of(number), set, random);
                    ++number;
                }
}

// Sums of long baselines must be as exact as those of short ones, in every type and on every path.
void check_long_baselines(const std::string& set) {
    for (const int n_baseline : {256, 300, 3000, 40000})
        for (int type = 0; type < 4; ++type) {
            const check::Context where(std::to_string(n_baseline) + " baseline samples of type " +
                                       std::to_string(type));
            Random random(3);
            frozen::Content content;
            content.preparation.baseline_stop = content.preparation.window_start = n_baseline;
            content.preparation.window_length = 5;
            networks::complete(content, random);
            const double level = type == DISCRIMEN_INT16 ? 32001 : 65001;
            std::vector<double> samples(std::size_t(n_baseline), level);
            samples.insert(samples.end(), {level + 100, level + 500, level + 400, level + 300, level + 50});
            const std::vector<std::vector<double>> pulses(n_baseline == 40000 ? 18 : 33, samples);
            records::Layout layout;
            layout.type = discrimen_sample_type(type);
            const records::Records records(pulses, layout, random);
            records::check_scores(content, networks::load(content, set), pulses, records.view(), tolerance_long);
        }
}

// A baseline far from zero, as 32-bit samples have: subtracted before it is rounded to single precision.
void check_large_samples(const std::string& set) {
    Random random(4);
    frozen::Content content;
    content.preparation.window_length = 21;
    networks::complete(content, random);
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < n_pulses; ++i) {
        pulses.push_back(networks::plain_pulse(content.preparation, 29, random));
        for (double& sample : pulses.back()) sample += 1e9;
    }
    records::Layout layout;
    layout.type = DISCRIMEN_INT32;
    const records::Records records(pulses, layout, random);
    records::check_scores(content, networks::load(content, set), pulses, records.view(), tolerance);
}

// Floats whose sum overflows though each is a number, and some that one over is none.
void check_floats_at_the_limits(const std::string& set) {
    for (const int exponent : {113, -140})
        for (const int aligned : {0, 1}) {
            const check::Context where("floats of 2**" + std::to_string(exponent) + (aligned ? ", aligned" : ""));
            Random random(5);
            frozen::Content content;
            content.preparation.window_length = 21;
            content.preparation.aligned = aligned;
            networks::complete(content, random);
            std::vector<double> samples(12, 16.0);
            for (int i = 0; i < 30; ++i) samples.push_back(15000 - 300 * i);
            for (double& sample : samples) sample = std::ldexp(sample, exponent);
            records::Layout layout;
            layout.type = DISCRIMEN_FLOAT32;
            const std::vector<std::vector<double>> pulses(n_pulses, samples);
            const records::Records records(pulses, layout, random);
            records::check_scores(content, networks::load(content, set), pulses, records.view(), tolerance);
        }
}

// The peak of an aligned pulse is looked for in the whole record: no sample of it may be infinite or no number.
void check_records_that_are_not_finite(const std::string& set) {
    Random random(6);
    frozen::Content content;
    content.preparation.aligned = 1;
    content.preparation.window_length = 9;
    networks::complete(content, random);
    const discrimen::Model model = networks::load(content, set);
    for (const double bad : {std::nan(""), double(INFINITY), -double(INFINITY)}) {
        std::vector<std::vector<double>> pulses;
        for (int i = 0; i < 60; ++i) {
            pulses.push_back(networks::plain_pulse(content.preparation, 60, random));
            pulses.back()[std::size_t(i)] = bad;
        }
        records::Layout layout;
        layout.type = DISCRIMEN_FLOAT32;
        const records::Records records(pulses, layout, random);
        for (const std::size_t at_once : {std::size_t(60), std::size_t(1)})
            for (const float score : records::scores(model, records.view(), at_once)) CHECK(std::isnan(score));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        check_fixed_windows(set);
        check_alignment(set);
        check_long_baselines(set);
        check_large_samples(set);
        check_floats_at_the_limits(set);
        check_records_that_are_not_finite(set);
    });
}
