// Preparation of a block of pulses: raw samples pulse by pulse to prepared values with the pulse innermost.
#pragma once

#include "../plan.hpp"
#include "prepare_one.hpp"
#include "vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// What the preparation says of each pulse of a block: its values are (value + rest) * factor.
struct Prepared {
    Vector factor[2], rest[2];
    IntVector valid[2];
    Vector height[2], baseline[2], spread[2];  // in ADC counts, of one channel; the last two for the domain alone
    bool finished;                             // neither rest nor factor is left to apply
};

// What is wanted beside the prepared values.
struct Wanted {
    bool origins, domain, height;
};

// The pulses of a block. It may hold fewer than there are places: those that are left repeat the last one.
struct Block {
    const SampleView& view;
    std::size_t first;
    int n_pulses;
    double* origins;  // start, divisor, baselines of each
    int n_origins;
    const char* data[block];  // of each place

    Block(const SampleView& samples, std::size_t first_pulse, int count, double* memory, int n_numbers)
        : view(samples), first(first_pulse), n_pulses(count), origins(memory), n_origins(n_numbers) {
        const char* start = view.data + std::ptrdiff_t(first) * view.pulse_stride;
        for (int i = 0; i < block; ++i) data[i] = start + (i < n_pulses ? i : n_pulses - 1) * view.pulse_stride;
    }

    Pulse operator[](int number_in_block) const {
        const auto number = std::ptrdiff_t(first) + (number_in_block < n_pulses ? number_in_block : n_pulses - 1);
        return {data[number_in_block], view.present ? view.present + number * view.present_stride : nullptr,
                origins + std::ptrdiff_t(number_in_block) * n_origins};
    }
};

constexpr int columns = lanes;        // samples of each pulse that are turned over at once
constexpr int n_pairs = columns / 2;  // they move in pairs, as 32 bits

// 16-bit samples of `lanes` pulses, turned over: lane p of pair i holds samples 2 i and 2 i + 1 of pulse p.
struct Pairs {
    BitVector pairs[n_pairs];
};

static inline __attribute__((always_inline)) Pairs turned_pairs(const char* const* pulses, std::ptrdiff_t column,
                                                                std::uint32_t bits) {
    Pairs turned;
#pragma GCC unroll 8
    for (int pulse = 0; pulse < n_pairs; ++pulse)
        turned.pairs[pulse] = load_halves(pulses[pulse] + 2 * column, pulses[pulse + n_pairs] + 2 * column) & bits;
    transpose(turned.pairs);
    return turned;
}

// The samples of a pair as 32-bit integers, signed or not.
template <bool is_signed>
static inline IntVector first_of(BitVector pairs) {
    if constexpr (!is_signed) return (IntVector)(pairs & 0xffffu);
#if defined(DISCRIMEN_AVX512)
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

// The lowest and the highest sample so far of `lanes` pulses.
template <bool is_signed>
struct Reach {
    BitVector low, high;
    bool any = false;

    void add(BitVector pairs) {
        low = any ? smaller_samples<is_signed>(low, pairs) : pairs;
        high = any ? larger_samples<is_signed>(high, pairs) : pairs;
        any = true;
    }

    // Those of the pairs' samples that lie in [start, stop), counted from the first of them.
    void add(const Pairs& turned, std::ptrdiff_t start, std::ptrdiff_t stop) {
#pragma GCC unroll 8
        for (int i = 0; i < n_pairs; ++i) {
            const bool first = 2 * i >= start && 2 * i < stop, second = 2 * i + 1 >= start && 2 * i + 1 < stop;
            const BitVector pairs = turned.pairs[i];
            if (first && second)
                add(pairs);
            else if (first)
                add((pairs & 0xffffu) | (pairs << 16));
            else if (second)
                add((pairs >> 16) | (pairs & 0xffff0000u));
        }
    }

    Vector spread() const {
        const Vector lowest = smaller(to_float(first_of<is_signed>(low)), to_float(second_of<is_signed>(low)));
        return larger(to_float(first_of<is_signed>(high)), to_float(second_of<is_signed>(high))) - lowest;
    }
};

// Baselines of `lanes` pulses as Level has them: a whole number, and the rest.
struct Levels {
    Vector whole, rest;
};

// Sums of so many 16-bit integers are exact as floats, and so is what is left of them.
constexpr int short_baseline = 256;

static inline __attribute__((always_inline)) Levels levels_of(IntVector total, int count) {
    constexpr float rounder = 12582912.0f;  // 1.5 * 2**23: adding it rounds to an integer
    if (count == 0) return {Vector{}, Vector{}};
    const float share = 1.0f / float(count);
    const Vector sum = to_float(total);
    const Vector whole = (sum * share + rounder) - rounder;
    if (count <= short_baseline) return {whole, (sum - whole * float(count)) * share};
    return {whole, to_float(total - __builtin_convertvector(whole, IntVector) * count) * share};
}

// From samples to whole numbers above the baseline, one fused multiply-add each; keeps the peak and the sum.
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

// Peak, sum and baseline of one channel of `lanes` pulses; `rest` is still to be added to its values.
struct Extent {
    Vector peak, sum, rest, spread;
    Levels levels;
};

// `lanes` pulses of one channel of 16-bit samples: rows of values above the whole part of the baseline.
template <bool is_signed, bool rising, bool with_sum>
static __attribute__((noinline)) Extent turn_window(const ChannelPlan& plan, int length, bool with_spread,
                                                    const SampleView& view, const char* const* pulses, float* values) {
    const std::uint32_t bits = (view.bits & 0xffffu) * 0x10001u;
    const std::ptrdiff_t start = plan.window_start, stop = start + length;
    const std::ptrdiff_t last = std::ptrdiff_t(view.n_samples) - columns;  // no reading beyond the record

    // The baseline often lies within the first columns of the window, which are turned over once for both.
    const std::ptrdiff_t first = start < last ? start : last;
    Pairs turned = turned_pairs(pulses, first, bits);
    IntVector total = {};
    Reach<is_signed> reach;
    for (std::ptrdiff_t at = plan.baseline_start; at < plan.baseline_stop; at += columns) {
        const std::ptrdiff_t column = at < last ? at : last, stop_here = plan.baseline_stop - column;
        if (column == first && !with_spread) {
            total += sum_of<is_signed>(turned, at - column, stop_here);
        } else {
            const Pairs there = column == first ? turned : turned_pairs(pulses, column, bits);
            total += sum_of<is_signed>(there, at - column, stop_here);
            if (with_spread) reach.add(there, at - column, stop_here);
        }
    }
    const Levels levels = levels_of(total, plan.baseline_stop - plan.baseline_start);

    const float polarity = rising ? 1.0f : -1.0f;
    Rise<is_signed, rising, with_sum> rise = {polarity, levels.whole * -polarity, broadcast(-__builtin_inff()),
                                              Vector{}};
    for (std::ptrdiff_t at = start; at < stop; at += columns) {
        const std::ptrdiff_t column = at < last ? at : last;
        if (column != first) turned = turned_pairs(pulses, column, bits);
        float* row = values + (column - start) * block;
        if (column == at && at + columns <= stop)
            rise.write_all(turned, row);
        else
            rise.write_some(turned, at - column, stop - column, row);
    }
    const Vector rest = levels.rest * -polarity;
    return {rise.peak + rest, rise.sum + rest * float(length), rest, with_spread ? reach.spread() : Vector{}, levels};
}

template <bool is_signed>
static inline Extent turn_window_of(const ChannelPlan& plan, int length, bool with_sum, bool with_spread,
                                    const SampleView& view, const char* const* pulses, float* values) {
    const bool rising = plan.polarity > 0;
    if (rising && with_sum) return turn_window<is_signed, true, true>(plan, length, with_spread, view, pulses, values);
    if (rising) return turn_window<is_signed, true, false>(plan, length, with_spread, view, pulses, values);
    if (with_sum) return turn_window<is_signed, false, true>(plan, length, with_spread, view, pulses, values);
    return turn_window<is_signed, false, false>(plan, length, with_spread, view, pulses, values);
}

static inline bool can_turn(const PreparationPlan& plan, const SampleView& view) {
    if (plan.aligned || view.type > 1 || view.sample_stride != 2 || view.n_samples < columns) return false;
    for (int c = 0; c < plan.n_channels; ++c)
        if (plan.channels[c].baseline_stop - plan.channels[c].baseline_start > longest_baseline) return false;
    return true;
}

// All bits of the lanes whose pulse has that channel. Not inlined, like the next two: most blocks need none of them,
// and should not pay for the addresses of their loops.
static __attribute__((noinline)) IntVector those_with(int channel, const Block& pulses, int first) {
    IntVector there = {};
    for (int i = 0; i < lanes; ++i) {
        const std::uint8_t* present = pulses[first + i].present;
        there[i] = -std::int32_t(!present || present[channel]);
    }
    return there;
}

static __attribute__((noinline)) void write_baselines(const Levels& levels, IntVector there, int channel,
                                                      const Block& pulses, int first) {
    for (int i = 0; i < lanes; ++i)
        pulses[first + i].origin[2 + channel] = there[i] ? double(levels.whole[i]) + double(levels.rest[i]) : 0.0;
}

static __attribute__((noinline)) void write_divisors(Vector divisors, const Block& pulses, int first) {
    for (int i = 0; i < lanes; ++i) {
        pulses[first + i].origin[0] = 0;
        pulses[first + i].origin[1] = double(divisors[i]);
    }
}

// What scales `lanes` pulses, as the channels come in.
struct Divisor {
    Vector peak = broadcast(-__builtin_inff()), sum = {};
    IntVector found = {};

    void add(const Extent& extent, IntVector there) {
        const IntVector take = there & (extent.peak > peak);
        peak = take ? extent.peak : peak;
        sum = take ? extent.sum : sum;
        found |= there;
    }
};

// One channel of `lanes` pulses.
static inline Extent turn_channel(const PreparationPlan& plan, int channel, bool with_spread, const Block& pulses,
                                  int first, float* values) {
    const SampleView& view = pulses.view;
    const char* moved[lanes];
    const char* const* records = pulses.data + first;
    if (channel > 0) {
        for (int i = 0; i < lanes; ++i) moved[i] = records[i] + channel * view.channel_stride;
        records = moved;
    }
    const ChannelPlan& of_channel = plan.channels[channel];
    const bool with_sum = plan.scale == Scale::area;
    return view.type == 0
               ? turn_window_of<true>(of_channel, plan.window_length, with_sum, with_spread, view, records, values)
               : turn_window_of<false>(of_channel, plan.window_length, with_sum, with_spread, view, records, values);
}

// Adds what is left of the baseline; channels that are absent become 0.
static inline void finish_rows(float* values, int count, Vector rest, IntVector there) {
    for (int i = 0; i < count; ++i, values += block) store(values, there ? load(values) + rest : Vector{});
}

// The usual case: 16-bit samples and windows that stand still. The rest of a single channel's baseline is left to
// whoever scales the values; behind them lies a row of it, as if it were one more value.
static inline Prepared turn_and_prepare(const PreparationPlan& plan, const Block& pulses, Wanted wanted,
                                        float* values) {
    Prepared prepared;
    prepared.finished = false;
    for (int half = 0; half < 2; ++half) {
        const int first = half * lanes;
        Divisor divisor;
        prepared.rest[half] = Vector{};
        for (int c = 0; c < plan.n_channels; ++c) {
            float* to = values + std::ptrdiff_t(c) * plan.window_length * block + first;
            const Extent extent = turn_channel(plan, c, wanted.domain, pulses, first, to);
            const IntVector there = pulses.view.present ? those_with(c, pulses, first) : ~IntVector{};
            if (plan.n_channels == 1)
                prepared.rest[half] = extent.rest;
            else
                finish_rows(to, plan.window_length, extent.rest, there);
            if (plan.reference < 0 || plan.reference == c) divisor.add(extent, there);
            if (wanted.origins) write_baselines(extent.levels, there, c, pulses, first);
            prepared.height[half] = extent.peak;
            if (wanted.domain) {
                prepared.baseline[half] = extent.levels.whole + extent.levels.rest;
                prepared.spread[half] = extent.spread;
            }
        }
        const Vector by = plan.scale == Scale::peak   ? divisor.peak
                          : plan.scale == Scale::area ? divisor.sum
                                                      : broadcast(1.0f);
        prepared.valid[half] =
            plan.scale == Scale::none ? divisor.found : divisor.found & (divisor.peak > 0.0f) & (by > 0.0f);
        prepared.factor[half] = prepared.valid[half] ? reciprocal(by) : broadcast(0.0f);
        store(values + std::ptrdiff_t(plan.n_channels) * plan.window_length * block + first, prepared.rest[half]);
        if (wanted.origins) write_divisors(by, pulses, first);
    }
    return prepared;
}

// Every other case: each pulse by itself, then turned over.
static inline Prepared prepare_and_turn(const PreparationPlan& plan, const Block& pulses, Wanted wanted, float* values,
                                        float* scratch) {
    const int count = plan.n_channels * plan.window_length, pitch = (count + lanes - 1) / lanes * lanes;
    Prepared prepared;
    prepared.finished = true;
    for (int place = 0; place < block; ++place) {
        const Pulse pulse = pulses[place];
        const int half = place / lanes, lane = place % lanes;
        prepared.valid[half][lane] =
            -std::int32_t(prepare_one(plan, pulses.view, pulse, scratch + std::ptrdiff_t(place) * pitch));
        if (wanted.height || wanted.domain) prepared.height[half][lane] = float(pulse.origin[1]);  // of a value of 1
        if (!wanted.domain) continue;
        prepared.baseline[half][lane] = float(pulse.origin[2]);
        prepared.spread[half][lane] = baseline_spread(plan.channels[0], pulses.view, pulse.data);
    }
    for (int half = 0; half < 2; ++half)
        for (int column = 0; column < pitch; column += lanes) {
            Vector rows[lanes];
            for (int place = 0; place < lanes; ++place)
                rows[place] = load(scratch + std::ptrdiff_t(half * lanes + place) * pitch + column);
            transpose(rows);
            for (int i = 0; i < lanes; ++i) store(values + (column + i) * block + half * lanes, rows[i]);
        }
    return prepared;
}

static inline Prepared prepare_block(const PreparationPlan& plan, const Block& pulses, Wanted wanted, float* values,
                                     float* scratch) {
    return can_turn(plan, pulses.view) ? turn_and_prepare(plan, pulses, wanted, values)
                                       : prepare_and_turn(plan, pulses, wanted, values, scratch);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
