// A segmented detector seen from the segment that was hit: traces around it, further channels, and which it was.
#pragma once

#include "activation.hpp"

namespace discrimen::cuda {

// Of one pulse, whose values begin at `in`.
DISCRIMEN_FUNCTION int hit_segment(const Operation& op, const float* in, std::uint32_t width) {
    const int segments = op.groups * op.length, samples = op.channels_in;
    int hit = 0;
    float highest = 0;
    for (int segment = 0; segment < segments; ++segment) {
        float sum = 0;
        for (int c = samples - op.count; c < samples; ++c) sum += in[(std::size_t(segment) * samples + c) * width];
        if (segment == 0 || sum > highest) highest = sum, hit = segment;
    }
    return hit;
}

// Segments are the first rows; groups: sectors, length: rings, count: last samples that tell the hit segment.
template <class Team>
DISCRIMEN_FUNCTION void neighbours(const Team& team, const Operation& op, const Arguments& a) {
    constexpr int n_around = 9;
    const int sectors = op.groups, rings = op.length, segments = sectors * rings, samples = op.channels_in;
    team.each(a.width, [&](std::uint32_t pulse) {
        const int hit = hit_segment(op, a.in[0] + pulse, a.width);
        a.scratch[pulse] = float(hit);
    });
    const int others = op.steps_in - segments, rows = n_around + others;
    team.each((std::uint32_t(rows) * std::uint32_t(samples)) << a.shift, [&](std::uint32_t item) {
        const std::uint32_t pulse = item & (a.width - 1), value = item >> a.shift;
        const int row = int(value / std::uint32_t(samples)), sample = int(value % std::uint32_t(samples));
        int from = segments + row - n_around;
        if (row < n_around) {
            const int hit = int(a.scratch[pulse]), ring = hit / sectors + row / 3 - 1;
            const int sector = (hit % sectors + row % 3 - 1 + sectors) % sectors;
            from = ring >= 0 && ring < rings ? ring * sectors + sector : -1;
        }
        a.out[item] = from < 0 ? 0.0f : a.in[0][(std::size_t(from) * samples + sample) * a.width + pulse];
    });
    float* to = a.out + ((std::size_t(rows) * samples) << a.shift);
    team.each(std::uint32_t(segments) << a.shift, [&](std::uint32_t item) {
        to[item] = a.scratch[item & (a.width - 1)] == float(item >> a.shift) ? 1.0f : 0.0f;
    });
}

}  // namespace discrimen::cuda
