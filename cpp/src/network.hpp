// From a frozen file to a plan for the kernels: shapes checked, weights laid out, buffers allotted.
#pragma once

#include <cstddef>
#include <vector>

#include "frozen_file.hpp"
#include "layers/planner.hpp"
#include "plan.hpp"

namespace discrimen {

// A plan and the memory that it points into.
class Network {
   public:
    // Throws Error if a layer is unknown or does not fit its inputs, or an output does not fit its value.
    explicit Network(const FrozenFile& file);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    const NetworkPlan& plan() const { return plan_; }
    const Planner& planner() const { return planner_; }
    std::size_t workspace_floats(int block) const;

   private:
    void plan_preparation(const FrozenFile& file);
    void plan_outputs(const FrozenFile& file);

    Planner planner_;
    std::vector<ChannelPlan> channels_;
    std::vector<OutputPlan> outputs_;
    NetworkPlan plan_ = {};
};

}  // namespace discrimen
