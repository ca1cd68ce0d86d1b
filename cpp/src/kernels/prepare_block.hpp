// Preparation of a block of pulses: raw samples pulse by pulse to prepared values with the pulse innermost.
#pragma once

#include "../plan.hpp"
#include "prepare_one.hpp"
#include "vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// What the preparation says of each pulse of a block.
struct Prepared {
    Vector factor[2];  // one over the divisor, not yet applied to the values; 1 where there is none left to apply
    IntVector valid[2];
};

// Writes columns [column, column + 2 lanes) of 16-bit samples of `lanes` pulses as rows of floats; those of
// [start, stop) only, the first of them to `rows`.
template <bool is_signed>
static inline void turn_samples(const char* const* pulses, std::ptrdiff_t column, std::uint32_t mask, std::ptrdiff_t start,
                                std::ptrdiff_t stop, float* rows) {
    BitVector pairs[lanes];
    for (int pulse = 0; pulse < lanes; ++pulse) pairs[pulse] = load_bits(pulses[pulse] + 2 * column) & mask;
    transpose(pairs);
    float* row = rows + (column - start) * block;
    const bool all = column >= start && column + 2 * lanes <= stop;
    for (int pair = 0; pair < lanes; ++pair, row += 2 * block) {
        const std::ptrdiff_t at = column + 2 * pair;
        IntVector low, high;
        if constexpr (is_signed) {
            low = (IntVector)(pairs[pair] << 16) >> 16;
            high = (IntVector)pairs[pair] >> 16;
        } else {
            low = (IntVector)(pairs[pair] & 0xffffu);
            high = (IntVector)(pairs[pair] >> 16);
        }
        if (all || (at >= start && at < stop)) store(row, to_float(low));
        if (all || (at + 1 >= start && at + 1 < stop)) store(row + block, to_float(high));
    }
}

// Samples [start, stop) of a block of pulses as rows of floats; a record holds 2 lanes samples or more.
static inline void turn_range(const SampleView& view, const char* const* pulses, int start, int stop, float* rows) {
    const std::uint32_t mask = (view.mask & 0xffffu) * 0x10001u;
    const std::ptrdiff_t last = std::ptrdiff_t(view.n_samples) - 2 * lanes;
    for (std::ptrdiff_t column = start; column < stop; column += 2 * lanes) {
        const std::ptrdiff_t from = column < last ? column : last;
        for (int half = 0; half < 2; ++half)
            if (view.type == 0)
                turn_samples<true>(pulses + half * lanes, from, mask, start, stop, rows + half * lanes);
            else
                turn_samples<false>(pulses + half * lanes, from, mask, start, stop, rows + half * lanes);
    }
}

static inline bool can_turn(const PreparationPlan& plan, const SampleView& view) {
    return !plan.aligned && view.type <= 1 && view.sample_stride == 2 && view.n_samples >= 2 * lanes;
}

// The usual case: 16-bit samples and a window that stands still.
static inline Prepared turn_and_prepare(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                        float* values, float* scratch) {
    const int n_baseline = plan.baseline_stop - plan.baseline_start;
    const int window_stop = plan.window_start + plan.window_length;
    const float* before = values + (plan.baseline_start - plan.window_start) * block;
    turn_range(view, pulses, plan.window_start, window_stop, values);
    if (plan.baseline_start < plan.window_start || plan.baseline_stop > window_stop) {
        turn_range(view, pulses, plan.baseline_start, plan.baseline_stop, scratch);
        before = scratch;
    }
    Vector baseline[2] = {}, peak[2], sum[2] = {};
    // Sums of 16-bit integers are exact in float up to 256 of them.
    for (int i = 0; i < n_baseline; ++i)
        for (int half = 0; half < 2; ++half) baseline[half] += load(before + i * block + half * lanes);
    for (int half = 0; half < 2; ++half) {
        baseline[half] = baseline[half] / float(n_baseline);
        peak[half] = broadcast(-1.0f);
    }
    for (int i = 0; i < plan.window_length; ++i)
        for (int half = 0; half < 2; ++half) {
            float* at = values + i * block + half * lanes;
            const Vector value = plan.polarity * (load(at) - baseline[half]);
            peak[half] = larger(peak[half], value);
            if (plan.scale == Scale::area) sum[half] += value;
            store(at, value);
        }
    Prepared prepared;
    for (int half = 0; half < 2; ++half) {
        const Vector divisor = plan.scale == Scale::peak   ? peak[half]
                               : plan.scale == Scale::area ? sum[half]
                                                           : broadcast(1.0f);
        prepared.valid[half] = (peak[half] > 0.0f) & (divisor > 0.0f);
        prepared.factor[half] = prepared.valid[half] ? 1.0f / divisor : broadcast(0.0f);
    }
    return prepared;
}

// Every other case: each pulse by itself, then turned over.
static inline Prepared prepare_and_turn(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                        float* values, float* scratch) {
    const int pitch = (plan.window_length + lanes - 1) / lanes * lanes;
    Prepared prepared;
    for (int pulse = 0; pulse < block; ++pulse)
        prepared.valid[pulse / lanes][pulse % lanes] =
            -std::int32_t(prepare_one(plan, view, pulses[pulse], scratch + pulse * pitch));
    for (int half = 0; half < 2; ++half) {
        prepared.factor[half] = broadcast(1.0f);
        for (int column = 0; column < pitch; column += lanes) {
            Vector rows[lanes];
            for (int pulse = 0; pulse < lanes; ++pulse)
                rows[pulse] = load(scratch + (half * lanes + pulse) * pitch + column);
            transpose(rows);
            for (int i = 0; i < lanes; ++i) store(values + (column + i) * block + half * lanes, rows[i]);
        }
    }
    return prepared;
}

static inline Prepared prepare_block(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                     float* values, float* scratch) {
    return can_turn(plan, view) ? turn_and_prepare(plan, view, pulses, values, scratch)
                                : prepare_and_turn(plan, view, pulses, values, scratch);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
