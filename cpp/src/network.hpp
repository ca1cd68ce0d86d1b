// From the layers of a frozen file to a plan for the kernels: shapes checked, weights laid out.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "frozen_file.hpp"
#include "plan.hpp"

namespace discrimen {

// Zeros at first; begins with a cache line, so that no vector of a row of weights straddles two.
class AlignedFloats {
   public:
    explicit AlignedFloats(std::size_t count);
    float* data() const { return memory_.get(); }

   private:
    struct Free {
        void operator()(float* memory) const { std::free(memory); }
    };
    std::unique_ptr<float, Free> memory_;
};

// A plan and the memory that it points into.
class Network {
   public:
    // Throws Error if a layer is unknown or does not fit the one before.
    explicit Network(const FrozenFile& file);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    const NetworkPlan& plan() const { return plan_; }
    std::size_t workspace_floats(int block) const;

   private:
    void add_layer(const FrozenFile& file, const FrozenLayer& layer);
    void add_affine(const FrozenFile& file, const FrozenLayer& layer);
    void add_transposed(const FrozenFile& file, const FrozenLayer& layer);
    void add_pool(const FrozenLayer& layer);
    void add_recurrent(const FrozenFile& file, const FrozenLayer& layer);
    void add_reshape(const FrozenLayer& layer);
    void add_up_sampling(const FrozenLayer& layer);
    void add_kept(const FrozenLayer& layer);
    Operation& push(Kind kind, std::size_t steps_out, std::size_t channels_out);
    void finish(std::size_t n_classes);

    std::size_t steps_ = 1, channels_ = 0;
    bool has_steps_ = false;
    std::size_t most_values_ = 0;
    std::vector<std::pair<std::size_t, std::size_t>> kept_shapes_;  // steps and channels; (0, 0): nothing
    std::vector<Operation> operations_;
    std::vector<AlignedFloats> weights_;
    NetworkPlan plan_ = {};
};

}  // namespace discrimen
