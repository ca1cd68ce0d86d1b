// LSTM, GRU and the simple recurrent layer: one phase a step, all gates of some units of a few pulses in registers.
#pragma once

#include "product.hpp"

namespace discrimen::cuda {

constexpr int units_of_item = 4, pulses_of_cell = 2;

// Gates of a few units of a few pulses. `columns` of the weights are added to as many gates, from gate number `first`;
// the last of them goes to gate `last`.
template <int gates>
struct Gates {
    float sum[gates][units_of_item][pulses_of_cell];

    DISCRIMEN_METHOD Gates(const float* bias, int unit_pitch) {
        DISCRIMEN_UNROLLED
        for (int g = 0; g < gates; ++g) {
            const Four start = four_at(bias + std::size_t(g) * unit_pitch);
            DISCRIMEN_UNROLLED
            for (int u = 0; u < units_of_item; ++u) DISCRIMEN_UNROLLED
            for (int i = 0; i < pulses_of_cell; ++i) sum[g][u][i] = start.value[u];
        }
    }

    template <int columns, int last>
    DISCRIMEN_METHOD void add(int count, const float* x, std::uint32_t width, const float* weights, int pitch,
                              int unit_pitch) {
        for (int row = 0; row < count; ++row, x += width, weights += pitch) {
            const float one = x[0], other = x[1];
            DISCRIMEN_UNROLLED
            for (int column = 0; column < columns; ++column) {
                const Four weight = four_at(weights + std::size_t(column) * unit_pitch);
                const int g = column + 1 == columns ? last : column;
                DISCRIMEN_UNROLLED
                for (int u = 0; u < units_of_item; ++u) {
                    sum[g][u][0] += weight.value[u] * one;
                    sum[g][u][1] += weight.value[u] * other;
                }
            }
        }
    }
};

static_assert(pulses_of_cell == 2 && narrowest_shift >= 1, "pulses of an item are told by a shift");

// What an item of a step computes, and where the states are. With sequences the rows of the output are the states.
struct Cell {
    std::uint32_t place, unit, width;
    int units;
    const float *input, *state;  // null: no step before
    float* to;

    DISCRIMEN_METHOD Cell(const Operation& op, const Arguments& a, std::uint32_t item, int step) {
        width = a.width;
        place = (item & (a.width / pulses_of_cell - 1)) * pulses_of_cell;
        unit = (item >> (a.shift - 1)) * units_of_item;
        units = op.channels_out;
        input = a.in[0] + std::size_t(step) * op.channels_in * width + place;
        state = step > 0 ? states(op, a, step - 1) + place : nullptr;
        to = states(op, a, step) + place;
    }

    DISCRIMEN_METHOD static float* states(const Operation& op, const Arguments& a, int step) {
        const std::size_t row = std::size_t(op.channels_out) * a.width;
        if (op.sequences) return a.out + std::size_t(step) * row;
        return step + 1 == op.steps_in ? a.out : a.scratch + std::size_t(step & 1) * row;
    }

    DISCRIMEN_METHOD std::size_t at(int u, int i) const {
        return std::size_t(unit + std::uint32_t(u)) * width + std::uint32_t(i);
    }
    DISCRIMEN_METHOD bool there(int u) const { return int(unit) + u < units; }
    DISCRIMEN_METHOD float before(int u, int i) const { return state ? state[at(u, i)] : 0.0f; }

    // Calls f(u, i) for the units that are there.
    template <class F>
    DISCRIMEN_METHOD void each(F f) const {
        DISCRIMEN_UNROLLED
        for (int u = 0; u < units_of_item; ++u)
            if (there(u)) {
                DISCRIMEN_UNROLLED
                for (int i = 0; i < pulses_of_cell; ++i) f(u, i);
            }
    }
};

DISCRIMEN_FUNCTION std::uint32_t cells_of(const Operation& op, const Arguments& a) {
    return ((std::uint32_t(op.channels_out) + units_of_item - 1) / units_of_item) << (a.shift - 1);
}

DISCRIMEN_FUNCTION float gate(const Operation& op, float x) { return op.hard_gates ? hard_sigmoid(x) : sigmoid(x); }

template <class Team>
DISCRIMEN_FUNCTION void lstm(const Team& team, const Operation& op, const Arguments& a) {
    const int unit_pitch = op.pitch / 4;
    float* const memories = a.scratch + 2 * std::size_t(op.channels_out) * a.width;
    for (int step = 0; step < op.steps_in; ++step)
        team.each(cells_of(op, a), [&](std::uint32_t item) {
            const Cell cell(op, a, item, step);
            Gates<4> gates(op.bias + cell.unit, unit_pitch);
            const float* weights = op.weights + cell.unit;
            gates.add<4, 3>(op.channels_in, cell.input, a.width, weights, op.pitch, unit_pitch);
            if (cell.state)
                gates.add<4, 3>(cell.units, cell.state, a.width, weights + std::size_t(op.channels_in) * op.pitch,
                                op.pitch, unit_pitch);
            float* memory = memories + cell.place;
            cell.each([&](int u, int i) {
                const float kept = cell.state ? gate(op, gates.sum[1][u][i]) * memory[cell.at(u, i)] : 0.0f;
                const float now = kept + gate(op, gates.sum[0][u][i]) * tanhf(gates.sum[2][u][i]);
                memory[cell.at(u, i)] = now;
                // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a recurrent layer has its scratch
                cell.to[cell.at(u, i)] = gate(op, gates.sum[3][u][i]) * tanhf(now);
            });
        });
}

// The reset is applied to the product with the state.
template <class Team>
DISCRIMEN_FUNCTION void gru_reset_after(const Team& team, const Operation& op, const Arguments& a) {
    const int unit_pitch = op.pitch / 3;
    for (int step = 0; step < op.steps_in; ++step)
        team.each(cells_of(op, a), [&](std::uint32_t item) {
            const Cell cell(op, a, item, step);
            Gates<4> gates(op.bias + cell.unit, unit_pitch);
            const float* weights = op.weights + cell.unit;
            gates.add<3, 2>(op.channels_in, cell.input, a.width, weights, op.pitch, unit_pitch);
            if (cell.state)
                gates.add<3, 3>(cell.units, cell.state, a.width, weights + std::size_t(op.channels_in) * op.pitch,
                                op.pitch, unit_pitch);
            cell.each([&](int u, int i) {
                const float update = gate(op, gates.sum[0][u][i]), reset = gate(op, gates.sum[1][u][i]);
                const float candidate = tanhf(gates.sum[2][u][i] + reset * gates.sum[3][u][i]);
                cell.to[cell.at(u, i)] = update * cell.before(u, i) + (1.0f - update) * candidate;
            });
        });
}

// The reset is applied to the state before the product: two phases a step.
template <class Team>
DISCRIMEN_FUNCTION void gru_reset_before(const Team& team, const Operation& op, const Arguments& a) {
    const int unit_pitch = op.pitch / 3;
    const std::size_t row = std::size_t(op.channels_out) * a.width;
    float *const updates = a.scratch + 2 * row, *const let_through = a.scratch + 3 * row;
    const float* const from_state = op.weights + std::size_t(op.channels_in) * op.pitch;
    for (int step = 0; step < op.steps_in; ++step) {
        team.each(cells_of(op, a), [&](std::uint32_t item) {
            const Cell cell(op, a, item, step);
            Gates<2> gates(op.bias + cell.unit, unit_pitch);
            gates.add<2, 1>(op.channels_in, cell.input, a.width, op.weights + cell.unit, op.pitch, unit_pitch);
            if (cell.state)
                gates.add<2, 1>(cell.units, cell.state, a.width, from_state + cell.unit, op.pitch, unit_pitch);
            cell.each([&](int u, int i) {
                updates[cell.at(u, i) + cell.place] = gate(op, gates.sum[0][u][i]);
                let_through[cell.at(u, i) + cell.place] = gate(op, gates.sum[1][u][i]) * cell.before(u, i);
            });
        });
        team.each(cells_of(op, a), [&](std::uint32_t item) {
            const Cell cell(op, a, item, step);
            Gates<1> candidate(op.bias + 2 * unit_pitch + cell.unit, unit_pitch);
            candidate.add<1, 0>(op.channels_in, cell.input, a.width, op.weights + 2 * unit_pitch + cell.unit, op.pitch,
                                unit_pitch);
            if (cell.state)
                candidate.add<1, 0>(cell.units, let_through + cell.place, a.width,
                                    from_state + 2 * unit_pitch + cell.unit, op.pitch, unit_pitch);
            cell.each([&](int u, int i) {
                const float update = updates[cell.at(u, i) + cell.place];
                // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a recurrent layer has its scratch
                cell.to[cell.at(u, i)] = update * cell.before(u, i) + (1.0f - update) * tanhf(candidate.sum[0][u][i]);
            });
        });
    }
}

template <class Team>
DISCRIMEN_FUNCTION void gru(const Team& team, const Operation& op, const Arguments& a) {
    if (op.reset_after)
        gru_reset_after(team, op, a);
    else
        gru_reset_before(team, op, a);
}

template <class Team>
DISCRIMEN_FUNCTION void simple_rnn(const Team& team, const Operation& op, const Arguments& a) {
    for (int step = 0; step < op.steps_in; ++step)
        team.each(cells_of(op, a), [&](std::uint32_t item) {
            const Cell cell(op, a, item, step);
            Gates<1> gates(op.bias + cell.unit, op.pitch);
            const float* weights = op.weights + cell.unit;
            gates.add<1, 0>(op.channels_in, cell.input, a.width, weights, op.pitch, op.pitch);
            if (cell.state)
                gates.add<1, 0>(cell.units, cell.state, a.width, weights + std::size_t(op.channels_in) * op.pitch,
                                op.pitch, op.pitch);
            cell.each([&](int u, int i) { cell.to[cell.at(u, i)] = activated(op.activation, gates.sum[0][u][i]); });
        });
}

}  // namespace discrimen::cuda
