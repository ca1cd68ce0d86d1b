// Minimal use of the engine in C++: load a model, hand over a buffer of raw samples, print the scores.
//
//   minimal MODEL.discrimen                     a few made-up pulses
//   minimal MODEL.discrimen RECORDS.raw LENGTH  a binary file: int16 samples, LENGTH of them a pulse, nothing else
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

void print_scores(const discrimen::Model& model, const std::vector<float>& scores) {
    const std::size_t n_classes = model.n_classes();
    const std::size_t neutron = model.class_number("neutron");
    // Thresholds have names; this takes the first, where the model has one.
    const std::string name = model.n_thresholds() > 0 ? model.threshold_name(0) : "";
    const double threshold = name.empty() ? 0.5 : model.threshold(name);
    for (std::size_t pulse = 0; pulse < scores.size() / n_classes; ++pulse) {
        const float* of_pulse = scores.data() + pulse * n_classes;
        std::printf("%zu", pulse);
        for (std::size_t number = 0; number < n_classes; ++number)
            std::printf("  %s %.7f", model.class_name(number).c_str(), of_pulse[number]);
        if (std::isnan(of_pulse[0]))
            std::printf("  (no pulse)");
        else if (neutron < n_classes && of_pulse[neutron] >= threshold)
            std::printf("  neutron by threshold %s", name.empty() ? "0.5" : name.c_str());
        std::printf("\n");
    }
}

void run(int argc, char** argv) {
    const discrimen::Model model = discrimen::Model::load(argv[1]);
    discrimen::Workspace workspace(model);  // one for each thread

    const std::size_t n_samples = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : model.shortest_record() + 20;
    if (n_samples == 0) throw std::runtime_error("LENGTH must be a positive number of samples");
    const std::vector<std::int16_t> samples = argc == 4 ? read_samples(argv[2]) : make_samples(8, n_samples);
    if (samples.size() % n_samples != 0) throw std::runtime_error("the file holds no whole number of pulses");
    const std::size_t n_pulses = samples.size() / n_samples;

    std::vector<float> scores(n_pulses * model.n_classes());
    const discrimen::Pulses pulses = discrimen::contiguous(samples.data(), n_pulses, n_samples);
    const discrimen::Status status = model.classify(pulses, workspace, scores.data());
    if (status != DISCRIMEN_OK) throw std::runtime_error(discrimen_status_text(status));
    print_scores(model, scores);
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
