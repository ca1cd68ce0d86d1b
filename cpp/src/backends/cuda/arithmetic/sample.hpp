// Numbers drawn from a normal distribution of the given mean and logarithm of the variance; without a seed the mean.
#pragma once

#include "elementwise.hpp"

namespace discrimen::cuda {

// The output function of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014): any counter gives an even spread of
// bits.
DISCRIMEN_FUNCTION std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Above 0 and at most 1.
DISCRIMEN_FUNCTION double uniform(std::uint64_t bits) { return (double(bits >> 11) + 1) * 0x1p-53; }

// By the transformation of Box and Muller: the numbers that the CPU draws.
DISCRIMEN_FUNCTION float normal(std::uint64_t stream, std::uint64_t place) {
    const double one = uniform(mixed(stream + 2 * place * 0x9e3779b97f4a7c15u));
    const double other = uniform(mixed(stream + (2 * place + 1) * 0x9e3779b97f4a7c15u));
    return float(std::sqrt(-2 * std::log(one)) * std::cos(6.283185307179586 * other));
}

template <class Team>
DISCRIMEN_FUNCTION void sample(const Team& team, const Operation& op, const Arguments& a) {
    const std::uint64_t of_layer = mixed(a.seed + std::uint64_t(op.layer));
    team.each(count_of(op, a), [&](std::uint32_t item) {
        const std::uint32_t place = item & (a.width - 1);
        float value = a.in[0][item];
        if (a.seed != 0) {
            const std::uint64_t stream = mixed(of_layer + a.pulse + (place < a.last ? place : a.last));
            const double deviation = std::exp(0.5 * double(a.in[1][item]));
            value += float(deviation) * normal(stream, item >> a.shift);
        }
        a.out[item] = value;
    });
}

}  // namespace discrimen::cuda
