#include "loader_target.hpp"

#include <cstdlib>
#include <iostream>
#include <new>

#include "discrimen/model.hpp"

namespace loader_target {
namespace {

constexpr std::size_t most_samples = 4096, n_pulses = 5;

[[noreturn]] void give_up(const std::string& reason) {
    std::cerr << reason << "\n";
    std::abort();
}

// Records as short as the model allows, of samples that rise.
void classify(const discrimen::Model& model) {
    const std::size_t n_samples = model.shortest_record();
    if (n_samples > most_samples) return;
    std::vector<std::int32_t> samples(n_pulses * n_samples);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = std::int32_t(i % n_samples * 7 % 1000);
    std::vector<float> scores(n_pulses * model.n_classes());
    discrimen::Workspace workspace(model);
    for (int type = DISCRIMEN_INT16; type <= DISCRIMEN_FLOAT32; ++type)
        for (const std::size_t count : {n_pulses, std::size_t(1)}) {
            discrimen::Pulses pulses = discrimen::contiguous(samples.data(), count, n_samples);
            pulses.type = discrimen_sample_type(type);
            const discrimen::Status status = model.classify(pulses, workspace, scores.data());
            if (status != DISCRIMEN_OK) give_up(discrimen_status_text(status));
        }
}

}  // namespace

std::string load_and_classify(const frozen::Bytes& bytes) {
    // Memory of exactly this size, so that a sanitizer sees a read beyond it.
    const frozen::Bytes own(bytes);
    try {
        const discrimen::Model model = discrimen::Model::from_memory(own.data(), own.size());
        classify(model);
        return "";
    } catch (const discrimen::Error& error) {
        return error.what();
    } catch (const std::exception& error) {
        give_up(std::string("not an error of the engine: ") + error.what());
    }
}

}  // namespace loader_target
