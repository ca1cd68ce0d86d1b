// softmax(query key^T) value, for heads that lie side by side along the channels.
#pragma once

#include "activation.hpp"

namespace discrimen::cuda {

// One query step and head of one pulse. Its products with the keys are computed twice, and never stored.
struct Query {
    const float *query, *keys, *values;
    float* out;
    int steps, channels, pitch, outputs, out_pitch;
    std::uint32_t width;

    DISCRIMEN_METHOD float product(int step) const {
        const float* key = keys + std::size_t(step) * pitch * width;
        float sum = 0;
        for (int c = 0; c < channels; ++c) sum += query[std::size_t(c) * width] * key[std::size_t(c) * width];
        return sum;
    }

    DISCRIMEN_METHOD void gather() const {
        float highest = product(0), total = 0;
        for (int step = 1; step < steps; ++step) highest = largest(highest, product(step));
        for (int c = 0; c < outputs; ++c) out[std::size_t(c) * width] = 0;
        for (int step = 0; step < steps; ++step) {
            const float weight = expf(product(step) - highest);
            const float* value = values + std::size_t(step) * out_pitch * width;
            total += weight;
            for (int c = 0; c < outputs; ++c) out[std::size_t(c) * width] += weight * value[std::size_t(c) * width];
        }
        const float share = 1.0f / total;
        for (int c = 0; c < outputs; ++c) out[std::size_t(c) * width] *= share;
    }
};

template <class Team>
DISCRIMEN_FUNCTION void attention(const Team& team, const Operation& op, const Arguments& a) {
    const int inputs = op.channels_in / op.groups, outputs = op.channels_out / op.groups;
    const auto heads = std::uint32_t(op.groups);
    team.each((std::uint32_t(op.steps_in) * heads) << a.shift, [&](std::uint32_t item) {
        const std::uint32_t place = item & (a.width - 1), rest = item >> a.shift, head = rest % heads,
                            step = rest / heads;
        const Query query = {a.in[0] + (std::size_t(step) * op.channels_in + head * inputs) * a.width + place,
                             a.in[1] + std::size_t(head) * inputs * a.width + place,
                             a.in[2] + std::size_t(head) * outputs * a.width + place,
                             a.out + (std::size_t(step) * op.channels_out + head * outputs) * a.width + place,
                             op.steps_other,
                             inputs,
                             op.channels_in,
                             outputs,
                             op.channels_other,
                             a.width};
        query.gather();
    });
}

}  // namespace discrimen::cuda
