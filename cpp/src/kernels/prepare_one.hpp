// Preparation of a single pulse, any type of sample, with or without alignment: raw samples to scaled window.
#pragma once

#include <type_traits>

#include "../plan.hpp"
#include "vector.hpp"

namespace discrimen::DISCRIMEN_INSTRUCTION_SET {

template <class T>
struct Unaligned {
    typedef T type __attribute__((aligned(1), may_alias));
};

// The samples of one pulse wherever they lie. `step` is known to be one sample when it is 0, for the compiler's sake.
template <class T, bool contiguous>
struct Record {
    const char* data;
    std::ptrdiff_t stride;
    std::uint32_t mask;

    T operator[](std::ptrdiff_t number) const {
        const char* at = data + number * (contiguous ? std::ptrdiff_t(sizeof(T)) : stride);
        const T sample = *reinterpret_cast<const typename Unaligned<T>::type*>(at);
        if constexpr (std::is_same_v<T, float>)
            return sample;
        else
            return static_cast<T>(sample & static_cast<T>(mask));
    }
};

// The mean over the baseline window; integers of 16 bit are summed exactly.
template <class R>
static inline double mean_of(const R& record, int start, int stop) {
    using T = decltype(record[0]);
    if constexpr (sizeof(T) == 2) {
        std::int64_t sum = 0;
        for (int i = start; i < stop; ++i) sum += record[i];
        return double(sum) / (stop - start);
    } else {
        double sum = 0;
        for (int i = start; i < stop; ++i) sum += double(record[i]);
        return sum / (stop - start);
    }
}

// A sample above the baseline, pulses upwards. float holds integers only up to 2**24: longer ones are subtracted first.
template <class T>
static inline float above(T sample, double baseline, float polarity) {
    if constexpr (std::is_same_v<T, std::int32_t>)
        return polarity * float(double(sample) - baseline);
    else
        return polarity * (float(sample) - float(baseline));
}

// Where the leading edge crosses a fraction of the peak, in samples; NaN if it does not, or if a sample is not finite.
template <class R>
static inline float crossing_of(const R& record, int n_samples, double baseline, float polarity, float fraction) {
    using T = decltype(record[0]);
    const float not_found = __builtin_nanf("");
    T highest = record[0];
    bool finite = true;
    if (polarity > 0)
        for (int i = 0; i < n_samples; ++i) highest = record[i] > highest ? record[i] : highest;
    else
        for (int i = 0; i < n_samples; ++i) highest = record[i] < highest ? record[i] : highest;
    if constexpr (std::is_same_v<T, float>)
        for (int i = 0; i < n_samples; ++i)
            finite = finite && __builtin_isfinite(above(record[i], baseline, polarity));
    const float peak = above(highest, baseline, polarity);
    if (!finite || !(peak > 0)) return not_found;
    int peak_at = 0;  // the first of those that single precision does not tell apart
    while (above(record[peak_at], baseline, polarity) != peak) ++peak_at;
    const float threshold = fraction * peak;
    for (int i = peak_at - 1; i >= 0; --i) {
        const float low = above(record[i], baseline, polarity);
        if (low < threshold) {
            const float high = above(record[i + 1], baseline, polarity);
            return float(i) + (threshold - low) / (high - low);
        }
    }
    return not_found;
}

// Copies the window that starts at `first` of the record; samples beyond the record are at the baseline.
template <class R>
static inline void cut_window(const R& record, int n_samples, double baseline, float polarity, std::int64_t first,
                              int length, float* window) {
    if (first >= 0 && first + length <= n_samples) {
        for (int i = 0; i < length; ++i) window[i] = above(record[first + i], baseline, polarity);
        return;
    }
    for (int i = 0; i < length; ++i) {
        const std::int64_t at = first + i;
        window[i] = at >= 0 && at < n_samples ? above(record[at], baseline, polarity) : 0.0f;
    }
}

template <class R>
static inline bool align_window(const PreparationPlan& plan, const R& record, int n_samples, double baseline,
                                float* window) {
    const float crossing = crossing_of(record, n_samples, baseline, plan.polarity, plan.fraction);
    if (!(crossing == crossing)) return false;
    const float start = crossing - float(plan.position);
    const float whole = __builtin_floorf(start);
    const float share = start - whole;
    const auto first = static_cast<std::int64_t>(whole);
    const int length = plan.window_length;
    cut_window(record, n_samples, baseline, plan.polarity, first, length, window);
    if (plan.interpolate) {
        float last;
        cut_window(record, n_samples, baseline, plan.polarity, first + length, 1, &last);
        for (int i = 0; i + 1 < length; ++i) window[i] += share * (window[i + 1] - window[i]);
        window[length - 1] += share * (last - window[length - 1]);
    }
    return true;
}

static inline float sum_of(const float* values, int length) {
    Vector sums = {};
    int i = 0;
    for (; i + lanes <= length; i += lanes) sums += load(values + i);
    float sum = sum_of_lanes(sums);
    for (; i < length; ++i) sum += values[i];
    return sum;
}

static inline float peak_of(const float* values, int length) {
    float peak = values[0];
    if (length < lanes) {
        for (int i = 1; i < length; ++i) peak = peak > values[i] ? peak : values[i];
        return peak;
    }
    Vector peaks = load(values + length - lanes);
    for (int i = 0; i + lanes <= length; i += lanes) peaks = larger(peaks, load(values + i));
    return largest_lane(peaks);
}

// A difference from itself is 0 for numbers alone; a sum of the values could overflow though each of them is finite.
static inline bool all_finite(const float* values, int length) {
    Vector zeros = {};
    int i = 0;
    for (; i + lanes <= length; i += lanes) zeros += load(values + i) - load(values + i);
    float zero = sum_of_lanes(zeros);
    for (; i < length; ++i) zero += values[i] - values[i];
    return zero == 0.0f;
}

// What the window is divided by; 0 if the pulse does not rise above its baseline or a value is not finite.
template <class T>
static inline float divisor_of(Scale scale, const float* window, int length) {
    if (std::is_same_v<T, float> && !all_finite(window, length)) return 0.0f;
    const float peak = peak_of(window, length);
    if (!(peak > 0)) return 0.0f;
    return scale == Scale::peak ? peak : scale == Scale::area ? sum_of(window, length) : 1.0f;
}

// `lanes` samples that lie one behind the other, as floats.
template <class T>
static inline Vector load_samples(const char* from, T mask) {
    typedef T Samples __attribute__((vector_size(sizeof(T) * lanes)));
    typedef T UnalignedSamples __attribute__((vector_size(sizeof(T) * lanes), aligned(1), may_alias));
    return __builtin_convertvector(Samples(*reinterpret_cast<const UnalignedSamples*>(from)) & mask, Vector);
}

// The usual case, without a detour through memory: 16-bit samples, a window that stands still and holds a vector or
// more, scaled to its peak. The last vector goes back as far as it must to end with the window.
template <class T>
static inline bool prepare_still(const PreparationPlan& plan, const Record<T, true>& record, float* window) {
    const T mask = static_cast<T>(record.mask);
    const char* samples = record.data + plan.window_start * std::ptrdiff_t(sizeof(T));
    const int last = plan.window_length - lanes;
    Vector highest = load_samples<T>(samples + last * std::ptrdiff_t(sizeof(T)), mask), lowest = highest;
    for (int i = 0; i < last; i += lanes) {
        const Vector values = load_samples<T>(samples + i * std::ptrdiff_t(sizeof(T)), mask);
        highest = larger(highest, values);
        lowest = smaller(lowest, values);
    }
    const float baseline = float(mean_of(record, plan.baseline_start, plan.baseline_stop));
    const float peak = plan.polarity > 0 ? largest_lane(highest) - baseline : largest_lane(-lowest) + baseline;
    const bool valid = peak > 0;
    const float factor = valid ? plan.polarity / peak : 0.0f;
    for (int i = 0; i < last + lanes; i += lanes) {
        const int at = i < last ? i : last;
        const Vector values = load_samples<T>(samples + at * std::ptrdiff_t(sizeof(T)), mask);
        store(window + at, (values - baseline) * factor);
    }
    return valid;
}

// Writes the prepared window, or returns false and writes zeros. Writes whole vectors: up to lanes - 1 floats
// behind the window.
template <class R>
static inline bool prepare_record(const PreparationPlan& plan, const R& record, int n_samples, float* window) {
    const double baseline = mean_of(record, plan.baseline_start, plan.baseline_stop);
    bool valid = true;
    if (plan.aligned)
        valid = align_window(plan, record, n_samples, baseline, window);
    else
        cut_window(record, n_samples, baseline, plan.polarity, plan.window_start, plan.window_length, window);
    const float divisor = valid ? divisor_of<decltype(record[0])>(plan.scale, window, plan.window_length) : 0.0f;
    valid = divisor > 0 && __builtin_isfinite(divisor);
    // One over a float may be no normal number, so this divides.
    for (int i = 0; i < plan.window_length; i += lanes)
        store(window + i, valid ? load(window + i) / divisor : Vector{});
    return valid;
}

template <class T>
static inline bool prepare_typed(const PreparationPlan& plan, const SampleView& view, const char* pulse,
                                 float* window) {
    const int n_samples = static_cast<int>(view.n_samples);
    if constexpr (sizeof(T) == 2)
        if (view.sample_stride == 2 && !plan.aligned && plan.scale == Scale::peak && plan.window_length >= lanes)
            return prepare_still<T>(plan, {pulse, 0, view.mask}, window);
    if (view.sample_stride == sizeof(T))
        return prepare_record(plan, Record<T, true>{pulse, 0, view.mask}, n_samples, window);
    return prepare_record(plan, Record<T, false>{pulse, view.sample_stride, view.mask}, n_samples, window);
}

static inline bool prepare_one(const PreparationPlan& plan, const SampleView& view, const char* pulse, float* window) {
    switch (view.type) {
        case 0: return prepare_typed<std::int16_t>(plan, view, pulse, window);
        case 1: return prepare_typed<std::uint16_t>(plan, view, pulse, window);
        case 2: return prepare_typed<std::int32_t>(plan, view, pulse, window);
        default: return prepare_typed<float>(plan, view, pulse, window);
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
