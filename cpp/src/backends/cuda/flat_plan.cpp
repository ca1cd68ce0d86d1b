#include "flat_plan.hpp"

#include <algorithm>
#include <cstring>

#include "discrimen/model.hpp"

namespace discrimen::cuda {
namespace {

constexpr std::size_t alignment = 64;

// Appends arrays to one piece of memory, each at a whole cache line, and remembers where those of weights went.
class Piece {
   public:
    template <class T>
    std::size_t add(const T* from, std::size_t count) {
        const std::size_t start = (bytes_.size() + alignment - 1) / alignment * alignment;
        bytes_.resize(start + count * sizeof(T));
        if (count > 0) std::memcpy(bytes_.data() + start, from, count * sizeof(T));  // a network of no layer has none
        return start;
    }

    template <class T>
    T* at(std::size_t start) {
        return reinterpret_cast<T*>(bytes_.data() + start);
    }

    std::vector<char> take() { return std::move(bytes_); }

   private:
    std::vector<char> bytes_;
};

// An offset in the place of an address.
template <class T>
const T* as_address(std::size_t start) {
    return reinterpret_cast<const T*>(std::uintptr_t(start));  // NOLINT(performance-no-int-to-ptr): never followed
}

const float* offset_as_address(const Planner& planner, const std::vector<std::size_t>& starts, const float* weights) {
    if (!weights) return nullptr;
    for (std::size_t i = 0; i < starts.size(); ++i)
        if (planner.arrays_of_weights()[i].data() == weights) return as_address<float>(starts[i]);
    throw Error("CUDA: an operation has weights that the plan does not hold");
}

// Floats of one pulse beside the values, for this folder's arithmetic: it needs fewer than the CPU's.
std::size_t scratch_of(const NetworkPlan& plan) {
    std::size_t most = 0;
    for (int i = 0; i < plan.n_operations; ++i) {
        const Operation& op = plan.operations[i];
        const bool recurrent = op.kind == Kind::lstm || op.kind == Kind::gru || op.kind == Kind::simple_rnn;
        if (recurrent) most = std::max(most, 4 * std::size_t(op.channels_out));  // states, memories, gates
        if (op.kind == Kind::neighbours) most = std::max<std::size_t>(most, 1);
    }
    return most;
}

}  // namespace

std::vector<char> flattened(const Network& network) {
    const NetworkPlan& plan = network.plan();
    const Planner& planner = network.planner();
    Piece piece;
    piece.add(&plan, 1);
    std::vector<std::size_t> starts;
    for (const AlignedFloats& array : planner.arrays_of_weights())
        starts.push_back(piece.add(array.data(), array.size()));
    const std::size_t channels = piece.add(plan.preparation.channels, std::size_t(plan.preparation.n_channels));
    const std::size_t outputs = piece.add(plan.outputs, std::size_t(plan.n_outputs));
    const std::size_t operations = piece.add(plan.operations, std::size_t(plan.n_operations));
    for (int i = 0; i < plan.n_operations; ++i) {
        Operation& op = piece.at<Operation>(operations)[i];
        op.weights = offset_as_address(planner, starts, op.weights);
        op.bias = offset_as_address(planner, starts, op.bias);
    }
    auto* whole = piece.at<NetworkPlan>(0);
    whole->scratch = scratch_of(plan);
    whole->preparation.channels = as_address<ChannelPlan>(channels);
    whole->outputs = as_address<OutputPlan>(outputs);
    whole->operations = as_address<Operation>(operations);
    return piece.take();
}

}  // namespace discrimen::cuda
