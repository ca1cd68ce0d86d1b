// What a model on a GPU promises beside the same results: samples and results in its memory, one order of computing or
// another, and one clear reason for all that can go wrong. Faults and orders are those of the emulated device.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "check.hpp"
#include "discrimen/buffer.hpp"
#include "networks.hpp"
#include "records.hpp"
#include "reference.hpp"

namespace {

using discrimen::Buffer;
using networks::Random;

constexpr int n_pulses = 211;  // several pieces, lanes and tiles

// Sets a variable of the environment while it lives.
struct Setting {
    Setting(const char* of, const char* value) : name(of) {
        if (const char* found = std::getenv(of)) {
            known = true;
            before = found;
        }
        setenv(name, value, 1);
    }
    ~Setting() { known ? setenv(name, before.c_str(), 1) : unsetenv(name); }
    const char* name;
    bool known = false;
    std::string before;
};

std::vector<std::vector<double>> pulses_of(const frozen::Content& content, int count, Random& random) {
    std::vector<std::vector<double>> pulses;
    const int n_samples = content.preparation.shortest_record() + 17;
    for (int i = 0; i < count; ++i) pulses.push_back(networks::plain_pulse(content.preparation, n_samples, random));
    return pulses;
}

records::Layout layout_for(const frozen::Content& content, int number) {
    records::Layout layout;
    layout.type = discrimen_sample_type(number % 4);
    layout.n_channels = content.preparation.n_channels();
    return layout;
}

// Threads of a block come in any order: a result that follows it is a race.
void check_orders(const frozen::Content& content, int number) {
    Random random(3);
    const records::Records records(pulses_of(content, 50, random), layout_for(content, number), random);
    records::Results first;
    for (const char* order : {"forward", "reverse", "1", "12345"}) {
        const check::Context where(std::string("order ") + order);
        const Setting setting("DISCRIMEN_EMULATED_ORDER", order);
        const records::Results found = records::run(networks::load(content, "emulated"), records.view(), 50, 7);
        if (first.outputs.empty()) first = found;
        CHECK(std::memcmp(found.restoration.data(), first.restoration.data(),
                          found.restoration.size() * sizeof(double)) == 0);
        for (std::size_t o = 0; o < found.outputs.size(); ++o)
            CHECK(std::memcmp(found.outputs[o].data(), first.outputs[o].data(),
                              found.outputs[o].size() * sizeof(float)) == 0);
    }
}

void check_all_orders() {
    int n_checked = 0;
    for (const std::uint32_t code : networks::every_code)
        for (int i = 0; i < 3; ++i) {
            const check::Context where(networks::name_of(code));
            Random random(900 * code + std::uint32_t(i));
            frozen::Content content = networks::one_layer(random, code);
            content.preparation.aligned = i == 1;
            if (i == 1) content.preparation.window_start = 0, content.preparation.position = -1;
            if (i == 1) networks::complete(content, random);
            // Values that are all 0 would hold a network to nothing: none is made of them.
            if (check::reason_of([&] { networks::load(content, "baseline"); }).empty())
                check_orders(content, i), ++n_checked;
        }
    CHECK(n_checked > 2 * int(networks::every_code.size()));
    for (int i = 0; i < 10; ++i) {
        Random random{std::uint32_t(70 + i)};
        check_orders(i % 2 ? networks::random_graph(random) : networks::several_channels(random), i);
    }
}

// The numbers that a network draws are those that the CPU draws, wherever a pulse stands.
void check_seeds(const std::string& device) {
    Random random(4);
    const frozen::Content content = networks::one_layer(random, frozen::sample);
    const records::Records records(pulses_of(content, n_pulses, random), {}, random);
    const auto wanted = records::run(networks::load(content, "baseline"), records.view(), n_pulses, 11).outputs[0];
    for (const std::size_t at_once : {std::size_t(1), std::size_t(n_pulses)}) {
        const auto here = records::run(networks::load(content, device), records.view(), at_once, 11).outputs[0];
        const auto there = records::run(networks::load(content, "baseline"), records.view(), at_once, 11).outputs[0];
        for (std::size_t i = 0; i < here.size(); ++i) CHECK_CLOSE(here[i], there[i], 1e-5);
        if (at_once == n_pulses)
            for (std::size_t i = 0; i < here.size(); ++i) CHECK_CLOSE(here[i], wanted[i], 1e-5);
    }
}

// A chain of small Dense layers, of which nothing but outputs and heights is asked, has a way of its own on a GPU.
frozen::Content small_chain(Random& random) {
    frozen::Content content;
    frozen::Preparation& p = content.preparation;
    p.window_length = random.integer(1, 80), p.window_start = random.integer(4, 12);
    p.baseline_stop = random.integer(0, 3) == 0 ? 300 : random.integer(1, 9);
    if (p.baseline_stop == 300) p.window_start = 296;
    p.polarity = random.once_in(2) ? 1 : -1, p.scale = random.integer(1, 2);
    const int activations[] = {frozen::linear, frozen::relu, frozen::tanh, frozen::sigmoid};
    int inputs = p.window_length;
    for (int left = random.integer(1, 4); left > 0; --left) {
        const int outputs = random.integer(1, 16);
        content.layers.push_back(networks::dense(random, inputs, outputs, activations[random.integer(0, 3)]));
        inputs = outputs;
    }
    content.outputs.emplace_back();
    content.outputs[0].activation = random.once_in(2) ? int(frozen::softmax) : activations[random.integer(0, 3)];
    networks::complete(content, random);
    return content;
}

void check_chains(const std::string& device) {
    int n_checked = 0;
    for (int number = 0; number < 80; ++number) {
        const check::Context where("chain " + std::to_string(number));
        Random random{std::uint32_t(4000 + number)};
        const frozen::Content content = small_chain(random);
        // Values that are all 0 would hold a network to nothing: none is made of them.
        if (!check::reason_of([&] { networks::load(content, "baseline"); }).empty()) continue;
        ++n_checked;
        const discrimen::Model model = networks::load(content, device);
        std::vector<std::vector<double>> pulses = pulses_of(content, number % 3 ? 60 : 1100, random);
        if (number % 4 == 0) pulses[pulses.size() / 2].assign(pulses[0].size(), 500.0);  // flat: it cannot be prepared
        records::Layout layout;
        layout.type = number % 2 ? DISCRIMEN_INT16 : DISCRIMEN_UINT16;
        layout.gap_between_pulses = number % 5 * 2, layout.n_flag_bits = number % 3 == 2;
        const records::Records records(pulses, layout, random);
        const std::size_t n_values = model.outputs()[0].n_values;
        std::vector<float> values(pulses.size() * n_values + 1, 7), heights(pulses.size() + 1, 7);
        float* const to[] = {values.data()};
        discrimen::Results results = discrimen_results_to(to);
        results.height_adc = heights.data();
        discrimen::Workspace workspace(model);
        CHECK_EQUAL(model.run(records.view(), workspace, results), DISCRIMEN_OK);
        CHECK(values.back() == 7 && heights.back() == 7);
        for (std::size_t pulse = 0; pulse < pulses.size(); ++pulse) {
            const reference::Prepared prepared = reference::prepare(content.preparation, pulses[pulse]);
            const std::vector<double> wanted = reference::results(content, pulses[pulse])[0];
            for (std::size_t i = 0; i < n_values; ++i) CHECK_CLOSE(values[pulse * n_values + i], wanted[i], 3e-6);
            CHECK_CLOSE(heights[pulse] / 1e3, prepared.valid ? prepared.peak_adc / 1e3 : std::nan(""), 3e-6);
        }
    }
    CHECK(n_checked >= 30);
}

// The same samples in the memory of the program, in such as the device copies from, and in the device's own.
void check_places(const std::string& device) {
    for (int number = 0; number < 24; ++number) {
        const check::Context where("layout " + std::to_string(number));
        Random random{std::uint32_t(number)};
        frozen::Content content = networks::several_channels(random);
        content.preparation.masked = 0;
        content.golden.present.clear();
        if (number % 3 == 0) {
            content.preparation.others.clear();
            content.layers[1] = networks::conv1d(random, 3, 1, 2, {frozen::relu, 1, 1, frozen::same});
        }
        networks::complete(content, random);
        records::Layout layout = layout_for(content, number);
        layout.gap_between_samples = number % 5 == 1 ? 3 : 0;
        layout.gap_between_pulses = number % 4;
        layout.backwards = number % 7 == 3, layout.pulses_backwards = number % 6 == 2;
        const records::Records records(pulses_of(content, n_pulses, random), layout, random);
        const discrimen::Model model = networks::load(content, device);
        const records::Results wanted = records::run(model, records.view(), n_pulses);
        for (const Buffer::Place place : {Buffer::host, Buffer::device}) {
            Buffer samples(model, records.size(), place);
            samples.copy_from(records.data(), records.size());
            discrimen::Pulses moved = records.view();
            moved.samples =
                static_cast<const char*>(samples.data()) + (static_cast<const char*>(moved.samples) - records.data());
            CHECK(records::run(model, moved, n_pulses).outputs == wanted.outputs);
        }
        const std::size_t size = wanted.outputs[0].size() * sizeof(float);
        Buffer outputs(model, size, Buffer::device);
        float* const to[] = {static_cast<float*>(outputs.data())};
        discrimen::Workspace workspace(model);
        CHECK_EQUAL(model.run(records.view(), workspace, discrimen_results_to(to)), DISCRIMEN_OK);
        std::vector<float> found(wanted.outputs[0].size());
        outputs.copy_to(found.data(), size);
        CHECK(found == wanted.outputs[0]);
    }
}

void check_names(const frozen::Content& content) {
    const frozen::Bytes bytes = frozen::write(content);
    const auto load = [&](const char* device) {
        return discrimen::Model::from_memory(bytes.data(), bytes.size(), {"", device});
    };
    for (const char* device : {"gpu", "cuda:", "cuda:x", "cuda:1000", "cuda 1", "CUDA", ""})
        CHECK_REFUSED(load(device), "device must be cpu or cuda, or cuda:1 for the second GPU");
    CHECK_EQUAL(std::string(load("cuda").instruction_set()).find("cuda:0, "), std::size_t(0));
    CHECK_EQUAL(std::string(load("cpu").instruction_set()).find("cuda"), std::string::npos);
    CHECK_REFUSED(load("cuda:77"), "CUDA device 77: ");
    CHECK_REFUSED(Buffer(load("cpu"), 8, Buffer::device), "no memory of a GPU");
}

void check_refusals(const frozen::Content& content) {
    const auto refused = [&](const char* fault, const char* why) {
        const check::Context where(fault);
        const Setting setting("DISCRIMEN_EMULATED_FAULT", fault);
        CHECK_REFUSED(networks::load(content, "emulated"), why);
    };
    refused("no driver", "CUDA device 0: there is no driver");
    refused("another version", "has another version than this engine");
    refused("no memory for the model", "CUDA device 0: no memory is left for the");
    refused("no memory for a workspace", "no memory for a workspace of");
    refused("lacks a layer", "CUDA device 0: it lacks operation");
    const Setting library("DISCRIMEN_CUDA_LIBRARY", "libm.so.6");
    CHECK_REFUSED(networks::load(content, "emulated"), "libm.so.6 is no library of discrimen");
    const Setting absent("DISCRIMEN_CUDA_LIBRARY", "/no/such/library.so");
    CHECK_REFUSED(networks::load(content, "emulated"), "no CUDA backend: /no/such/library.so cannot be loaded");
}

void check_too_many_outputs() {
    Random random(5);
    frozen::Content content = networks::small_network(random, frozen::dense);
    const frozen::Output energy = content.outputs[1];
    for (int i = 0; i < 40; ++i) content.outputs.push_back(energy), content.outputs.back().name += std::to_string(i);
    networks::complete(content, random);
    CHECK_REFUSED(networks::load(content, "emulated"), "it takes 32 outputs, the model has 42");
}

// No number is left of a call in whose middle the device is lost, and the CPU goes on.
void check_loss(const frozen::Content& content) {
    const Setting setting("DISCRIMEN_EMULATED_FAULT", "lost");
    const frozen::Bytes bytes = frozen::write(content);
    discrimen::LoadOptions options = {"", "cuda", false};
    const discrimen::Model model = discrimen::Model::from_memory(bytes.data(), bytes.size(), options);
    Random random(6);
    const records::Records records(pulses_of(content, n_pulses, random), {}, random);
    std::vector<float> scores(n_pulses * model.outputs()[0].n_values, 1), heights(n_pulses, 1);
    std::vector<double> restoration(n_pulses * 3, 1);
    std::vector<float*> to(model.outputs().size());
    to[0] = scores.data();
    discrimen::Results results = discrimen_results_to(to.data());
    results.height_adc = heights.data();
    results.restoration = restoration.data();
    discrimen::Workspace workspace(model);
    for (int i = 0; i < 2; ++i) {
        CHECK_EQUAL(model.run(records.view(), workspace, results), DISCRIMEN_DEVICE_FAILED);
        for (const float value : scores) CHECK(std::isnan(value));
        for (const float value : heights) CHECK(std::isnan(value));
        for (const double value : restoration) CHECK(std::isnan(value));
        scores.assign(scores.size(), 1), heights.assign(heights.size(), 1), restoration.assign(restoration.size(), 1);
    }
    const records::Results on_cpu = records::run(networks::load(content, "baseline"), records.view(), n_pulses);
    for (const float value : on_cpu.outputs[0]) CHECK(!std::isnan(value));
}

// An aligned record is copied whole: one that no buffer holds is refused, not cut.
void check_long_records(const std::string& device) {
    Random random(8);
    frozen::Content content = networks::small_network(random, frozen::dense);
    content.preparation.aligned = 1;
    networks::complete(content, random);
    const discrimen::Model model = networks::load(content, device);
    discrimen::Workspace workspace(model);
    const std::vector<float> samples(std::size_t(1) << 23);
    CHECK_EQUAL(
        model.run(discrimen::contiguous(samples.data(), 1, samples.size()), workspace, discrimen_results_to(nullptr)),
        DISCRIMEN_RECORD_TOO_LONG);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string device = networks::instruction_set_from(argc, argv);
    if (device.empty()) return check::skipped;
    return check::run([&] {
        Random random(1);
        const frozen::Content content = networks::small_network(random, frozen::dense);
        check_names(content);
        check_seeds(device);
        check_chains(device);
        check_places(device);
        check_long_records(device);
        if (device != "emulated") return;
        check_all_orders();
        check_refusals(content);
        check_too_many_outputs();
        check_loss(content);
    });
}
