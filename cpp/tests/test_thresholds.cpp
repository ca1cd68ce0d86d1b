// Heights of pulses and thresholds that follow them: blocks and single pulses, every type of sample, nothing allocated.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "allocations.hpp"
#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

constexpr int n_samples = 48, window_length = 30, baseline = 1000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

frozen::Content content_for(bool aligned, int scale, Random& random) {
    frozen::Content content;
    content.preparation.window_length = window_length;
    content.preparation.scale = scale;
    content.preparation.aligned = aligned;
    content.preparation.window_start = aligned ? 0 : 8;
    content.preparation.position = 4;
    content.layers = {networks::dense(random, window_length, 2, frozen::linear)};
    frozen::Output particle;
    particle.name = "particle", particle.kind = frozen::classes, particle.activation = frozen::softmax;
    particle.names = {"gamma", "neutron"};
    particle.thresholds = {{"number", 0.5, 1}, {"curve", nan, 1, {100, 400, 1600}, {0.2, 0.5, 0.45}}};
    content.outputs = {particle};
    networks::complete(content, random);
    return content;
}

// A step to the height for 4 samples, then a tenth of it, then nothing.
std::vector<double> record(int height) {
    std::vector<double> samples(n_samples, baseline);
    const int tenth = height / 10;
    for (int i = 12; i < 16; ++i) samples[std::size_t(i)] += height;
    for (int i = 16; i < 21; ++i) samples[std::size_t(i)] += tenth;
    return samples;
}

void check_heights(bool aligned, int scale, const std::string& set) {
    Random random(5);
    const discrimen::Model model = networks::load(content_for(aligned, scale, random), set);
    discrimen::Workspace workspace(model);
    const int heights[] = {20, 100, 101, 399, 400, 800, 1600, 5000, -300, 0};
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < 71; ++i) pulses.push_back(record(heights[i % 10]));
    const discrimen::Threshold& curve = model.outputs()[0].thresholds[1];
    for (int type = 0; type < 4; ++type)
        for (const int gap : {0, 2})
            for (const std::size_t at_once : {std::size_t(1), std::size_t(3), pulses.size()}) {
                const check::Context where("type " + std::to_string(type) + ", gap " + std::to_string(gap) + ", " +
                                           std::to_string(at_once) + " at once" + (aligned ? ", aligned" : "") +
                                           ", scale " + std::to_string(scale));
                records::Layout layout;
                layout.type = discrimen_sample_type(type), layout.gap_between_samples = gap;
                const records::Records records(pulses, layout, random);
                std::vector<float> scores(2 * pulses.size()), found(pulses.size() + 1, -7.0f);
                for (std::size_t done = 0; done < pulses.size(); done += at_once) {
                    discrimen::Pulses some = records.view();
                    some.samples = static_cast<const char*>(some.samples) + std::ptrdiff_t(done) * some.pulse_stride;
                    some.n_pulses = std::min(at_once, pulses.size() - done);
                    float* const outputs[] = {scores.data() + 2 * done};
                    discrimen::Results results = discrimen_results_to(outputs);
                    results.height_adc = found.data() + done;
                    const std::size_t before = allocations::count();
                    CHECK_EQUAL(model.run(some, workspace, results), DISCRIMEN_OK);
                    CHECK_EQUAL(allocations::count() - before, std::size_t(0));
                }
                for (std::size_t i = 0; i < pulses.size(); ++i) {
                    const check::Context number("pulse " + std::to_string(i % 10));
                    const int wanted = heights[i % 10];
                    CHECK_EQUAL(std::isnan(found[i]), std::isnan(scores[2 * i]));
                    if (wanted > 0) CHECK_CLOSE(found[i], wanted, 1e-5 * wanted);
                    if (wanted <= 0 && !std::isnan(found[i])) CHECK(found[i] <= 0.0f);
                    const bool passes = curve.passes(scores[2 * i + 1], double(found[i]));
                    CHECK_EQUAL(passes, double(scores[2 * i + 1]) >= curve.at(double(found[i])));
                    if (std::isnan(found[i])) CHECK(!passes);
                }
                CHECK_EQUAL(found.back(), -7.0f);
            }
}

void check_curve() {
    discrimen::Threshold curve{"curve", nan, 1, {{100, 0.2}, {400, 0.5}, {1600, 0.45}}};
    for (const double height : {-5.0, 0.0, 99.0, 100.0}) CHECK_EQUAL(curve.at(height), 0.2);
    CHECK_EQUAL(curve.at(400), 0.5);
    for (const double height : {1600.0, 1601.0, std::numeric_limits<double>::infinity()})
        CHECK_EQUAL(curve.at(height), 0.45);
    CHECK(std::isnan(curve.at(nan)));
    CHECK_CLOSE(curve.at(200), 1.0 / 3, 1e-12);  // odds of 1/4 and 1: half way they are 1/2
    CHECK(curve.passes(0.5f, 400) && !curve.passes(std::nextafter(0.5f, 0.0f), 400));
    CHECK(curve.passes(0.34f, 200) && !curve.passes(0.33f, 200));
    CHECK(!curve.passes(std::nanf(""), 200) && !curve.passes(1.0f, nan));
    const discrimen::Threshold number{"number", 0.5, 1};
    CHECK(number.passes(0.5f, nan) && !number.passes(std::nanf(""), 200));
    CHECK_EQUAL(number.at(nan), 0.5);
}

void check_c_interface() {
    Random random(6);
    const frozen::Bytes bytes = frozen::write(content_for(false, frozen::peak, random));
    char why[200] = "";
    discrimen_model* model = discrimen_load_memory(bytes.data(), bytes.size(), nullptr, why, sizeof why);
    check::expect(model != nullptr, __FILE__, __LINE__, why);
    CHECK(std::isnan(discrimen_threshold(model, "curve")) && std::isnan(discrimen_output_threshold(model, 0, 1)));
    CHECK_EQUAL(discrimen_threshold_number(model, "curve"), std::size_t(1));
    CHECK_EQUAL(discrimen_threshold_number(model, "none such"), std::size_t(2));
    CHECK_EQUAL(discrimen_threshold_number(model, nullptr), std::size_t(2));
    CHECK_EQUAL(discrimen_threshold_number(nullptr, "curve"), std::size_t(0));
    CHECK_EQUAL(discrimen_output_threshold_at(model, 0, 0, nan), 0.5);
    CHECK_EQUAL(discrimen_output_threshold_at(model, 0, 1, 400), 0.5);
    CHECK(std::isnan(discrimen_output_threshold_at(model, 0, 2, 400)));
    CHECK_EQUAL(discrimen_output_threshold_n_knots(model, 0, 0), std::size_t(0));
    CHECK_EQUAL(discrimen_output_threshold_n_knots(model, 0, 1), std::size_t(3));
    CHECK_EQUAL(discrimen_output_threshold_n_knots(model, 0, 2), std::size_t(0));
    double height = 0, threshold = 0;
    CHECK_EQUAL(discrimen_output_threshold_knot(model, 0, 1, 2, &height, &threshold), DISCRIMEN_OK);
    CHECK(height == 1600 && threshold == 0.45);
    CHECK_EQUAL(discrimen_output_threshold_knot(model, 0, 1, 3, &height, &threshold), DISCRIMEN_NO_SUCH_THRESHOLD);
    CHECK_EQUAL(discrimen_output_threshold_knot(model, 0, 0, 0, &height, &threshold), DISCRIMEN_NO_SUCH_THRESHOLD);
    CHECK_EQUAL(discrimen_output_threshold_knot(model, 1, 0, 0, &height, &threshold), DISCRIMEN_NO_SUCH_OUTPUT);
    CHECK_EQUAL(discrimen_output_threshold_knot(model, 0, 1, 0, nullptr, &threshold), DISCRIMEN_NULL_ARGUMENT);
    const float values[] = {0.6f, 0.4f, 0.6f, 0.4f, std::nanf(""), std::nanf(""), 0.0f, 1.0f};
    const float heights[] = {150, 400, 150, std::nanf("")};
    std::uint8_t passes[] = {7, 7, 7, 7, 7};
    CHECK_EQUAL(discrimen_decide(model, 0, 1, values, heights, 4, passes), DISCRIMEN_OK);
    CHECK(passes[0] == 1 && passes[1] == 0 && passes[2] == 0 && passes[3] == 0 && passes[4] == 7);
    CHECK_EQUAL(discrimen_decide(model, 0, 0, values, nullptr, 4, passes), DISCRIMEN_OK);
    CHECK(passes[0] == 0 && passes[3] == 1);
    CHECK_EQUAL(discrimen_decide(model, 0, 1, values, nullptr, 4, passes), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_decide(model, 0, 1, nullptr, heights, 4, passes), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_decide(model, 0, 1, values, heights, 4, nullptr), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_decide(nullptr, 0, 1, values, heights, 4, passes), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_decide(model, 1, 1, values, heights, 4, passes), DISCRIMEN_NO_SUCH_OUTPUT);
    CHECK_EQUAL(discrimen_decide(model, 0, 2, values, heights, 4, passes), DISCRIMEN_NO_SUCH_THRESHOLD);
    discrimen_free(model);
}

void check_impossible_curves(const std::string& set) {
    Random random(7);
    const frozen::Content good = content_for(false, frozen::peak, random);
    const auto refused = [&](const char* why, std::vector<double> heights, std::vector<double> thresholds) {
        frozen::Content content = good;
        content.outputs[0].thresholds[1].heights = std::move(heights);
        content.outputs[0].thresholds[1].thresholds = std::move(thresholds);
        CHECK_REFUSED(networks::load(content, set), why);
    };
    refused("a curve of 2 to 16 knots, got 1", {100}, {0.5});
    refused("a curve of 2 to 16 knots, got 17", std::vector<double>(17, 1), std::vector<double>(17, 0.5));
    refused("do not ascend", {100, 100}, {0.5, 0.6});
    refused("do not ascend", {0, 100}, {0.5, 0.6});
    refused("do not ascend", {1, nan}, {0.5, 0.6});
    refused("do not ascend", {1, std::numeric_limits<double>::infinity()}, {0.5, 0.6});
    for (const double threshold : {0.0, 1.0, -0.1, nan})
        refused("of a curve lies outside 0 to 1", {1, 2}, {0.5, threshold});
}

void check_several_channels(const std::string& set) {
    Random random(8);
    frozen::Content content = networks::several_channels(random);
    const discrimen::Model model = networks::load(content, set);
    discrimen::Workspace workspace(model);
    const std::size_t length = model.shortest_record() + 20;
    const std::vector<std::int16_t> samples(model.n_channels() * length);
    float height = 7;
    discrimen::Results results = discrimen_results_to(nullptr);
    results.height_adc = &height;
    const auto pulses = discrimen::contiguous(samples.data(), 1, model.n_channels(), length);
    CHECK_EQUAL(model.run(pulses, workspace, results), DISCRIMEN_NO_HEIGHT);
    CHECK_EQUAL(height, 7.0f);
    results.size = offsetof(discrimen_results, height_adc);  // of a program that was built before
    CHECK_EQUAL(model.run(pulses, workspace, results), DISCRIMEN_OK);
    frozen::Content curved = content;
    frozen::Output& particle = curved.outputs[0];
    particle.kind = frozen::classes, particle.activation = frozen::softmax, particle.names = {"gamma", "neutron"};
    particle.thresholds = {{"curve", nan, 1, {100, 400}, {0.2, 0.5}}};
    CHECK_REFUSED(networks::load(curved, set),
                  "threshold 'curve' follows the height of the pulse, and the model takes");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        check_curve();
        check_c_interface();
        for (const bool aligned : {false, true})
            for (const int scale : {frozen::none, frozen::peak, frozen::area}) check_heights(aligned, scale, set);
        check_impossible_curves(set);
        check_several_channels(set);
    });
}
