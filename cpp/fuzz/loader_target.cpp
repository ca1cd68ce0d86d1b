#include "loader_target.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "discrimen/model.hpp"

namespace loader_target {
namespace {

constexpr std::size_t most_samples = 4096, n_pulses = 5;
constexpr double tolerance = 1e-3;  // between instruction sets, of the largest value of an output
constexpr float largest = 1e6f;     // outputs beyond it may be as far apart as rounding takes them

[[noreturn]] void give_up(const std::string& reason) {
    std::cerr << reason << "\n";
    std::abort();
}

using Outputs = std::vector<std::vector<float>>;

// Records as short as the model allows, of samples that rise.
class Records {
   public:
    explicit Records(const discrimen::Model& model)
        : n_samples_(model.shortest_record()),
          n_channels_(model.n_channels()),
          samples_(n_pulses * n_channels_ * n_samples_) {
        for (std::size_t i = 0; i < samples_.size(); ++i)
            samples_[i] = std::int32_t(i % n_samples_ * 7 % 1000 + i / n_samples_ % 3);
    }

    discrimen::Pulses pulses(discrimen_sample_type type, std::size_t count) const {
        discrimen::Pulses pulses = discrimen::contiguous(samples_.data(), count, n_channels_, n_samples_);
        pulses.type = type;
        return pulses;
    }

   private:
    std::size_t n_samples_, n_channels_;
    std::vector<std::int32_t> samples_;
};

Outputs run(const discrimen::Model& model, const discrimen::Pulses& pulses, discrimen::Workspace& workspace) {
    Outputs outputs;
    std::vector<float*> pointers;
    for (const discrimen::Output& output : model.outputs()) outputs.emplace_back(pulses.n_pulses * output.n_values);
    for (std::vector<float>& output : outputs) pointers.push_back(output.data());
    std::vector<double> restoration(pulses.n_pulses * (2 + model.n_channels()));
    discrimen::Results results = discrimen_results_to(pointers.data());
    results.restoration = restoration.data();
    const discrimen::Status status = model.run(pulses, workspace, results);
    if (status != DISCRIMEN_OK) give_up(discrimen_status_text(status));
    return outputs;
}

// The same outputs whatever the instructions; numbers that grew beyond any use are left out.
void compare(const Outputs& one, const Outputs& other, const char* name) {
    for (std::size_t o = 0; o < one.size(); ++o) {
        float size = 1;
        bool usable = true;
        for (const float value : one[o]) {
            usable = usable && std::abs(value) < largest;
            size = std::max(size, std::abs(value));
        }
        if (!usable) continue;
        for (std::size_t i = 0; i < one[o].size(); ++i)
            if (!(std::abs(one[o][i] - other[o][i]) <= tolerance * double(size)))
                give_up(std::string(name) + " gives " + std::to_string(other[o][i]) +
                        " where another set of instructions gives " + std::to_string(one[o][i]));
    }
}

// Every type of sample as far as nothing may crash; whole numbers of 32 bit by every instruction set alike.
void run_all(const discrimen::Model& model, const frozen::Bytes& bytes) {
    if (model.shortest_record() * model.n_channels() > most_samples) return;
    const Records records(model);
    discrimen::Workspace workspace(model);
    for (int type = DISCRIMEN_INT16; type <= DISCRIMEN_FLOAT32; ++type)
        for (const std::size_t count : {n_pulses, std::size_t(1)})
            run(model, records.pulses(discrimen_sample_type(type), count), workspace);
    const Outputs wanted = run(model, records.pulses(DISCRIMEN_INT32, n_pulses), workspace);
    for (const char* name : {"baseline", "avx2"}) {
        if (std::string(model.instruction_set()) == name) continue;
        try {
            const discrimen::Model other = discrimen::Model::from_memory(bytes.data(), bytes.size(), {name, "cpu"});
            discrimen::Workspace of_other(other);
            compare(wanted, run(other, records.pulses(DISCRIMEN_INT32, n_pulses), of_other), name);
        } catch (const discrimen::Error&) {  // NOLINT(bugprone-empty-catch)
            // Not on this machine, or just off its golden vectors.
        }
    }
}

}  // namespace

std::string load_and_run(const frozen::Bytes& bytes) {
    // Memory of exactly this size, so that a sanitizer sees a read beyond it.
    const frozen::Bytes own(bytes);
    try {
        const discrimen::Model model = discrimen::Model::from_memory(own.data(), own.size());
        run_all(model, own);
        return "";
    } catch (const discrimen::Error& error) {
        return error.what();
    } catch (const std::exception& error) {
        give_up(std::string("not an error of the engine: ") + error.what());
    }
}

}  // namespace loader_target
