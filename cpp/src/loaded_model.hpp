// What a Model shares: made once, checked against its golden vectors, never changed after.
#pragma once

#include <string>
#include <vector>

#include "discrimen/discrimen.h"
#include "frozen_file.hpp"
#include "network.hpp"
#include "plan.hpp"

namespace discrimen {

struct LoadedModel {
    LoadedModel(FrozenFile&& file, const Kernels& kernels);

    Network network;
    const Kernels& kernels;
    std::vector<std::string> classes;
    std::vector<FrozenThreshold> thresholds;
    std::string description;
    double sample_period_ns;
};

// Memory for one thread, in floats and aligned for vectors; null if there is none.
float* new_workspace(const LoadedModel& model) noexcept;
void free_workspace(float* memory) noexcept;
std::size_t workspace_bytes(const LoadedModel& model) noexcept;

// Allocates nothing and does not throw.
discrimen_status classify(const LoadedModel& model, const discrimen_pulses& pulses, float* workspace,
                          float* scores) noexcept;

}  // namespace discrimen
