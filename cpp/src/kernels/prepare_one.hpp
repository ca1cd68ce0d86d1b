// Preparation of a single pulse, any type of sample, with or without alignment: raw samples to scaled window.
#pragma once

#include <cstdint>
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
    std::uint32_t bits;

    T operator[](std::ptrdiff_t number) const {
        const char* at = data + number * (contiguous ? std::ptrdiff_t(sizeof(T)) : stride);
        const T sample = *reinterpret_cast<const typename Unaligned<T>::type*>(at);
        if constexpr (std::is_same_v<T, float>)
            return sample;
        else
            return static_cast<T>(sample & static_cast<T>(bits));
    }
};

// The mean over the baseline window; integers are summed exactly. 0 for an empty one.
template <class R>
static inline double mean_of(const R& record, int start, int stop) {
    using T = decltype(record[0]);
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, std::int64_t>;
    if (start == stop) return 0;
    Sum sum = 0;
    for (int i = start; i < stop; ++i) sum += Sum(record[i]);
    return double(sum) / (stop - start);
}

// A baseline to be subtracted without a loss of digits: of integers first the whole number next to it, which leaves an
// integer, then the rest. The same counts give the same values whatever type they come in.
template <class T>
struct Level {
    double whole;
    float rest = 0, polarity;

    Level(double baseline, float sign) : whole(baseline), polarity(sign) {
        if constexpr (!std::is_same_v<T, float>) {
            whole = __builtin_rint(baseline);
            rest = float(baseline - whole);
        }
    }

    // The sample above the baseline, pulses upwards.
    float above(T sample) const {
        if constexpr (sizeof(T) == 2)
            return polarity * (float(sample) - float(whole) - rest);
        else
            return polarity * (float(double(sample) - whole) - rest);
    }
};

// The highest sample above the baseline in the whole record; NaN if one is not finite.
template <class R, class L>
static inline float highest_of(const R& record, int n_samples, const L& level) {
    using T = decltype(record[0]);
    T highest = record[0];
    bool finite = true;
    if (level.polarity > 0)
        for (int i = 0; i < n_samples; ++i) highest = record[i] > highest ? record[i] : highest;
    else
        for (int i = 0; i < n_samples; ++i) highest = record[i] < highest ? record[i] : highest;
    if constexpr (std::is_same_v<T, float>)
        for (int i = 0; i < n_samples; ++i) finite = finite && __builtin_isfinite(level.above(record[i]));
    return finite ? level.above(highest) : __builtin_nanf("");
}

// From the lowest to the highest sample of a window of the record.
template <class R>
static inline float spread_of(const R& record, int start, int stop) {
    auto low = record[start], high = low;
    for (int i = start + 1; i < stop; ++i) {
        const auto sample = record[i];
        low = sample < low ? sample : low;
        high = sample > high ? sample : high;
    }
    return float(double(high) - double(low));
}

// Where the leading edge of a record with that peak crosses a fraction of it, in samples; NaN if it does not.
template <class R, class L>
static inline double crossing_of(const R& record, const L& level, float peak, float fraction) {
    if (!(peak > 0)) return __builtin_nan("");
    int peak_at = 0;  // the first of those that single precision does not tell apart
    while (level.above(record[peak_at]) != peak) ++peak_at;
    const float threshold = fraction * peak;
    for (int i = peak_at - 1; i >= 0; --i) {
        const float low = level.above(record[i]);
        if (low < threshold) {
            const float high = level.above(record[i + 1]);
            return double(i) + double(threshold - low) / double(high - low);
        }
    }
    return __builtin_nan("");
}

// Copies the window that starts at `first` of the record; samples beyond the record are at the baseline.
template <class R, class L>
static inline void cut_window(const R& record, int n_samples, const L& level, std::int64_t first, int length,
                              float* window) {
    if (first >= 0 && first + length <= n_samples) {
        for (int i = 0; i < length; ++i) window[i] = level.above(record[first + i]);
        return;
    }
    for (int i = 0; i < length; ++i) {
        const std::int64_t at = first + i;
        window[i] = at >= 0 && at < n_samples ? level.above(record[at]) : 0.0f;
    }
}

// The same from a place between two samples, `share` of the way from one to the next.
template <class R, class L>
static inline void cut_between(const R& record, int n_samples, const L& level, std::int64_t first, float share,
                               int length, float* window) {
    cut_window(record, n_samples, level, first, length, window);
    if (share == 0) return;
    float last;
    cut_window(record, n_samples, level, first + length, 1, &last);
    for (int i = 0; i + 1 < length; ++i) window[i] += share * (window[i + 1] - window[i]);
    window[length - 1] += share * (last - window[length - 1]);
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
// NOLINTBEGIN(misc-redundant-expression)
static inline bool all_finite(const float* values, int length) {
    Vector zeros = {};
    int i = 0;
    for (; i + lanes <= length; i += lanes) zeros += load(values + i) - load(values + i);
    float zero = sum_of_lanes(zeros);
    for (; i < length; ++i) zero += values[i] - values[i];
    return zero == 0.0f;
}
// NOLINTEND(misc-redundant-expression)

// `lanes` samples that lie one behind the other.
template <class T>
static inline IntVector load_integers(const char* from, T bits) {
    typedef T Samples __attribute__((vector_size(sizeof(T) * lanes)));
    typedef T UnalignedSamples __attribute__((vector_size(sizeof(T) * lanes), aligned(1), may_alias));
    return __builtin_convertvector(Samples(*reinterpret_cast<const UnalignedSamples*>(from)) & bits, IntVector);
}

template <class T>
static inline Vector load_samples(const char* from, T bits) {
    return to_float(load_integers<T>(from, bits));
}

// Sums of so many 16-bit integers fit into 32 bits, and are exact.
constexpr int longest_baseline = 32768;

template <std::size_t... lane>
static inline IntVector lane_numbers(std::index_sequence<lane...>) {
    return IntVector{int(lane)...};
}

// The mean of a short baseline of 16-bit samples in a record of a vector or more, whole vectors at a time.
template <class T>
static inline double short_mean_of(const Record<T, true>& record, int n_samples, int start, int stop) {
    if (start == stop) return 0;
    const IntVector numbers = lane_numbers(std::make_index_sequence<lanes>());
    IntVector sums = {};
    for (int at = start; at < stop; at += lanes) {
        const int column = at < n_samples - lanes ? at : n_samples - lanes;
        const IntVector values = load_integers<T>(record.data + column * std::ptrdiff_t(sizeof(T)), T(record.bits));
        sums += (numbers >= at - column) & (numbers < stop - column) & values;
    }
    return double(sum_of_lanes(sums)) / (stop - start);
}

// One pulse where it lies, with what is asked of it.
struct Pulse {
    const char* data;
    const std::uint8_t* present;  // one for each channel; null: all are there
    double* origin;               // start, divisor, baseline of each channel
};

// The usual case, without a detour through memory: one channel of 16-bit samples, a window that stands still and holds
// a vector or more, scaled to its peak. The last vector goes back as far as it must to end with the window.
template <class T>
static __attribute__((noinline)) bool prepare_still(const PreparationPlan& plan, const Record<T, true>& record,
                                                    int n_samples, double* origin, float* window) {
    const ChannelPlan& channel = plan.channels[0];
    const T bits = static_cast<T>(record.bits);
    const char* samples = record.data + channel.window_start * std::ptrdiff_t(sizeof(T));
    const int last = plan.window_length - lanes;
    Vector highest = load_samples<T>(samples + last * std::ptrdiff_t(sizeof(T)), bits), lowest = highest;
    for (int i = 0; i < last; i += lanes) {
        const Vector values = load_samples<T>(samples + i * std::ptrdiff_t(sizeof(T)), bits);
        highest = larger(highest, values);
        lowest = smaller(lowest, values);
    }
    const double baseline = short_mean_of(record, n_samples, channel.baseline_start, channel.baseline_stop);
    // The baseline as a float and what is left of it: samples of 16 bit above the first lose no digit.
    const float whole = float(baseline), rest = float(baseline - double(whole));
    const float peak =
        channel.polarity > 0 ? largest_lane(highest) - whole - rest : largest_lane(-lowest) + whole + rest;
    const bool valid = peak > 0;
    const float factor = valid ? channel.polarity / peak : 0.0f, offset = -rest * factor;
    for (int i = 0; i < last + lanes; i += lanes) {
        const int at = i < last ? i : last;
        const Vector values = load_samples<T>(samples + at * std::ptrdiff_t(sizeof(T)), bits);
        store(window + at, (values - whole) * factor + offset);
    }
    origin[0] = 0;
    origin[1] = double(peak);
    origin[2] = baseline;
    return valid;
}

// Every other case: any number of channels, any type and stride, with or without alignment.
template <class T, bool contiguous>
class Preparation {
   public:
    Preparation(const PreparationPlan& plan, const SampleView& view, const Pulse& pulse, float* window)
        : plan_(plan), view_(view), pulse_(pulse), window_(window), n_samples_(int(view.n_samples)) {}

    // Writes the prepared windows of all channels, or returns false and writes zeros. Writes whole vectors: up to
    // lanes - 1 floats behind the last window. Not inlined: the usual case should not pay for its registers.
    __attribute__((noinline)) bool prepare() {
        const bool valid = prepare_values();
        const int count = plan_.n_channels * plan_.window_length;
        // One over a float may be no normal number, so this divides.
        const float divisor = float(pulse_.origin[1]);
        for (int i = 0; i < count; i += lanes) store(window_ + i, valid ? load(window_ + i) / divisor : Vector{});
        return valid;
    }

   private:
    bool there(int channel) const { return !pulse_.present || pulse_.present[channel]; }
    Record<T, contiguous> record(int channel) const {
        return {pulse_.data + channel * view_.channel_stride, view_.sample_stride, view_.bits};
    }
    Level<T> level(int channel) const { return {pulse_.origin[2 + channel], plan_.channels[channel].polarity}; }
    float* window(int channel) const { return window_ + std::ptrdiff_t(channel) * plan_.window_length; }

    bool prepare_values() {
        bool any = false;
        pulse_.origin[0] = 0;
        pulse_.origin[1] = 1;
        for (int c = 0; c < plan_.n_channels; ++c) {
            any = any || there(c);
            pulse_.origin[2 + c] =
                there(c) ? mean_of(record(c), plan_.channels[c].baseline_start, plan_.channels[c].baseline_stop) : 0.0;
        }
        if (!any || (plan_.reference >= 0 && !there(plan_.reference))) return false;
        if (plan_.aligned && !find_start()) return false;
        cut();
        if (std::is_same_v<T, float> && !all_finite(window_, plan_.n_channels * plan_.window_length)) return false;
        return plan_.scale == Scale::none || find_divisor();
    }

    bool find_start() {
        int reference = plan_.reference;
        float peak = 0;
        if (reference >= 0) {
            peak = highest_of(record(reference), n_samples_, level(reference));
        } else {
            for (int c = 0; c < plan_.n_channels; ++c) {
                if (!there(c)) continue;
                const float highest = highest_of(record(c), n_samples_, level(c));
                if (!(highest == highest)) return false;
                if (reference < 0 || highest > peak) reference = c, peak = highest;
            }
        }
        const double crossing = crossing_of(record(reference), level(reference), peak, plan_.fraction);
        if (!(crossing == crossing)) return false;
        const double start = crossing - double(plan_.position), whole = __builtin_floor(start);
        pulse_.origin[0] = plan_.interpolate ? start : whole;
        first_ = std::int64_t(whole);
        share_ = plan_.interpolate ? float(start - whole) : 0.0f;
        return true;
    }

    void cut() {
        for (int c = 0; c < plan_.n_channels; ++c) {
            float* to = window(c);
            if (there(c))
                cut_between(record(c), n_samples_, level(c), first_ + plan_.channels[c].window_start, share_,
                            plan_.window_length, to);
            else
                for (int i = 0; i < plan_.window_length; ++i) to[i] = 0;
        }
    }

    bool find_divisor() {
        int reference = plan_.reference;
        float peak = 0;
        for (int c = 0; c < plan_.n_channels; ++c) {
            if (plan_.reference >= 0 ? c != reference : !there(c)) continue;
            const float highest = peak_of(window(c), plan_.window_length);
            if (reference < 0 || reference == c || highest > peak) reference = c, peak = highest;
        }
        const float divisor = plan_.scale == Scale::peak ? peak : sum_of(window(reference), plan_.window_length);
        pulse_.origin[1] = double(divisor);
        return peak > 0 && divisor > 0 && __builtin_isfinite(divisor);
    }

    const PreparationPlan& plan_;
    const SampleView& view_;
    const Pulse& pulse_;
    float* window_;
    int n_samples_;
    std::int64_t first_ = 0;
    float share_ = 0;
};

template <class T>
static inline bool prepare_typed(const PreparationPlan& plan, const SampleView& view, const Pulse& pulse,
                                 float* window) {
    if constexpr (sizeof(T) == 2)
        if (view.sample_stride == 2 && plan.n_channels == 1 && !plan.aligned && plan.scale == Scale::peak &&
            !pulse.present && plan.window_length >= lanes &&
            plan.channels[0].baseline_stop - plan.channels[0].baseline_start <= longest_baseline)
            return prepare_still<T>(plan, {pulse.data, 0, view.bits}, int(view.n_samples), pulse.origin, window);
    if (view.sample_stride == sizeof(T)) return Preparation<T, true>(plan, view, pulse, window).prepare();
    return Preparation<T, false>(plan, view, pulse, window).prepare();
}

static inline bool prepare_one(const PreparationPlan& plan, const SampleView& view, const Pulse& pulse, float* window) {
    switch (view.type) {
        case 0: return prepare_typed<std::int16_t>(plan, view, pulse, window);
        case 1: return prepare_typed<std::uint16_t>(plan, view, pulse, window);
        case 2: return prepare_typed<std::int32_t>(plan, view, pulse, window);
        default: return prepare_typed<float>(plan, view, pulse, window);
    }
}

template <class T>
static inline float baseline_spread_typed(const ChannelPlan& channel, const SampleView& view, const char* data) {
    const int start = channel.baseline_start, stop = channel.baseline_stop;
    if (view.sample_stride == sizeof(T)) return spread_of(Record<T, true>{data, 0, view.bits}, start, stop);
    return spread_of(Record<T, false>{data, view.sample_stride, view.bits}, start, stop);
}

// From the lowest to the highest sample of the baseline window of a pulse of one channel.
static inline float baseline_spread(const ChannelPlan& channel, const SampleView& view, const char* data) {
    switch (view.type) {
        case 0: return baseline_spread_typed<std::int16_t>(channel, view, data);
        case 1: return baseline_spread_typed<std::uint16_t>(channel, view, data);
        case 2: return baseline_spread_typed<std::int32_t>(channel, view, data);
        default: return baseline_spread_typed<float>(channel, view, data);
    }
}

}  // namespace discrimen::DISCRIMEN_INSTRUCTION_SET
