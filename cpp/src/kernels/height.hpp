// How high pulses of one channel rise above their baseline, in ADC counts.
#pragma once

#include "../plan.hpp"
#include "prepare_block.hpp"
#include "prepare_one.hpp"
#include "vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// Of `length` values that lie `block` floats apart, in each lane.
static inline Vector highest_value(const float* values, int length) {
    Vector highest = load(values);
    for (int row = 1; row < length; ++row) highest = larger(highest, load(values + std::ptrdiff_t(row) * block));
    return highest;
}

// One pulse with its values one behind the other.
static inline float height_of(const PreparationPlan& plan, const Pulse& pulse, const float* values) {
    return float(pulse.origin[1]) * peak_of(values, plan.window_length);
}

static inline void write_heights(const PreparationPlan& plan, const Prepared& prepared, const float* values,
                                 int n_pulses, float* to) {
    float heights[block];
    for (int half = 0; half < 2; ++half) {
        // Of values that are finished the height is that of a value of 1.
        const Vector unit = prepared.height[half];
        const Vector height =
            prepared.finished ? unit * highest_value(values + half * lanes, plan.window_length) : unit;
        store(heights + half * lanes, prepared.valid[half] ? height : broadcast(__builtin_nanf("")));
    }
    __builtin_memcpy(to, heights, std::size_t(n_pulses) * sizeof *to);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
