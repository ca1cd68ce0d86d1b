// Makes what the tests of the examples read: a small network with random weights, and records of raw samples.
//
//   example_files FOLDER       writes model.discrimen, and records.raw with 100 pulses of 80 samples
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "frozen_writer.hpp"
#include "networks.hpp"

namespace {

template <class T>
bool write(const std::string& path, const std::vector<T>& values) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
    return file.good();
}

frozen::Content small_model(networks::Random& random) {
    frozen::Content content;
    content.preparation.polarity = -1;
    content.preparation.window_start = 0;
    content.preparation.window_length = 75;
    content.layers.push_back(networks::dense(random, 75, 10, frozen::tanh));
    content.layers.push_back(networks::dense(random, 10, 2, frozen::linear));
    content.layers.push_back(networks::dense(random, 10, 2, frozen::linear));
    content.layers.back().inputs = {1};
    frozen::Output particle, energy;
    particle.name = "particle", particle.kind = frozen::classes, particle.value = 2;
    particle.activation = frozen::softmax, particle.names = {"gamma", "neutron"};
    particle.thresholds = {{"default", 0.6, 1}};
    energy.name = "energy", energy.kind = frozen::quantity, energy.unit = "keV", energy.with_error = 1;
    energy.activation = frozen::softplus;
    content.outputs = {particle, energy};
    networks::complete(content, random);
    return content;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    const std::string folder = argv[1];
    networks::Random random(1);
    const frozen::Content content = small_model(random);
    std::vector<std::int16_t> samples;
    for (int pulse = 0; pulse < 100; ++pulse)
        for (const double sample : networks::pulse(content.preparation, 80, random))
            samples.push_back(static_cast<std::int16_t>(sample));
    if (!write(folder + "/model.discrimen", frozen::write(content))) return 1;
    return write(folder + "/records.raw", samples) ? 0 : 1;
}
