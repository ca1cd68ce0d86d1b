// Numbers drawn from a normal distribution of the given mean and logarithm of the variance; without a seed the mean.
#pragma once

#include "../../plan.hpp"
#include "moving.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

// The output function of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014): any counter gives evenly spread bits.
static inline std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Above 0 and at most 1.
static inline double uniform(std::uint64_t bits) { return (double(bits >> 11) + 1) * 0x1p-53; }

// By the transformation of Box and Muller. The same for a pulse wherever it stands in a block, on every machine.
static inline float normal(std::uint64_t stream, std::uint64_t place) {
    const double one = uniform(mixed(stream + 2 * place * 0x9e3779b97f4a7c15u));
    const double other = uniform(mixed(stream + (2 * place + 1) * 0x9e3779b97f4a7c15u));
    return float(__builtin_sqrt(-2 * __builtin_log(one)) * __builtin_cos(6.283185307179586 * other));
}

template <int width>
static inline void sample(const Operation& op, const Arguments& arguments) {
    const int count = op.steps_out * op.channels_out;
    const float *mean = arguments.in[0], *log_variance = arguments.in[1];
    float* y = arguments.out;
    if (arguments.seed == 0) {
        if (y != mean) copy(mean, std::size_t(count) * width, y);
        return;
    }
    const std::uint64_t of_layer = mixed(arguments.seed + std::uint64_t(op.layer));
    for (int i = 0; i < width; ++i) {
        const std::uint64_t stream = mixed(of_layer + arguments.pulse + std::uint64_t(i));
        for (int place = 0; place < count; ++place) {
            const std::ptrdiff_t at = std::ptrdiff_t(place) * width + i;
            const double deviation = __builtin_exp(0.5 * double(log_variance[at]));
            y[at] = mean[at] + float(deviation) * normal(stream, std::uint64_t(place));
        }
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
