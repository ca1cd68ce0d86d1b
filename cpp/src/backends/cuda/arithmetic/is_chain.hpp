// Whether chain.hpp computes a network.
#pragma once

#include "tile.hpp"

namespace discrimen::cuda {

constexpr int most_units = 16, pulses_of_chain = 2, most_layers = 8;
constexpr std::uint32_t chain_shift = 8;  // pulses of a tile, as the logarithm

// Activations that leave no trace of a call in the registers.
DISCRIMEN_ON_BOTH bool is_simple(Activation activation) {
    return activation == Activation::linear || activation == Activation::relu || activation == Activation::tanh ||
           activation == Activation::sigmoid;
}

DISCRIMEN_ON_BOTH bool is_link(const Operation& op) {
    return op.kind == Kind::affine && op.steps_in == 1 && op.steps_out == 1 && op.length == 1 &&
           op.channels_out <= most_units && op.pitch == most_units && is_simple(op.activation);
}

// Whether a plan is such a chain, with one output at its end.
DISCRIMEN_ON_BOTH bool is_chain(const NetworkPlan& plan) {
    const PreparationPlan& p = plan.preparation;
    if (p.aligned || p.masked || p.n_channels != 1 || !plan.first_can_scale || plan.n_outputs != 1) return false;
    if (plan.n_operations > most_layers || plan.operations[0].in[0] != plan.input) return false;
    for (int i = 0; i < plan.n_operations; ++i) {
        const Operation& op = plan.operations[i];
        if (!is_link(op) || (i > 0 && op.in[0] != plan.operations[i - 1].out)) return false;
    }
    const Activation end = plan.outputs[0].activation;
    if (!is_simple(end) && end != Activation::softmax) return false;
    const Operation& last = plan.operations[plan.n_operations - 1];
    return plan.operations[0].channels_in == p.window_length && plan.outputs[0].place == last.out &&
           plan.outputs[0].steps == 1;
}

}  // namespace discrimen::cuda
