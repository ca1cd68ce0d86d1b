// Vectors of the width that the instruction set has, and the few functions on them that the layers need.
//
// These are the vector types of g++ and clang: + - * / < ?: work on them, and the compiler picks the instructions.
// Everything lives in a namespace named after the instruction set, because it is compiled once for each.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define DISCRIMEN_AVX512
#endif

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

#if defined(DISCRIMEN_AVX512)
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
typedef std::int16_t ShortVector __attribute__((vector_size(4 * lanes)));
typedef std::uint16_t UnsignedShortVector __attribute__((vector_size(4 * lanes)));

// Calls f with 0, 1, ... count - 1, unrolled: indices that the compiler knows keep small arrays in registers.
template <class F, int... index>
static inline __attribute__((always_inline)) void each_of([[maybe_unused]] F f, std::integer_sequence<int, index...>) {
    (f(std::integral_constant<int, index>()), ...);
}

template <int count, class F>
static inline __attribute__((always_inline)) void each(F f) {
    each_of(f, std::make_integer_sequence<int, count>());
}

static inline Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }

static inline void store(float* to, Vector values) { *reinterpret_cast<UnalignedVector*>(to) = values; }

// Two halves of a vector from two places of any alignment. By name: an insertion from memory leaves the one port that
// shuffles free, and g++ makes a shuffle of it.
static inline BitVector load_halves(const char* low, const char* high) {
#if defined(DISCRIMEN_AVX512)
    const __m512i lower = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(low)));
    return (BitVector)_mm512_inserti64x4(lower, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high)), 1);
#elif defined(__AVX2__)
    const __m256i lower = _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low)));
    return (BitVector)_mm256_inserti128_si256(lower, _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
#else
    typedef std::uint64_t Halves __attribute__((vector_size(16)));
    static_assert(sizeof(Halves) == sizeof(BitVector), "a half is 64 bits wide");
    std::uint64_t lower, upper;
    __builtin_memcpy(&lower, low, sizeof lower);
    __builtin_memcpy(&upper, high, sizeof upper);
    return (BitVector)Halves{lower, upper};
#endif
}

static inline Vector broadcast(float value) { return Vector{} + value; }

// The instructions by name: g++ makes a comparison and a blend of the plain formula.
static inline Vector larger(Vector one, Vector other) {
#if defined(DISCRIMEN_AVX512)
    return _mm512_max_ps(one, other);
#elif defined(__AVX2__)
    return _mm256_max_ps(one, other);
#else
    return one > other ? one : other;
#endif
}

static inline Vector smaller(Vector one, Vector other) {
#if defined(DISCRIMEN_AVX512)
    return _mm512_min_ps(one, other);
#elif defined(__AVX2__)
    return _mm256_min_ps(one, other);
#else
    return one < other ? one : other;
#endif
}

// Of values that are not negative.
static inline Vector square_root(Vector x) {
#if defined(DISCRIMEN_AVX512)
    return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(x);
#else
    for (int i = 0; i < lanes; ++i) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

static inline Vector to_float(IntVector values) { return __builtin_convertvector(values, Vector); }

// numerator / x to within a unit of the last place or two; x is a normal number, and one over it too.
static inline Vector ratio(Vector numerator, Vector x) {
#if defined(DISCRIMEN_AVX512)
    const Vector guess = _mm512_rcp14_ps(x);
    return numerator * guess * (2.0f - x * guess);
#elif defined(__AVX2__)
    const Vector guess = _mm256_rcp_ps(x);
    return numerator * guess * (2.0f - x * guess);
#else
    return numerator / x;
#endif
}

static inline Vector reciprocal(Vector x) { return ratio(broadcast(1.0f), x); }

// 2**x to within 3e-7 of itself; beyond +-limit it stays as it is there. Up to 126, one over it is a normal number too:
// those that are not take a hundred times as long. x = n + r with |r| <= 1/2; for 2**r the polynomial of degree 5 with
// the least relative error there, 7.5e-8 (found by the algorithm of Remez).
template <int limit = 126>
static inline Vector power_of_2(Vector x) {
    constexpr float rounder = 12582912.0f;  // 1.5 * 2**23: adding it rounds to an integer, held in the low bits
#if defined(DISCRIMEN_AVX512)
    x = _mm512_range_ps(x, broadcast(limit), 2);  // the smaller in size, with the sign of the first
#else
    x = larger(smaller(x, broadcast(limit)), broadcast(-limit));
#endif
    const Vector shifted = x + rounder;
    const Vector whole = shifted - rounder;
    const Vector rest = x - whole;
    // In pairs, so that half of the terms need not wait for one another.
    const Vector square = rest * rest;
    const Vector last = rest * 1.327647199e-3f + 9.675541334e-3f;
    const Vector middle = rest * 5.550713273e-2f + 2.402211972e-1f;
    const Vector first = rest * 6.931469671e-1f + 1.000000072f;
    const Vector series = first + square * (middle + square * last);
#if defined(DISCRIMEN_AVX512)
    return _mm512_scalef_ps(series, whole);
#else
    return (Vector)((IntVector)series + ((IntVector)shifted << 23));
#endif
}

constexpr float log2_e = 1.44269504088896341f;

static inline Vector exponential(Vector x) { return power_of_2(x * log2_e); }

// e**x - 1 without a loss of digits near 0, for x <= 0: there by its series, up to x**7.
static inline Vector exponential_less_1(Vector x) {
    Vector series = x * (1.0f / 5040) + 1.0f / 720;
    series = series * x + 1.0f / 120;
    series = series * x + 1.0f / 24;
    series = series * x + 1.0f / 6;
    series = series * x + 0.5f;
    return x > -0.5f ? x + x * x * series : exponential(x) - 1.0f;
}

// log(1 + x) for 0 <= x <= 1, as twice the inverse hyperbolic tangent of x / (2 + x), by its series.
static inline Vector log_1_plus(Vector x) {
    const Vector part = ratio(x, 2.0f + x), square = part * part;
    Vector series = square * (1.0f / 11) + 1.0f / 9;
    series = series * square + 1.0f / 7;
    series = series * square + 1.0f / 5;
    series = series * square + 1.0f / 3;
    return 2.0f * part + 2.0f * part * square * series;
}

static inline Vector sigmoid(Vector x) { return reciprocal(1.0f + exponential(-x)); }

static inline Vector hard_sigmoid(Vector x) {
    return larger(smaller(x * (1.0f / 6) + 0.5f, broadcast(1.0f)), Vector{});
}

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

// The same vector with its lanes moved round by `distance`.
template <int distance, class V, std::size_t... lane>
static inline V turned_round(V values, std::index_sequence<lane...>) {
    return __builtin_shufflevector(values, values, int((lane + distance) % lanes)...);
}

// The largest lane; the others' places are used up on the way.
template <int distance = lanes / 2>
static inline float largest_lane(Vector values) {
    values = larger(values, turned_round<distance>(values, std::make_index_sequence<lanes>()));
    if constexpr (distance > 1)
        return largest_lane<distance / 2>(values);
    else
        return values[0];
}

template <int distance = lanes / 2, class V>
static inline auto sum_of_lanes(V values) {
    values += turned_round<distance>(values, std::make_index_sequence<lanes>());
    if constexpr (distance > 1)
        return sum_of_lanes<distance / 2>(values);
    else
        return values[0];
}

// One step of a transposition: exchanges the blocks of `distance` lanes that lie off the diagonal.
template <int distance, class V, std::size_t... lane>
static inline void exchange(V& one, V& other, std::index_sequence<lane...>) {
    const V first = one, second = other;
    one = __builtin_shufflevector(first, second, ((lane & distance) ? int(lane) - distance + lanes : int(lane))...);
    other = __builtin_shufflevector(first, second, ((lane & distance) ? int(lane) + lanes : int(lane) + distance)...);
}

template <int distance, int n_rows, class V>
static inline __attribute__((always_inline)) void transpose_from(V (&rows)[n_rows]) {
    if constexpr (distance > 0) {
#pragma GCC unroll 16
        for (int row = 0; row < n_rows; ++row)
            if (!(row & distance))
                exchange<distance>(rows[row], rows[row + distance], std::make_index_sequence<lanes>());
        transpose_from<distance / 2>(rows);
    }
}

// Turns lanes x lanes numbers over: what was lane l of row r becomes lane r of row l. With half as many rows, each
// half of the lanes is turned over by itself.
template <int n_rows, class V>
static inline __attribute__((always_inline)) void transpose(V (&rows)[n_rows]) {
    transpose_from<n_rows / 2>(rows);
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
