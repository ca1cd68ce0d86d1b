// Raw samples of a caller, brought into a buffer that a GPU copies from: those that are read, one behind the other.
#pragma once

#include <cstddef>
#include <cstring>

#include "arithmetic/needed.hpp"

namespace discrimen::cuda {

inline std::size_t bytes_of_sample(std::int32_t type) { return type < 2 ? 2 : 4; }

// Samples [first, last) of each channel of each pulse, and how they lie when they are packed.
class Packing {
   public:
    Packing(const PreparationPlan& plan, const SampleView& view)
        : needed_(needed_of(plan, view.n_samples)),
          n_channels_(std::size_t(plan.n_channels)),
          size_(bytes_of_sample(view.type)),
          run_(std::size_t(needed_.last - needed_.first) * size_) {}

    std::size_t bytes_of_pulse() const { return n_channels_ * run_; }

    // Whether the samples of a pulse lie as packed ones do, at `pulse_stride` from one another.
    bool is_row(const SampleView& view) const {
        return view.sample_stride == std::ptrdiff_t(size_) && view.pulse_stride >= std::ptrdiff_t(bytes_of_pulse()) &&
               (n_channels_ == 1 || view.channel_stride == std::ptrdiff_t(run_));
    }

    const char* first_sample(const SampleView& view, std::size_t pulse) const {
        return view.data + std::ptrdiff_t(pulse) * view.pulse_stride + needed_.first * view.sample_stride;
    }

    void pack(const SampleView& view, std::size_t first, std::size_t count, char* to) const {
        if (is_row(view) && view.pulse_stride == std::ptrdiff_t(bytes_of_pulse())) {
            std::memcpy(to, first_sample(view, first), count * bytes_of_pulse());
            return;
        }
        for (std::size_t pulse = first; pulse < first + count; ++pulse)
            for (std::size_t c = 0; c < n_channels_; ++c, to += run_)
                pack_run(first_sample(view, pulse) + std::ptrdiff_t(c) * view.channel_stride, view.sample_stride, to);
    }

    // The view of `count` packed pulses that lie at `data`.
    SampleView view_of(const SampleView& view, const char* data, std::size_t count) const {
        SampleView packed = view;
        packed.data = data - needed_.first * std::ptrdiff_t(size_);
        packed.n_pulses = count;
        packed.pulse_stride = std::ptrdiff_t(bytes_of_pulse());
        packed.channel_stride = std::ptrdiff_t(run_);
        packed.sample_stride = std::ptrdiff_t(size_);
        return packed;
    }

    // Samples of a view all lie at multiples of their size.
    bool is_aligned(const SampleView& view) const {
        const std::ptrdiff_t bits = std::ptrdiff_t(reinterpret_cast<std::uintptr_t>(view.data)) | view.sample_stride |
                                    view.pulse_stride | (n_channels_ > 1 ? view.channel_stride : 0);
        return bits % std::ptrdiff_t(size_) == 0;
    }

   private:
    void pack_run(const char* from, std::ptrdiff_t stride, char* to) const {
        if (stride == std::ptrdiff_t(size_)) {
            std::memcpy(to, from, run_);
        } else if (size_ == 2) {
            for (std::size_t at = 0; at < run_; at += 2, from += stride) std::memcpy(to + at, from, 2);
        } else {
            for (std::size_t at = 0; at < run_; at += 4, from += stride) std::memcpy(to + at, from, 4);
        }
    }

    Needed needed_;
    std::size_t n_channels_, size_, run_;
};

}  // namespace discrimen::cuda
