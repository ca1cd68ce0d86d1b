// Several channels, some of them absent: prepared values, restoration to ADC counts, and whole networks on them.
#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"
#include "reference.hpp"

namespace {

using networks::Random;
using PulseList = std::vector<std::vector<double>>;

constexpr double tolerance = 3e-6, tolerance_adc = 1e-3, tolerance_aligned = 2e-5;
constexpr int n_pulses = 37;

// Channels of either polarity, with baselines and windows of their own.
frozen::Preparation preparation_of(int n_channels, bool aligned, Random& random) {
    frozen::Preparation p;
    p.window_length = random.integer(aligned ? 12 : 1, 40);  // long enough for what follows the edge
    p.aligned = aligned;
    p.position = 4;
    p.others.resize(std::size_t(n_channels - 1));
    for (int i = 0; i < n_channels; ++i) {
        frozen::Channel& c = i == 0 ? p : p.others[std::size_t(i - 1)];
        c.polarity = random.once_in(2) ? 1 : -1;
        c.baseline_start = random.integer(0, 4);
        c.baseline_stop = c.baseline_start + random.integer(1, 12);
        c.window_start = aligned ? random.integer(-3, 3) : std::max(0, c.baseline_stop - random.integer(0, 3));
    }
    return p;
}

// Of all pulses behind one another; the fixed reference is there, and one channel at least.
std::vector<std::uint8_t> some_present(const frozen::Preparation& p, int count, Random& random) {
    std::vector<std::uint8_t> present;
    const int n_channels = p.n_channels();
    for (int i = 0; i < count; ++i) {
        const int kept = p.reference >= 0 ? p.reference : random.integer(0, n_channels - 1);
        for (int c = 0; c < n_channels; ++c) present.push_back(c == kept || random.once_in(2));
    }
    return present;
}

std::vector<std::uint8_t> row_of(const std::vector<std::uint8_t>& present, std::size_t row, int n_channels) {
    if (present.empty()) return {};
    const auto first = present.begin() + std::ptrdiff_t(row) * n_channels;
    return {first, first + n_channels};
}

void check_restoration(const frozen::Content& content, const discrimen::Model& model, const PulseList& pulses,
                       const discrimen::Pulses& view, const std::vector<std::uint8_t>& present) {
    const int n_channels = content.preparation.n_channels();
    for (const std::size_t at_once : {std::size_t(n_pulses), std::size_t(1)}) {
        const std::vector<double> got = records::run(model, view, at_once).restoration;
        for (std::size_t p = 0; p < pulses.size(); ++p) {
            const reference::Prepared wanted =
                reference::prepare(content.preparation, pulses[p], row_of(present, p, n_channels));
            const double* row = got.data() + p * std::size_t(2 + n_channels);
            CHECK_CLOSE(row[0], wanted.start, 1e-4);
            CHECK_CLOSE(row[1], wanted.divisor, 1e-5);
            for (int c = 0; c < n_channels; ++c) CHECK_CLOSE(row[2 + c], wanted.baselines[std::size_t(c)], 1e-7);
        }
    }
}

void check_case(int number, const std::string& set) {
    const check::Context where("case " + std::to_string(number));
    Random random(std::uint32_t(100 + number));
    const bool aligned = random.once_in(2), masked = random.once_in(2);
    frozen::Content content;
    content.preparation = preparation_of(random.integer(1, 5), aligned, random);
    frozen::Preparation& p = content.preparation;
    p.scale = random.integer(0, 2);
    p.interpolate = random.integer(0, 1);
    p.masked = masked;
    p.reference = random.integer(-1, p.n_channels() - 1);
    // Where the area of the reference channel is small, another may be a large multiple of it, and so is its rounding.
    if (p.scale == frozen::area) p.reference = -1;
    if (masked) content.golden.present = some_present(p, 2, random);
    networks::complete(content, random);

    const std::vector<std::uint8_t> present = masked ? some_present(p, n_pulses, random) : std::vector<std::uint8_t>();
    const int n_samples = p.shortest_record() + random.integer(0, 40) + (aligned ? 60 : 0);
    PulseList pulses;
    for (int i = 0; i < n_pulses; ++i)
        pulses.push_back(networks::plain_pulse(p, n_samples, random, row_of(present, std::size_t(i), p.n_channels())));
    records::Layout layout;
    layout.type = discrimen_sample_type(number % 4);
    layout.n_channels = p.n_channels();
    layout.gap_between_channels = random.integer(0, 5);
    layout.gap_between_samples = random.once_in(3) ? 2 : 0;
    const records::Records records(pulses, layout, random);
    discrimen::Pulses view = records.view();
    if (masked) {
        view.present = present.data();
        view.present_stride = p.n_channels();
    }
    const discrimen::Model model = networks::load(content, set);
    records::check_scores(content, model, pulses, view,
                          p.scale == frozen::none ? tolerance_adc
                          : aligned               ? tolerance_aligned
                                                  : tolerance);
    check_restoration(content, model, pulses, view, present);
}

// A Dense on all channels, which divides by the peak, and a convolution of several channels.
void check_networks(const std::string& set) {
    for (const bool convolution : {false, true})
        for (const bool masked : {false, true}) {
            const check::Context where(std::string(convolution ? "convolution" : "dense") + (masked ? ", masked" : ""));
            Random random(9);
            frozen::Content content;
            content.preparation = preparation_of(3, false, random);
            content.preparation.window_length = 20;
            content.preparation.masked = masked;
            content.preparation.reference = -1;
            if (convolution)
                content.layers = {{frozen::permute, {}, {}},
                                  networks::conv1d(random, 3, 3, 8, {frozen::relu, 1, 1, frozen::same}),
                                  {frozen::global_average_pooling, {}, {}},
                                  networks::dense(random, 8, 2, frozen::tanh)};
            else
                content.layers = {{frozen::flatten, {}, {}}, networks::dense(random, 60, 10, frozen::tanh)};
            networks::complete(content, random);
            PulseList pulses;
            for (int i = 0; i < n_pulses; ++i) pulses.push_back(networks::plain_pulse(content.preparation, 70, random));
            records::Layout layout;
            layout.n_channels = 3;
            const records::Records records(pulses, layout, random);
            records::check_scores(content, networks::load(content, set), pulses, records.view(), tolerance);
        }
}

// What a pulse without its reference channel, or without any, gives; what lies in the place of absent ones is nothing.
void check_absent(const std::string& set) {
    for (const int type : {int(DISCRIMEN_INT16), int(DISCRIMEN_FLOAT32)})
        for (const int reference : {-1, 1}) {
            Random random(11);
            frozen::Content content;
            content.preparation = preparation_of(2, false, random);
            content.preparation.masked = 1;
            content.preparation.reference = reference;
            content.preparation.scale = frozen::none;
            networks::complete(content, random);
            PulseList pulses;
            std::vector<std::uint8_t> present;
            for (int i = 0; i < n_pulses; ++i) {
                pulses.push_back(networks::plain_pulse(content.preparation, 70, random));
                present.insert(present.end(), {std::uint8_t(i & 1), std::uint8_t(i >> 1 & 1)});
                for (int c = 0; c < 2; ++c)
                    if (!(i >> c & 1))
                        for (int s = 0; s < 70; ++s)
                            pulses.back()[std::size_t(c * 70 + s)] = type == DISCRIMEN_INT16 ? -32768 : NAN;
            }
            records::Layout layout;
            layout.type = discrimen_sample_type(type);
            layout.n_channels = 2;
            const records::Records records(pulses, layout, random);
            discrimen::Pulses view = records.view();
            view.present = present.data();
            view.present_stride = 2;
            const discrimen::Model model = networks::load(content, set);
            const auto length = std::size_t(content.preparation.window_length);
            for (const std::size_t at_once : {std::size_t(n_pulses), std::size_t(1)}) {
                const records::Results results = records::run(model, view, at_once);
                for (std::size_t i = 0; i < n_pulses; ++i) {
                    const bool valid = reference == 1 ? i >> 1 & 1 : (i & 3) > 0;
                    CHECK_EQUAL(std::isnan(results.restoration[i * 4]), !valid);
                    for (std::size_t k = 0; k < 2 * length; ++k) {
                        const float value = results.outputs[0][i * 2 * length + k];
                        CHECK_EQUAL(std::isnan(value), !valid);
                        if (valid && !(i >> (k / length) & 1)) CHECK_EQUAL(value, 0.0f);
                    }
                }
            }
        }
}

// The same counts as every type of sample, on baselines that single precision cannot hold to that.
void check_types_agree(const std::string& set) {
    for (const int aligned : {0, 1})
        for (const int n_channels : {1, 2}) {
            const check::Context where(std::to_string(n_channels) + " channels" + (aligned ? ", aligned" : ""));
            Random random(13);
            frozen::Content content;
            content.preparation.aligned = aligned;
            content.preparation.window_start = aligned ? 0 : 8;
            content.preparation.baseline_stop = 7;  // means that are no short binary numbers
            content.preparation.window_length = 40;
            content.preparation.others.assign(std::size_t(n_channels - 1), content.preparation);
            networks::complete(content, random);
            const discrimen::Model model = networks::load(content, set);
            PulseList high, low;
            for (int i = 0; i < n_pulses; ++i) {
                high.push_back(networks::plain_pulse(content.preparation, 60, random));
                for (double& sample : high.back()) sample = std::round(60000 + (sample - 1000) / 28);
                low.push_back(high.back());
                for (double& sample : low.back()) sample -= 50000;  // an offset changes nothing
            }
            records::Layout layout;
            layout.n_channels = n_channels;
            layout.type = DISCRIMEN_INT32;
            const records::Records as_int32(high, layout, random);
            for (const std::size_t at_once : {std::size_t(n_pulses), std::size_t(1)}) {
                const std::vector<float> wanted = records::scores(model, as_int32.view(), at_once);
                for (const int type : {0, 1, 2, 3}) {
                    const check::Context of_type("type " + std::to_string(type));
                    layout.type = discrimen_sample_type(type);
                    const records::Records records(type == 0 ? low : high, layout, random);
                    const std::vector<float> got = records::scores(model, records.view(), at_once);
                    for (std::size_t i = 0; i < got.size(); ++i) CHECK_CLOSE(got[i], wanted[i], 1e-6);
                }
            }
        }
}

// Without a scale nothing needs to rise: falling pulses, flat ones, and numbers that are no raw samples.
void check_no_scale(const std::string& set) {
    for (const int n_baseline : {0, 8})
        for (int type = 0; type < 4; ++type) {
            const check::Context where("type " + std::to_string(type) + ", " + std::to_string(n_baseline) +
                                       " of baseline");
            Random random(15);
            frozen::Content content;
            content.preparation.scale = frozen::none;
            content.preparation.baseline_stop = n_baseline;
            content.preparation.window_length = 30;
            networks::complete(content, random);
            PulseList pulses(n_pulses, std::vector<double>(50, 500.0));
            for (std::size_t p = 1; p < pulses.size(); ++p)
                for (std::size_t i = 8; i < 50; ++i) pulses[p][i] = random.integer(0, 499);
            records::Layout layout;
            layout.type = discrimen_sample_type(type);
            const records::Records records(pulses, layout, random);
            const discrimen::Model model = networks::load(content, set);
            records::check_scores(content, model, pulses, records.view(), tolerance);
            for (const float value : records::scores(model, records.view(), n_pulses)) CHECK(!std::isnan(value));
        }
}

// Drawn numbers depend on seed, pulse and place alone, and are distributed as they should be.
void check_sampling(const std::string& set) {
    Random random(17);
    frozen::Content content;
    content.preparation.window_length = 50;
    content.layers = {networks::dense(random, 50, 64, frozen::linear),
                      networks::dense(random, 50, 64, frozen::linear),
                      {frozen::sample, {}, {}, {1, 2}}};
    content.layers[1].inputs = {0};
    for (int layer = 0; layer < 2; ++layer)
        for (frozen::Array& array : content.layers[std::size_t(layer)].arrays)
            array.values.assign(array.values.size(), 0);
    content.layers[0].arrays[1].values.assign(64, 3.0f);
    content.layers[1].arrays[1].values.assign(64, float(2 * std::log(0.5)));
    networks::complete(content, random);
    PulseList pulses(200, networks::plain_pulse(content.preparation, 60, random));
    const records::Records records(pulses, {}, random);
    const discrimen::Model model = networks::load(content, set);
    const std::vector<float> drawn = records::run(model, records.view(), 200, 7).outputs[0];
    double sum = 0, squares = 0;
    for (const float value : drawn) sum += value, squares += (value - 3.0) * (value - 3.0);
    CHECK_CLOSE(sum / double(drawn.size()), 3.0, 0.01);
    CHECK_CLOSE(std::sqrt(squares / double(drawn.size())), 0.5, 0.02);
    CHECK(records::run(model, records.view(), 200, 7).outputs[0] == drawn);
    CHECK(records::run(model, records.view(), 200, 8).outputs[0] != drawn);
    const discrimen::Model plain = networks::load(content, "baseline");
    const std::vector<float> elsewhere = records::run(plain, records.view(), 200, 7).outputs[0];
    for (std::size_t i = 0; i < drawn.size(); ++i) CHECK_CLOSE(drawn[i], elsewhere[i], 1e-5);
    for (const float value : records::scores(model, records.view(), 200)) CHECK_EQUAL(value, 3.0f);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        for (int number = 0; number < 120; ++number) check_case(number, set);
        check_networks(set);
        check_absent(set);
        check_types_agree(set);
        check_no_scale(set);
        check_sampling(set);
    });
}
