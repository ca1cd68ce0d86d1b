// Minimal use of the engine in C++: load a model, hand over a buffer of raw samples, print what it says of
// each pulse: scores of classes, energies with their errors, and so on.
//
//   minimal MODEL.discrimen                     a few made-up pulses
//   minimal MODEL.discrimen RECORDS.raw LENGTH  a binary file: int16 samples, LENGTH of them a channel, nothing else
//
// Build with CMake (find_package(discrimen REQUIRED) and target_link_libraries(minimal discrimen::discrimen)), or by
//
//   g++ -std=c++17 -O2 main.cpp -o minimal $(pkg-config --cflags --libs discrimen)
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "discrimen/model.hpp"

namespace {

std::vector<std::int16_t> read_samples(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw std::runtime_error("cannot open " + path);
    std::vector<std::int16_t> samples(static_cast<std::size_t>(file.tellg()) / sizeof(std::int16_t));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(samples.data()),
              static_cast<std::streamsize>(samples.size() * sizeof(std::int16_t)));
    if (!file) throw std::runtime_error("cannot read " + path);
    return samples;
}

// Negative pulses on a baseline of 8000 ADC counts, with tails of increasing size.
std::vector<std::int16_t> make_samples(std::size_t n_pulses, std::size_t n_samples) {
    std::vector<std::int16_t> samples;
    for (std::size_t pulse = 0; pulse < n_pulses; ++pulse) {
        const double tail = 0.1 + 0.3 * double(pulse) / double(n_pulses);
        for (std::size_t i = 0; i < n_samples; ++i) {
            const double time = double(i) - 15;
            const double shape = time < 0 ? 0 : (1 - tail) * std::exp(-time / 3) + tail * std::exp(-time / 20);
            samples.push_back(static_cast<std::int16_t>(std::lround(8000 - 2000 * shape)));
        }
    }
    return samples;
}

// Scores with the first threshold that they reach; quantities with their errors; of long outputs the first few numbers.
void print(const discrimen::Output& output, const float* values, double height_adc) {
    constexpr std::size_t most_printed = 8;
    std::printf("  %s", output.name.c_str());
    if (std::isnan(values[0])) {
        std::printf(" (no pulse)");
        return;
    }
    const std::size_t n_values = output.with_error ? output.n_values / 2 : output.n_values;
    for (std::size_t i = 0; i < n_values && i < most_printed; ++i) {
        std::printf(" %s%s%.7f", i < output.names.size() ? output.names[i].c_str() : "",
                    i < output.names.size() ? " " : "", values[i]);
        if (output.with_error) std::printf(" +- %.7f", values[n_values + i]);
    }
    if (output.unit != "1") std::printf(" %s", output.unit.c_str());
    for (const discrimen::Threshold& threshold : output.thresholds)
        if (threshold.passes(values[threshold.class_number], height_adc)) {
            std::printf(" (%s by threshold %s)", output.names[threshold.class_number].c_str(), threshold.name.c_str());
            break;
        }
}

void run(int argc, char** argv) {
    const discrimen::Model model = discrimen::Model::load(argv[1]);
    discrimen::Workspace workspace(model);  // one for each thread

    const std::size_t n_samples = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : model.shortest_record() + 20;
    if (n_samples == 0) throw std::runtime_error("LENGTH must be a positive number of samples");
    const std::size_t n_channels = model.n_channels(), of_pulse = n_channels * n_samples;
    const std::vector<std::int16_t> samples =
        argc == 4 ? read_samples(argv[2]) : make_samples(8 * n_channels, n_samples);
    if (samples.size() % of_pulse != 0) throw std::runtime_error("the file holds no whole number of pulses");
    const std::size_t n_pulses = samples.size() / of_pulse;

    // One buffer for each output of the model.
    std::vector<std::vector<float>> values;
    std::vector<float*> pointers;
    for (const discrimen::Output& output : model.outputs()) values.emplace_back(n_pulses * output.n_values);
    for (std::vector<float>& of_output : values) pointers.push_back(of_output.data());

    const discrimen::Pulses pulses = discrimen::contiguous(samples.data(), n_pulses, n_channels, n_samples);
    std::vector<float> heights(n_pulses, std::nanf(""));  // thresholds may follow them
    discrimen::Results results = discrimen_results_to(pointers.data());
    if (n_channels == 1) results.height_adc = heights.data();
    const discrimen::Status status = model.run(pulses, workspace, results);
    if (status != DISCRIMEN_OK) throw std::runtime_error(discrimen_status_text(status));

    for (std::size_t pulse = 0; pulse < n_pulses; ++pulse) {
        std::printf("%zu", pulse);
        for (std::size_t i = 0; i < values.size(); ++i)
            print(model.outputs()[i], values[i].data() + pulse * model.outputs()[i].n_values, double(heights[pulse]));
        std::printf("\n");
    }
    std::printf("%zu pulses of %zu samples went through %s: %zu outputs each, with %s instructions\n", n_pulses,
                n_samples, argv[1], values.size(), model.instruction_set());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) {
        std::fprintf(stderr, "usage: %s MODEL.discrimen [RECORDS.raw LENGTH]\n", argv[0]);
        return 2;
    }
    try {
        run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
    return 0;
}
