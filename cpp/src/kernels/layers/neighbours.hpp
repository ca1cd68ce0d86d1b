// A segmented detector seen from the segment that was hit: traces around it, further channels, and which it was.
#pragma once

#include "../../plan.hpp"
#include "arguments.hpp"
#include "moving.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// Segments are the first rows; groups: sectors, length: rings, count: last samples that tell the hit segment.
template <int width>
static inline void neighbours(const Operation& op, const Arguments& arguments) {
    const int sectors = op.groups, rings = op.length, segments = sectors * rings, samples = op.channels_in;
    const std::size_t row = std::size_t(samples) * width;
    const float* in = arguments.in[0];
    float highest[width] = {};
    int hit[width] = {};
    for (int segment = 0; segment < segments; ++segment) {
        float sums[width] = {};
        for (int c = samples - op.count; c < samples; ++c)
            for (int i = 0; i < width; ++i) sums[i] += in[segment * row + std::size_t(c) * width + i];
        for (int i = 0; i < width; ++i)
            if (segment == 0 || sums[i] > highest[i]) {
                highest[i] = sums[i];
                hit[i] = segment;
            }
    }
    float* to = arguments.out;
    for (int by_ring = -1; by_ring <= 1; ++by_ring)
        for (int by_sector = -1; by_sector <= 1; ++by_sector, to += row)
            for (int i = 0; i < width; ++i) {
                const int ring = hit[i] / sectors + by_ring;
                const int sector = (hit[i] % sectors + by_sector + sectors) % sectors;
                const bool inside = ring >= 0 && ring < rings;
                const float* from = in + (inside ? std::size_t(ring * sectors + sector) * row : 0) + i;
                for (int c = 0; c < samples; ++c) to[c * width + i] = inside ? from[std::size_t(c) * width] : 0;
            }
    const std::size_t others = std::size_t(op.steps_in - segments) * row;
    copy(in + segments * row, others, to);
    to += others;
    for (int segment = 0; segment < segments; ++segment)
        for (int i = 0; i < width; ++i) to[segment * width + i] = hit[i] == segment;
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
