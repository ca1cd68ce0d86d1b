// LSTM, GRU and the simple recurrent layer. `scratch` holds, for `width` pulses: the inputs of a step and the state
// behind each other, the gates, and the cell. Gates are padded to whole vectors of units, so that one runs over units
// of a single pulse too.
#pragma once

#include "../../plan.hpp"
#include "affine.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

template <Kind kind>
constexpr int gates_in = kind == Kind::lstm  ? 4
                         : kind == Kind::gru ? 3
                                             : 1;

// y = bias + x @ weights for one gate or several that lie one behind the other.
template <int width, Kind kind>
static inline void gates_of(const Operation& op, int n_inputs, int n_gates, const float* x, const float* weights,
                            const float* bias, float* gates) {
    const int units = op.channels_out, padded = op.pitch / gates_in<kind>;
    if constexpr (width == 1) {
        multiply_one(n_inputs, n_gates * padded, op.pitch, false, x, weights, bias, gates);
    } else {
        const bool in_one = units == padded;  // no gaps between the gates
        const Product product = {n_inputs, in_one ? n_gates * units : units, op.pitch, false, false, nullptr};
        for (int gate = 0; gate < (in_one ? 1 : n_gates); ++gate)
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

// Powers of e in gates stop at 2**40: products of three of them are still numbers, and the gates long saturated.
static inline Vector gate_power(Vector x, float factor) { return power_of_2<40>(x * (factor * log2_e)); }

// One step of `lanes` cells, with the gates as they come from the products. With F = e**-forget, I = e**-entry and
// G = e**(2 candidate), sigmoid(forget) * cell + sigmoid(entry) * tanh(candidate) is one quotient; so is the state.
static inline Vector lstm_cell(Vector entry, Vector forget, Vector candidate, Vector output, float* cell) {
    const Vector power = gate_power(candidate, 2.0f);
    const Vector below_forget = 1.0f + gate_power(forget, -1.0f);
    const Vector below_entry = (1.0f + gate_power(entry, -1.0f)) * (1.0f + power);
    const Vector memory = ratio(load(cell) * below_entry + (power - 1.0f) * below_forget, below_forget * below_entry);
    store(cell, memory);
    const Vector grown = gate_power(memory, 2.0f);
    return ratio(grown - 1.0f, (1.0f + gate_power(output, -1.0f)) * (1.0f + grown));
}

// The same for a GRU: with U = e**-update and C = e**(2 candidate), update * state + (1 - update) * tanh(candidate).
static inline Vector gru_cell(Vector update, Vector reset, Vector candidate, Vector from_state, Vector state) {
    const Vector opened = reciprocal(1.0f + gate_power(reset, -1.0f));
    const Vector power = gate_power(candidate + opened * from_state, 2.0f), closed = gate_power(update, -1.0f);
    return ratio(state * (power + 1.0f) + closed * (power - 1.0f), (1.0f + closed) * (1.0f + power));
}

// The same with gates of straight lines.
static inline Vector hard_lstm_cell(Vector entry, Vector forget, Vector candidate, Vector output, float* cell) {
    const Vector memory = hard_sigmoid(forget) * load(cell) + hard_sigmoid(entry) * tangent(candidate);
    store(cell, memory);
    return hard_sigmoid(output) * tangent(memory);
}

static inline Vector hard_gru_cell(Vector update, Vector reset, Vector candidate, Vector from_state, Vector state) {
    const Vector opened = hard_sigmoid(update);
    return opened * state + (1.0f - opened) * tangent(candidate + hard_sigmoid(reset) * from_state);
}

// The parts of the scratch.
struct Cells {
    float *input, *state, *gates, *cell;
};

template <int width>
static inline Cells cells_of(const Operation& op, int padded, int n_gates, float* scratch) {
    float* state = scratch + op.channels_in * width;
    float* gates = state + padded * width;
    return {scratch, state, gates, gates + n_gates * padded * width};
}

template <int width>
static inline void lstm(const Operation& op, const Arguments& arguments) {
    const int units = op.channels_out, padded = op.pitch / 4, gate = padded * width;
    const Cells cells = cells_of<width>(op, padded, 4, arguments.scratch);
    begin<width>(op, cells.input, cells.state, cells.cell);
    for (int step = 0; step < op.steps_in; ++step) {
        enter<width>(op, arguments.in[0], step, cells.input);
        gates_of<width, Kind::lstm>(op, op.channels_in + units, 4, cells.input, op.weights, op.bias, cells.gates);
        for (int i = 0; i < units * width; i += lanes) {
            const float* at = cells.gates + i;
            const Vector entry = load(at), forget = load(at + gate), candidate = load(at + 2 * gate);
            const Vector output = load(at + 3 * gate);
            store(cells.state + i, op.hard_gates ? hard_lstm_cell(entry, forget, candidate, output, cells.cell + i)
                                                 : lstm_cell(entry, forget, candidate, output, cells.cell + i));
        }
        leave<width>(op, cells.state, step, arguments.out);
    }
}

// The state as the reset lets it through, and its product: for a reset that comes before the product. Adds to the gate
// of the candidate, and leaves nothing of the state for the cell to add.
template <int width>
static inline void reset_first(const Operation& op, const Cells& cells, const float* from_state) {
    const int units = op.channels_out, padded = op.pitch / 3, gate = padded * width;
    for (int i = 0; i < units * width; i += lanes) {
        const Vector reset = load(cells.gates + gate + i);
        store(cells.cell + i, (op.hard_gates ? hard_sigmoid(reset) : sigmoid(reset)) * load(cells.state + i));
    }
    gates_of<width, Kind::gru>(op, units, 1, cells.cell, from_state, op.bias + 3 * padded, cells.gates + 3 * gate);
    for (int i = 0; i < units * width; i += lanes) {
        store(cells.gates + 2 * gate + i, load(cells.gates + 2 * gate + i) + load(cells.gates + 3 * gate + i));
        store(cells.gates + 3 * gate + i, Vector{});
    }
}

template <int width>
static inline void gru(const Operation& op, const Arguments& arguments) {
    const int units = op.channels_out, padded = op.pitch / 3, gate = padded * width;
    const float* from_state = op.weights + std::size_t(op.channels_in) * op.pitch + 2 * padded;
    const Cells cells = cells_of<width>(op, padded, 4, arguments.scratch);
    begin<width>(op, cells.input, cells.state, cells.cell);
    for (int step = 0; step < op.steps_in; ++step) {
        enter<width>(op, arguments.in[0], step, cells.input);
        gates_of<width, Kind::gru>(op, op.channels_in + units, 2, cells.input, op.weights, op.bias, cells.gates);
        gates_of<width, Kind::gru>(op, op.channels_in, 1, cells.input, op.weights + 2 * padded, op.bias + 2 * padded,
                                   cells.gates + 2 * gate);
        if (op.reset_after)
            gates_of<width, Kind::gru>(op, units, 1, cells.state, from_state, op.bias + 3 * padded,
                                       cells.gates + 3 * gate);
        else
            reset_first<width>(op, cells, from_state);
        for (int i = 0; i < units * width; i += lanes) {
            const float* at = cells.gates + i;
            const Vector update = load(at), reset = load(at + gate), candidate = load(at + 2 * gate);
            const Vector product = load(at + 3 * gate), state = load(cells.state + i);
            store(cells.state + i, op.hard_gates ? hard_gru_cell(update, reset, candidate, product, state)
                                                 : gru_cell(update, reset, candidate, product, state));
        }
        leave<width>(op, cells.state, step, arguments.out);
    }
}

template <int width>
static inline void simple_rnn(const Operation& op, const Arguments& arguments) {
    const int units = op.channels_out;
    const Cells cells = cells_of<width>(op, op.pitch, 1, arguments.scratch);
    begin<width>(op, cells.input, cells.state, cells.cell);
    for (int step = 0; step < op.steps_in; ++step) {
        enter<width>(op, arguments.in[0], step, cells.input);
        gates_of<width, Kind::simple_rnn>(op, op.channels_in + units, 1, cells.input, op.weights, op.bias, cells.gates);
        activate_values<width>(op.activation, cells.gates, 1, units);
        for (int i = 0; i < units * width; i += lanes) store(cells.state + i, load(cells.gates + i));
        leave<width>(op, cells.state, step, arguments.out);
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
