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

constexpr int columns = lanes;       // samples of each pulse that are turned over at once
constexpr int n_pairs = columns / 2;  // they move in pairs, as 32 bits

// 16-bit samples of `lanes` pulses, turned over: lane p of pair i holds samples 2 i and 2 i + 1 of pulse p.
struct Pairs {
    BitVector pairs[n_pairs];
};

static inline Pairs turned_pairs(const char* const* pulses, std::ptrdiff_t column, std::uint32_t mask) {
    Pairs turned;
#pragma GCC unroll 8
    for (int pulse = 0; pulse < n_pairs; ++pulse)
        turned.pairs[pulse] =
            load_halves(pulses[pulse] + 2 * column, pulses[pulse + n_pairs] + 2 * column) & mask;
    transpose(turned.pairs);
    return turned;
}

// The samples of a pair as 32-bit integers, signed or not.
template <bool is_signed>
static inline IntVector first_of(BitVector pairs) {
    if constexpr (!is_signed) return (IntVector)(pairs & 0xffffu);
#if defined(__AVX512F__)
    return (IntVector)_mm512_madd_epi16((__m512i)pairs, _mm512_set1_epi32(1));
#elif defined(__AVX2__)
    return (IntVector)_mm256_madd_epi16((__m256i)pairs, _mm256_set1_epi32(1));
#else
    return (IntVector)(pairs << 16) >> 16;
#endif
}

template <bool is_signed>
static inline IntVector second_of(BitVector pairs) {
    return is_signed ? (IntVector)pairs >> 16 : (IntVector)(pairs >> 16);
}

// The larger samples of two vectors of pairs.
template <bool is_signed>
static inline BitVector larger_samples(BitVector one, BitVector other) {
    using Short = std::conditional_t<is_signed, ShortVector, UnsignedShortVector>;
    const Short a = (Short)one, b = (Short)other;
    return (BitVector)(a > b ? a : b);
}

template <bool is_signed>
static inline BitVector smaller_samples(BitVector one, BitVector other) {
    using Short = std::conditional_t<is_signed, ShortVector, UnsignedShortVector>;
    const Short a = (Short)one, b = (Short)other;
    return (BitVector)(a < b ? a : b);
}

// The sum of those of the pairs' samples that lie in [start, stop), counted from the first of them.
template <bool is_signed>
static inline IntVector sum_of(const Pairs& turned, std::ptrdiff_t start, std::ptrdiff_t stop) {
    IntVector sum = {};
#pragma GCC unroll 8
    for (int i = 0; i < n_pairs; ++i) {
        if (2 * i >= start && 2 * i < stop) sum += first_of<is_signed>(turned.pairs[i]);
        if (2 * i + 1 >= start && 2 * i + 1 < stop) sum += second_of<is_signed>(turned.pairs[i]);
    }
    return sum;
}

// From samples to values above the baseline, one fused multiply-add each; keeps the peak and the sum.
template <bool is_signed, bool rising, bool with_sum>
struct Rise {
    float polarity;
    Vector offset, peak, sum;

    Vector above(IntVector samples) const { return to_float(samples) * polarity + offset; }

    void keep(Vector value, float* to) {
        if (with_sum) sum += value;
        store(to, value);
    }

    // All columns of turned pulses. The peak is found among integers, two samples at a time.
    void write_all(const Pairs& turned, float* row) {
        BitVector extreme = turned.pairs[0];
#pragma GCC unroll 8
        for (int i = 0; i < n_pairs; ++i) {
            const BitVector pairs = turned.pairs[i];
            extreme = rising ? larger_samples<is_signed>(extreme, pairs) : smaller_samples<is_signed>(extreme, pairs);
            keep(above(first_of<is_signed>(pairs)), row + 2 * i * block);
            keep(above(second_of<is_signed>(pairs)), row + (2 * i + 1) * block);
        }
        peak = larger(peak, larger(above(first_of<is_signed>(extreme)), above(second_of<is_signed>(extreme))));
    }

    // Columns [first, last) of them.
    void write_some(const Pairs& turned, std::ptrdiff_t first, std::ptrdiff_t last, float* row) {
#pragma GCC unroll 8
        for (int i = 0; i < n_pairs; ++i) {
            const Vector values[2] = {above(first_of<is_signed>(turned.pairs[i])),
                                      above(second_of<is_signed>(turned.pairs[i]))};
            for (int k = 0; k < 2; ++k)
                if (2 * i + k >= first && 2 * i + k < last) {
                    peak = larger(peak, values[k]);
                    keep(values[k], row + (2 * i + k) * block);
                }
        }
    }
};

// Peak and sum of the windows of `lanes` pulses.
struct Extent {
    Vector peak, sum;
};

// `lanes` pulses of 16-bit samples: rows of values above the baseline.
template <bool is_signed, bool rising, bool with_sum>
static inline Extent turn_window(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                 float* values) {
    const std::uint32_t mask = (view.mask & 0xffffu) * 0x10001u;
    const std::ptrdiff_t start = plan.window_start, stop = start + plan.window_length;
    const std::ptrdiff_t last = std::ptrdiff_t(view.n_samples) - columns;  // no reading beyond the record

    // The baseline often lies within the first columns of the window, which are turned over once for both.
    const std::ptrdiff_t first = start < last ? start : last;
    Pairs turned = turned_pairs(pulses, first, mask);
    IntVector total = {};
    for (std::ptrdiff_t at = plan.baseline_start; at < plan.baseline_stop; at += columns) {
        const std::ptrdiff_t column = at < last ? at : last, stop_here = plan.baseline_stop - column;
        if (column == first)
            total += sum_of<is_signed>(turned, at - column, stop_here);
        else
            total += sum_of<is_signed>(turned_pairs(pulses, column, mask), at - column, stop_here);
    }
    const Vector baseline = quotient(to_float(total), float(plan.baseline_stop - plan.baseline_start));

    const float polarity = rising ? 1.0f : -1.0f;
    Rise<is_signed, rising, with_sum> rise = {polarity, baseline * -polarity, broadcast(-1.0f), Vector{}};
    for (std::ptrdiff_t at = start; at < stop; at += columns) {
        const std::ptrdiff_t column = at < last ? at : last;
        if (column != first) turned = turned_pairs(pulses, column, mask);
        float* row = values + (column - start) * block;
        if (column == at && at + columns <= stop)
            rise.write_all(turned, row);
        else
            rise.write_some(turned, at - column, stop - column, row);
    }
    return {rise.peak, rise.sum};
}

template <bool is_signed>
static inline Extent turn_window_of(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                    float* values) {
    const bool rising = plan.polarity > 0, with_sum = plan.scale == Scale::area;
    if (rising && with_sum) return turn_window<is_signed, true, true>(plan, view, pulses, values);
    if (rising) return turn_window<is_signed, true, false>(plan, view, pulses, values);
    if (with_sum) return turn_window<is_signed, false, true>(plan, view, pulses, values);
    return turn_window<is_signed, false, false>(plan, view, pulses, values);
}

// Sums of so many 16-bit integers fit into 32 bits, and are exact.
constexpr int longest_baseline = 32768;

static inline bool can_turn(const PreparationPlan& plan, const SampleView& view) {
    return !plan.aligned && view.type <= 1 && view.sample_stride == 2 && view.n_samples >= columns &&
           plan.baseline_stop - plan.baseline_start <= longest_baseline;
}

// The usual case: 16-bit samples and a window that stands still.
static inline Prepared turn_and_prepare(const PreparationPlan& plan, const SampleView& view, const char* const* pulses,
                                        float* values) {
    Prepared prepared;
    for (int half = 0; half < 2; ++half) {
        const char* const* these = pulses + half * lanes;
        float* to = values + half * lanes;
        const Extent rise = view.type == 0 ? turn_window_of<true>(plan, view, these, to)
                                           : turn_window_of<false>(plan, view, these, to);
        const Vector divisor = plan.scale == Scale::peak   ? rise.peak
                               : plan.scale == Scale::area ? rise.sum
                                                           : broadcast(1.0f);
        prepared.valid[half] = (rise.peak > 0.0f) & (divisor > 0.0f);
        prepared.factor[half] = prepared.valid[half] ? reciprocal(divisor) : broadcast(0.0f);
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
    return can_turn(plan, view) ? turn_and_prepare(plan, view, pulses, values)
                                : prepare_and_turn(plan, view, pulses, values, scratch);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
