// From values in the workspace to the results of a caller: pulse after pulse, the outputs' activations applied.
#pragma once

#include "../plan.hpp"
#include "layers/activation.hpp"
#include "layers/moving.hpp"
#include "prepare_block.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// Where an output goes; null if it is not wanted.
static inline float* target_of(const Targets& targets, int output) {
    if (targets.only >= 0) return output == targets.only ? targets.alone : nullptr;
    return targets.outputs ? targets.outputs[output] : nullptr;
}

// The values of an output as they are promised, in their place or in the scratch. What is changed in place must not be
// read by an output after it: the plan knows which.
template <int width>
static inline float* finished(const NetworkPlan& plan, const OutputPlan& output, bool raw, float* memory) {
    float* values = memory + output.place * width;
    if (raw || output.activation == Activation::linear) return values;
    if (!output.in_place) {
        float* scratch = memory + plan.values * width;
        copy(values, std::size_t(output.n_values) * width, scratch);
        values = scratch;
    }
    activate_values<width>(output.activation, values, output.steps, output.channels);
    return values;
}

// Values number `first` and the lanes - 1 behind it: turned over, so that each pulse gets a whole vector of its own.
static inline void write_lanes(const float* values, const Prepared& prepared, int first, int n_values, int n_pulses,
                               float* to) {
    for (int half = 0; half * lanes < n_pulses; ++half) {
        Vector rows[lanes];
        for (int i = 0; i < lanes; ++i) {
            const Vector value = load(values + std::ptrdiff_t(first + i) * block + half * lanes);
            rows[i] = prepared.valid[half] ? value : broadcast(__builtin_nanf(""));
        }
        transpose(rows);
        const int count = n_pulses - half * lanes < lanes ? n_pulses - half * lanes : lanes;
        float* place = to + std::ptrdiff_t(half * lanes) * n_values + first;
        for (int pulse = 0; pulse < count; ++pulse) store(place + std::ptrdiff_t(pulse) * n_values, rows[pulse]);
    }
}

static inline void write_values(const float* values, const Prepared& prepared, int n_values, int n_pulses, float* to) {
    if (n_values >= lanes) {
        for (int first = 0; first + lanes <= n_values; first += lanes)
            write_lanes(values, prepared, first, n_values, n_pulses, to);
        // What is left, together with some that have been written.
        if (n_values % lanes) write_lanes(values, prepared, n_values - lanes, n_values, n_pulses, to);
        return;
    }
    for (int c = 0; c < n_values; ++c) {
        float column[block];
        for (int half = 0; half < 2; ++half) {
            const Vector value = load(values + std::ptrdiff_t(c) * block + half * lanes);
            store(column + half * lanes, prepared.valid[half] ? value : broadcast(__builtin_nanf("")));
        }
        for (int pulse = 0; pulse < n_pulses; ++pulse) to[std::ptrdiff_t(pulse) * n_values + c] = column[pulse];
    }
}

static inline void write_block(const NetworkPlan& plan, const Prepared& prepared, std::size_t first, int n_pulses,
                               float* memory, const Targets& targets) {
    for (int i = 0; i < plan.n_outputs; ++i) {
        const OutputPlan& output = plan.outputs[i];
        float* to = target_of(targets, i);
        if (!to) continue;
        const float* values = finished<block>(plan, output, targets.raw, memory);
        write_values(values, prepared, output.n_values, n_pulses, to + first * std::size_t(output.n_values));
    }
}

static inline void write_one(const NetworkPlan& plan, bool valid, std::size_t number, float* memory,
                             const Targets& targets) {
    for (int i = 0; i < plan.n_outputs; ++i) {
        const OutputPlan& output = plan.outputs[i];
        float* to = target_of(targets, i);
        if (!to) continue;
        const float* values = finished<1>(plan, output, targets.raw, memory);
        to += number * std::size_t(output.n_values);
        for (int c = 0; c < output.n_values; ++c) to[c] = valid ? values[c] : __builtin_nanf("");
    }
}

static inline void write_origin(const double* origin, int count, bool valid, double* to) {
    for (int i = 0; i < count; ++i) to[i] = valid ? origin[i] : __builtin_nan("");
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
