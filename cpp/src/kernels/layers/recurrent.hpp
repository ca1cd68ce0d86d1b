// LSTM and GRU. `scratch` holds, for `width` pulses: the inputs of a step and the state behind each other, the gates,
// and the cell. Gates are padded to whole vectors of units, so that one runs over units of a single pulse too.
#pragma once

#include "../../plan.hpp"
#include "affine.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// y = bias + x @ weights for one gate or several that lie one behind the other.
template <int width>
static inline void gates_of(const Operation& op, int n_inputs, int n_gates, const float* x, const float* weights,
                            const float* bias, float* gates) {
    const int units = op.channels_out, padded = op.pitch / (op.kind == Kind::lstm ? 4 : 3);
    if constexpr (width == 1) {
        multiply_one(n_inputs, n_gates * padded, op.pitch, false, x, weights, bias, gates);
    } else {
        const Product product = {n_inputs, units, op.pitch, false, false, nullptr};
        for (int gate = 0; gate < n_gates; ++gate)
            multiply_block(product, x, weights + gate * padded, bias + gate * padded, gates + gate * padded * width);
    }
}

template <int width>
static inline void begin(const Operation& op, float* input, float* state, float* cell) {
    for (int i = 0; i < op.channels_in * width; i += lanes) store(input + i, Vector{});
    for (int i = 0; i < op.channels_out * width; i += lanes) {
        store(state + i, Vector{});
        store(cell + i, Vector{});
    }
}

// The row of step `step` goes in front of the state. A row of one pulse may end within a vector: copied by the float.
template <int width>
static inline void enter(const Operation& op, const float* x, int step, float* input) {
    const float* row = x + std::size_t(step) * op.channels_in * width;
    for (int i = 0; i < op.channels_in * width; ++i) input[i] = row[i];
}

template <int width>
static inline void leave(const Operation& op, const float* state, int step, float* y) {
    if (!op.sequences && step + 1 < op.steps_in) return;
    float* row = y + (op.sequences ? std::size_t(step) * op.channels_out * width : 0);
    for (int i = 0; i < op.channels_out * width; ++i) row[i] = state[i];
}

template <int width>
static inline void lstm(const Operation& op, const float* x, float* y, float* scratch) {
    const int units = op.channels_out, padded = op.pitch / 4, gate = padded * width;
    float* input = scratch;
    float* state = input + op.channels_in * width;
    float* gates = state + padded * width;
    float* cell = gates + 4 * gate;
    begin<width>(op, input, state, cell);
    for (int step = 0; step < op.steps_in; ++step) {
        enter<width>(op, x, step, input);
        gates_of<width>(op, op.channels_in + units, 4, input, op.weights, op.bias, gates);
        for (int i = 0; i < units * width; i += lanes) {
            const Vector entry = sigmoid(load(gates + i)), forget = sigmoid(load(gates + gate + i));
            const Vector candidate = tangent(load(gates + 2 * gate + i)), output = sigmoid(load(gates + 3 * gate + i));
            const Vector memory = forget * load(cell + i) + entry * candidate;
            store(cell + i, memory);
            store(state + i, output * tangent(memory));
        }
        leave<width>(op, state, step, y);
    }
}

template <int width>
static inline void gru(const Operation& op, const float* x, float* y, float* scratch) {
    const int units = op.channels_out, padded = op.pitch / 3, gate = padded * width;
    const float* from_state = op.weights + std::size_t(op.channels_in) * op.pitch + 2 * padded;
    float* input = scratch;
    float* state = input + op.channels_in * width;
    float* gates = state + padded * width;
    begin<width>(op, input, state, gates);
    for (int step = 0; step < op.steps_in; ++step) {
        enter<width>(op, x, step, input);
        gates_of<width>(op, op.channels_in + units, 2, input, op.weights, op.bias, gates);
        gates_of<width>(op, op.channels_in, 1, input, op.weights + 2 * padded, op.bias + 2 * padded, gates + 2 * gate);
        gates_of<width>(op, units, 1, state, from_state, op.bias + 3 * padded, gates + 3 * gate);
        for (int i = 0; i < units * width; i += lanes) {
            const Vector update = sigmoid(load(gates + i)), reset = sigmoid(load(gates + gate + i));
            const Vector candidate = tangent(load(gates + 2 * gate + i) + reset * load(gates + 3 * gate + i));
            const Vector before = load(state + i);
            store(state + i, candidate + update * (before - candidate));
        }
        leave<width>(op, state, step, y);
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
