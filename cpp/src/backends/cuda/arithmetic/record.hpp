// The samples of one channel of one pulse wherever they lie, their baseline, and where the pulse begins.
#pragma once

#include <type_traits>

#include "tile.hpp"

namespace discrimen::cuda {

// A GPU reads numbers at multiples of their size alone; others it puts together from bytes.
template <class T, bool aligned>
DISCRIMEN_FUNCTION T number_at(const char* at) {
#if defined(__CUDACC__)
    if constexpr (aligned) return *reinterpret_cast<const T*>(at);
#endif
    if constexpr (aligned) require_aligned<T>(at);
    T number;
    memcpy(&number, at, sizeof number);
    return number;
}

// At a multiple of its size.
template <class T>
DISCRIMEN_FUNCTION void put_number(char* at, T number) {
#if defined(__CUDACC__)
    *reinterpret_cast<T*>(at) = number;
#else
    require_aligned<T>(at);
    memcpy(at, &number, sizeof number);
#endif
}

template <class Sample, bool is_aligned>
struct Record {
    using T = Sample;
    static constexpr bool aligned = is_aligned, is_float = std::is_same_v<T, float>;

    const char* data;
    std::ptrdiff_t stride;
    std::uint32_t bits;

    DISCRIMEN_METHOD T operator[](std::ptrdiff_t number) const {
        const T sample = number_at<T, aligned>(data + number * stride);
        if constexpr (is_float)
            return sample;
        else
            return T(sample & T(bits));
    }
};

// Calls f with an empty record of the type of the samples, to be made from.
// NOLINTBEGIN(bugprone-branch-clone): the types differ
template <class F>
DISCRIMEN_FUNCTION void by_type(std::int32_t type, bool aligned, F f) {
    if (!aligned) switch (type) {
            case 0: return f(Record<std::int16_t, false>{});
            case 1: return f(Record<std::uint16_t, false>{});
            case 2: return f(Record<std::int32_t, false>{});
            default: return f(Record<float, false>{});
        }
    switch (type) {
        case 0: return f(Record<std::int16_t, true>{});
        case 1: return f(Record<std::uint16_t, true>{});
        case 2: return f(Record<std::int32_t, true>{});
        default: return f(Record<float, true>{});
    }
}
// NOLINTEND(bugprone-branch-clone)

DISCRIMEN_FUNCTION bool is_number(float x) { return x - x == 0.0f; }  // NOLINT(misc-redundant-expression): and finite

// The mean over the baseline window; integers are summed exactly. 0 for an empty one.
template <class R>
DISCRIMEN_FUNCTION double mean_of(const R& record, int start, int stop) {
    using Sum = std::conditional_t<R::is_float, double, std::int64_t>;
    if (start == stop) return 0;
    Sum sum = 0;
    for (int i = start; i < stop; ++i) sum += Sum(record[i]);
    return double(sum) / (stop - start);
}

// From the lowest to the highest sample of a window.
template <class R>
DISCRIMEN_FUNCTION float spread_of(const R& record, int start, int stop) {
    typename R::T low = record[start], high = low;
    for (int i = start + 1; i < stop; ++i) {
        const typename R::T sample = record[i];
        low = sample < low ? sample : low;
        high = sample > high ? sample : high;
    }
    return float(double(high) - double(low));
}

// A baseline to be subtracted without a loss of digits: of integers first the whole number next to it, then the rest.
template <class R>
struct Level {
    using Whole = std::conditional_t<R::is_float, double, std::int64_t>;
    Whole whole = 0;
    float rest = 0;
    float polarity;

    DISCRIMEN_METHOD Level(double baseline, float sign) : polarity(sign) {
        if constexpr (R::is_float) {
            whole = baseline;
        } else {
            const double nearest = std::rint(baseline);
            whole = std::int64_t(nearest);
            rest = float(baseline - nearest);
        }
    }

    // The sample above the baseline, pulses upwards.
    DISCRIMEN_METHOD float above(typename R::T sample) const {
        // NOLINTNEXTLINE(bugprone-branch-clone): 32 bits are enough for 16, and not for others
        if constexpr (sizeof(typename R::T) == 2)
            return polarity * (float(std::int32_t(sample) - std::int32_t(whole)) - rest);
        else
            return polarity * (float(Whole(sample) - whole) - rest);
    }
};

// The highest sample above the baseline in the whole record; NaN if one is not finite.
template <class R>
DISCRIMEN_FUNCTION float highest_of(const R& record, int n_samples, const Level<R>& level) {
    float highest = level.above(record[0]);
    bool finite = true;
    for (int i = 0; i < n_samples; ++i) {
        const float value = level.above(record[i]);
        highest = value > highest ? value : highest;
        finite = finite && is_number(value);
    }
    return finite ? highest : nanf("");
}

// Where the leading edge of a record with that peak crosses a fraction of it, in samples; NaN if it does not.
template <class R>
DISCRIMEN_FUNCTION double crossing_of(const R& record, int n_samples, const Level<R>& level, float peak,
                                      float fraction) {
    if (!(peak > 0)) return std::nan("");
    int peak_at = 0;  // the first of those that single precision does not tell apart
    while (peak_at + 1 < n_samples && level.above(record[peak_at]) < peak) ++peak_at;
    const float threshold = fraction * peak;
    for (int i = peak_at - 1; i >= 0; --i) {
        const float low = level.above(record[i]);
        if (low < threshold) {
            const float high = level.above(record[i + 1]);
            return double(i) + double(threshold - low) / double(high - low);
        }
    }
    return std::nan("");
}

}  // namespace discrimen::cuda
