// Whether prepared pulses are like those that the model has seen; see discrimen_outside.
#pragma once

#include "../plan.hpp"
#include "height.hpp"
#include "prepare_block.hpp"
#include "prepare_one.hpp"
#include "vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// What lane l finds at place places[l] of a table of most_ranges numbers.
static inline Vector looked_up(const float* table, [[maybe_unused]] IntVector places) {
#if defined(DISCRIMEN_AVX512)
    const __m512 twice = _mm512_broadcast_f32x8(_mm256_loadu_ps(table));
    return _mm512_permutexvar_ps((__m512i)places, twice);
#elif defined(__AVX2__)
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)places);
#else
    Vector found;
    for (int i = 0; i < lanes; ++i) found[i] = table[places[i]];
    return found;
#endif
}

// `lanes` pulses, whose values lie `block` floats apart. A sample in units of the height is value * unit + shift.
struct Judged {
    const DomainPlan& domain;
    const float* values;
    Vector height, unit, shift;
    IntVector range{};

    Judged(const DomainPlan& plan, const float* from, Vector height_adc, Vector of_value, Vector of_nothing)
        : domain(plan), values(from), height(height_adc), unit(of_value), shift(of_nothing) {
        for (int i = 1; i < domain.n_ranges; ++i) range -= IntVector(height >= domain.begins[i]);
    }

    Vector sample(int row) const { return load(values + std::ptrdiff_t(row) * block) * unit + shift; }
    Vector limit(const float* table) const { return looked_up(table, range); }

    IntVector edge_elsewhere() const {
        if (domain.one_edge) {
            const float* at = values + std::ptrdiff_t(domain.first_edge + 1) * block;
            const Vector highest = highest_value(at, domain.last_edge - domain.first_edge);
            const IntVector late = highest * unit + shift < 0.5f;
            return domain.first_edge < 0 ? late : late | (sample(domain.first_edge) >= 0.5f);
        }
        const Vector after = limit(domain.edge_after), until = limit(domain.edge_until);
        IntVector early = {}, there = {};
        for (int row = domain.first_edge < 0 ? 0 : domain.first_edge; row <= domain.last_edge; ++row) {
            const IntVector above = sample(row) >= 0.5f;
            early |= above & (after == float(row));
            there |= above & (after < float(row)) & (until >= float(row));
        }
        return early | ~there;
    }

    IntVector flags(Vector spread, Vector upwards, Vector square) const {
        const IntVector low = height < domain.lowest;
        IntVector found = (spread > domain.quiet) & (spread >= 0.5f * height) & 0x2;
        found |= ((spread < limit(domain.least_spread)) | (spread > limit(domain.most_spread))) & 0x4;
        found |= low & 0x8;
        found |= IntVector(height > domain.highest) & 0x10;
        found |= ~low & edge_elsewhere() & 0x20;
        found |= IntVector(upwards >= domain.clipped_from) & 0x40;
        const IntVector odd = (square < limit(domain.least_square)) | (square > limit(domain.most_square));
        return found | (~low & odd & 0x80);
    }
};

// The sums of squares of what `components` leave of the shapes of a block: two vectors hide the latency of one another.
template <int components>
static inline void squares_left(const DomainPlan& domain, const Judged (&judged)[2], Vector (&square)[2]) {
    Vector along[components][2] = {};
    square[0] = square[1] = Vector{};
    for (int i = 0; i < domain.n_rows; ++i)
        each<2>([&](auto half) {
            const Vector off = judged[half].sample(domain.rows[i]) * domain.weight[i] - domain.offset[i];
            square[half] += off * off;
            each<components>([&](auto k) { along[k][half] += domain.components[i][k] * off; });
        });
    each<2>([&](auto half) {
        each<components>([&](auto k) { square[half] -= along[k][half] * along[k][half]; });
        square[half] = larger(square[half], Vector{});
    });
}

static inline void squares_of(const DomainPlan& domain, const Judged (&judged)[2], Vector (&square)[2]) {
    switch (domain.n_components) {
        case 1: return squares_left<1>(domain, judged, square);
        case 2: return squares_left<2>(domain, judged, square);
        case 3: return squares_left<3>(domain, judged, square);
        default: return squares_left<most_components>(domain, judged, square);
    }
}

// Of the first `count` lanes.
static inline void write_flags(IntVector found, int count, std::uint16_t* to) {
    typedef std::uint16_t Short __attribute__((vector_size(2 * lanes)));
    const Short flags = __builtin_convertvector(found, Short);
    if (count >= lanes)
        __builtin_memcpy(to, &flags, sizeof flags);
    else if (count > 0)
        __builtin_memcpy(to, &flags, std::size_t(count) * sizeof *to);
}

// One of the vectors of a block.
static inline Judged judged_half(const NetworkPlan& plan, const Prepared& prepared, const float* values, int half) {
    const float* from = values + half * lanes;
    const Vector height = prepared.height[half], one = broadcast(1.0f);
    if (prepared.finished) {  // the height is that of a value of 1
        const Vector highest = highest_value(from, plan.preparation.window_length);
        return {plan.domain, from, height * highest, 1.0f / (highest > 0.0f ? highest : one), Vector{}};
    }
    const Vector unit =
        plan.preparation.scale == Scale::peak ? prepared.factor[half] : 1.0f / (height > 0.0f ? height : one);
    return {plan.domain, from, height, unit, prepared.rest[half] * unit};
}

static __attribute__((noinline)) void judge_block(const NetworkPlan& plan, const Prepared& prepared,
                                                  const float* values, int n_pulses, std::uint16_t* to) {
    const Judged judged[2] = {judged_half(plan, prepared, values, 0), judged_half(plan, prepared, values, 1)};
    Vector square[2];
    squares_of(plan.domain, judged, square);
    for (int half = 0; half < 2; ++half) {
        const Vector upwards = prepared.baseline[half] * plan.preparation.channels[0].polarity + judged[half].height;
        const IntVector found = judged[half].flags(prepared.spread[half], upwards, square[half]);
        write_flags(prepared.valid[half] ? found : IntVector{} + 1, n_pulses - half * lanes, to + half * lanes);
    }
}

// One pulse with its values one behind the other: the same, a lane of its own.
static __attribute__((noinline)) std::uint16_t judge_one(const NetworkPlan& plan, const SampleView& view,
                                                         const Pulse& pulse, bool valid, const float* values) {
    if (!valid) return 1;
    const DomainPlan& domain = plan.domain;
    const ChannelPlan& channel = plan.preparation.channels[0];
    const float highest = peak_of(values, plan.preparation.window_length);
    const float height = height_of(plan.preparation, pulse, values), unit = highest > 0 ? 1.0f / highest : 1.0f;
    const float spread = baseline_spread(channel, view, pulse.data);
    int range = 0;
    for (int i = 1; i < domain.n_ranges; ++i) range += height >= domain.begins[i];
    int found = (spread > domain.quiet && spread >= 0.5f * height ? 0x2 : 0) |
                (spread < domain.least_spread[range] || spread > domain.most_spread[range] ? 0x4 : 0) |
                (height > domain.highest ? 0x10 : 0) |
                (channel.polarity * float(pulse.origin[2]) + height >= domain.clipped_from ? 0x40 : 0);
    if (height < domain.lowest) return std::uint16_t(found | 0x8);
    const int after = int(domain.edge_after[range]), until = int(domain.edge_until[range]);
    bool there = false;
    for (int row = after + 1; row <= until; ++row) there = there || values[row] * unit >= 0.5f;
    if (!there || (after >= 0 && values[after] * unit >= 0.5f)) found |= 0x20;
    float square = 0, along[most_components] = {};
    for (int i = 0; i < domain.n_rows; ++i) {
        const float off = values[domain.rows[i]] * unit * domain.weight[i] - domain.offset[i];
        square += off * off;
        for (int k = 0; k < most_components; ++k) along[k] += domain.components[i][k] * off;
    }
    for (const float part : along) square -= part * part;
    square = square > 0 ? square : 0;
    if (square < domain.least_square[range] || square > domain.most_square[range]) found |= 0x80;
    return std::uint16_t(found);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
