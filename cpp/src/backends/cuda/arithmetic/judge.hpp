// Whether prepared pulses of one channel are like those that the model has seen; see discrimen_outside.
#pragma once

#include "tile.hpp"

namespace discrimen::cuda {

// One pulse.
struct Judged {
    const DomainPlan& domain;
    const float* values;  // prepared, `width` floats apart
    std::uint32_t width;
    float height;
    float unit = 1;
    float spread, upwards;
    int range = 0;

    DISCRIMEN_METHOD Judged(const NetworkPlan& plan, const Tile& tile, std::uint32_t place)
        : domain(plan.domain),
          values(tile.values + (plan.input << tile.shift) + place),
          width(tile.width),
          height(tile.peak[place]),
          spread(tile.spread[place]),
          upwards(plan.preparation.channels[0].polarity * float(tile.origins[2 * tile.width + place]) + height) {
        float highest = values[0];
        for (int i = 1; i < plan.preparation.window_length; ++i)
            highest = values[std::size_t(i) * width] > highest ? values[std::size_t(i) * width] : highest;
        if (highest > 0) unit = 1.0f / highest;
        for (int i = 1; i < domain.n_ranges; ++i) range += height >= domain.begins[i];
    }

    DISCRIMEN_METHOD float sample(int row) const { return values[std::size_t(row) * width] * unit; }

    DISCRIMEN_METHOD bool edge_elsewhere() const {
        const int after = int(domain.edge_after[range]), until = int(domain.edge_until[range]);
        bool there = false;
        for (int row = after + 1; row <= until; ++row) there = there || sample(row) >= 0.5f;
        return !there || (after >= 0 && sample(after) >= 0.5f);
    }

    // The sum of the squares of what the components leave of the shape.
    DISCRIMEN_METHOD bool shape_elsewhere() const {
        float square = 0, along[most_components] = {};
        for (int i = 0; i < domain.n_rows; ++i) {
            const float off = sample(domain.rows[i]) * domain.weight[i] - domain.offset[i];
            square += off * off;
            DISCRIMEN_UNROLLED
            for (int k = 0; k < most_components; ++k) along[k] += domain.components[i][k] * off;
        }
        DISCRIMEN_UNROLLED
        for (const float each : along) square -= each * each;
        square = square > 0 ? square : 0;
        return square < domain.least_square[range] || square > domain.most_square[range];
    }

    DISCRIMEN_METHOD std::uint16_t flags() const {
        int found = (spread > domain.quiet && spread >= 0.5f * height ? 0x2 : 0) |
                    (spread < domain.least_spread[range] || spread > domain.most_spread[range] ? 0x4 : 0) |
                    (height > domain.highest ? 0x10 : 0) | (upwards >= domain.clipped_from ? 0x40 : 0);
        if (height < domain.lowest) return std::uint16_t(found | 0x8);
        if (edge_elsewhere()) found |= 0x20;
        if (shape_elsewhere()) found |= 0x80;
        return std::uint16_t(found);
    }
};

template <class Team>
DISCRIMEN_FUNCTION void judge(const Team& team, const Job& job, const Tile& tile) {
    team.each(tile.count, [&](std::uint32_t place) {
        job.outside[tile.first + place] = tile.valid[place] ? Judged(*job.plan, tile, place).flags() : std::uint16_t(1);
    });
}

}  // namespace discrimen::cuda
