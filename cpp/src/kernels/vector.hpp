// Vectors of the width that the instruction set has, and the few functions on them that the layers need.
//
// These are the vector types of g++ and clang: + - * / < ?: work on them, and the compiler picks the instructions.
// Everything lives in a namespace named after the instruction set, because it is compiled once for each.
#pragma once

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

#if defined(__AVX512F__)
constexpr int lanes = 16;
constexpr int tile = 12;  // outputs of a matrix product kept in registers: 2 * tile accumulators
#elif defined(__AVX2__)
constexpr int lanes = 8;
constexpr int tile = 6;
#elif defined(__aarch64__)
constexpr int lanes = 4;
constexpr int tile = 12;
#else
constexpr int lanes = 4;
constexpr int tile = 6;
#endif

constexpr int block = 2 * lanes;  // pulses computed at once: two vectors hide the latency of one another

typedef float Vector __attribute__((vector_size(4 * lanes)));
typedef std::int32_t IntVector __attribute__((vector_size(4 * lanes)));
typedef std::uint32_t BitVector __attribute__((vector_size(4 * lanes)));
typedef float UnalignedVector __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
typedef std::uint32_t UnalignedBits __attribute__((vector_size(4 * lanes), aligned(1), may_alias));

static inline Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }

static inline void store(float* to, Vector values) { *reinterpret_cast<UnalignedVector*>(to) = values; }

static inline BitVector load_bits(const char* from) { return *reinterpret_cast<const UnalignedBits*>(from); }

static inline Vector broadcast(float value) { return Vector{} + value; }

static inline Vector larger(Vector one, Vector other) { return one > other ? one : other; }

static inline Vector smaller(Vector one, Vector other) { return one < other ? one : other; }

static inline Vector to_float(IntVector values) { return __builtin_convertvector(values, Vector); }

// 1 / x to within a unit of the last place or two; x is neither 0 nor infinite.
static inline Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
    const Vector guess = _mm512_maskz_rcp14_ps(0xffff, x);
    return guess * (2.0f - x * guess);
#elif defined(__AVX2__)
    const Vector guess = _mm256_rcp_ps(x);
    return guess * (2.0f - x * guess);
#else
    return 1.0f / x;
#endif
}

// e**x to within 2e-7 of itself; below -87 it stops falling, above 88 it stops rising.
// x = n ln 2 + r with |r| <= ln 2 / 2; e**r by its Taylor series, whose next term is below 2e-8.
static inline Vector exponential(Vector x) {
    constexpr float rounder = 12582912.0f;  // 1.5 * 2**23: adding it rounds to an integer, held in the low bits
    x = larger(smaller(x, broadcast(88.0f)), broadcast(-87.0f));
    const Vector shifted = x * 1.44269504088896341f + rounder;
    const Vector whole = shifted - rounder;
    Vector rest = x - whole * 0.693359375f;  // ln 2 in two parts, the first exact in few bits
    rest = rest - whole * -2.12194440e-4f;
    Vector series = broadcast(1.0f / 5040.0f);
    series = series * rest + 1.0f / 720.0f;
    series = series * rest + 1.0f / 120.0f;
    series = series * rest + 1.0f / 24.0f;
    series = series * rest + 1.0f / 6.0f;
    series = series * rest + 0.5f;
    series = series * rest + 1.0f;
    series = series * rest + 1.0f;
    return (Vector)((IntVector)series + ((IntVector)shifted << 23));
}

static inline Vector sigmoid(Vector x) { return reciprocal(1.0f + exponential(-x)); }

static inline Vector tangent(Vector x) { return 1.0f - 2.0f * reciprocal(1.0f + exponential(2.0f * x)); }

// Error function to within 1.5e-7: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions (1964), 7.1.26.
static inline Vector error_function(Vector x) {
    const Vector size = larger(x, -x);
    const Vector t = reciprocal(1.0f + 0.3275911f * size);
    Vector series = broadcast(1.061405429f);
    series = series * t - 1.453152027f;
    series = series * t + 1.421413741f;
    series = series * t - 0.284496736f;
    series = series * t + 0.254829592f;
    const Vector positive = 1.0f - series * t * exponential(-size * size);
    return x < 0.0f ? -positive : positive;
}

// One step of a transposition: exchanges the blocks of `distance` lanes that lie off the diagonal.
template <int distance, class V, std::size_t... lane>
static inline void exchange(V& one, V& other, std::index_sequence<lane...>) {
    const V first = one, second = other;
    one = __builtin_shufflevector(first, second,
                                  ((lane & distance) ? int(lane) - distance + lanes : int(lane))...);
    other = __builtin_shufflevector(first, second,
                                    ((lane & distance) ? int(lane) + lanes : int(lane) + distance)...);
}

template <int distance, class V>
static inline void transpose_from(V (&rows)[lanes]) {
    if constexpr (distance > 0) {
        for (int row = 0; row < lanes; ++row)
            if (!(row & distance))
                exchange<distance>(rows[row], rows[row + distance], std::make_index_sequence<lanes>());
        transpose_from<distance / 2>(rows);
    }
}

// Turns lanes x lanes numbers over: what was lane l of row r becomes lane r of row l.
template <class V>
static inline void transpose(V (&rows)[lanes]) {
    transpose_from<lanes / 2>(rows);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
