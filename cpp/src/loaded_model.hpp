// What a Model shares: made once, checked against its golden vectors, never changed after.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/cuda/cuda.hpp"
#include "decision_table.hpp"
#include "discrimen/model.hpp"
#include "frozen_file.hpp"
#include "network.hpp"
#include "plan.hpp"

namespace discrimen {

struct LoadedModel {
    LoadedModel(FrozenFile&& file, const Kernels& kernels, const LoadOptions& options);

    Network network;
    const Kernels& kernels;
    std::unique_ptr<const cuda::Gpu> gpu;  // null: the CPU computes
    std::vector<std::string> channel_names;
    std::vector<Output> outputs;
    std::size_t classes;                             // number of the first output of classes; outputs.size(): none
    std::vector<std::vector<DecisionTable>> tables;  // of each threshold of each output
    std::string description;
    double sample_period_ns;
};

// Memory for one thread, aligned for vectors, or what a GPU has for it; null if there is none.
void* new_workspace(const LoadedModel& model) noexcept;
void free_workspace(const LoadedModel& model, void* memory) noexcept;
std::size_t workspace_bytes(const LoadedModel& model) noexcept;

// Checks what a caller asks for and runs it. Allocate nothing and do not throw.
Status run(const LoadedModel& model, const Pulses& pulses, void* workspace, const Results& results) noexcept;
Status classify(const LoadedModel& model, const Pulses& pulses, void* workspace, float* scores) noexcept;
// All outputs before their activations.
Status run_raw(const LoadedModel& model, const Pulses& pulses, void* workspace, float* const* outputs) noexcept;

}  // namespace discrimen
