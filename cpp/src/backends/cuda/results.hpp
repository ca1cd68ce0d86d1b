// Where the results of a call go, and how those of some pulses lie in a buffer on their way.
#pragma once

#include <cstddef>
#include <cstring>

#include "arithmetic/tile.hpp"

namespace discrimen::cuda {

// One kind of result: null if it is not wanted.
struct Result {
    char* to;
    std::size_t bytes;  // of a pulse
    bool on_device;     // it lies in the device's memory already
};

class Results {
   public:
    template <class OnDevice>
    Results(const NetworkPlan& plan, const Targets& targets, OnDevice on_device) : n_outputs_(plan.n_outputs) {
        add(targets.restoration,
            std::size_t(2 + plan.preparation.n_channels) * sizeof(double));  // what is widest first
        for (int i = 0; i < plan.n_outputs; ++i) {
            float* to = targets.outputs ? targets.outputs[i] : nullptr;
            if (targets.only >= 0) to = targets.only == i ? targets.alone : nullptr;
            add(to, std::size_t(plan.outputs[i].n_values) * sizeof(float));
        }
        add(targets.height, sizeof(float));
        add(targets.outside, sizeof(std::uint16_t));
        for (int i = 0; i < n_; ++i) results_[i].on_device = results_[i].to && on_device(results_[i].to);
    }

    // Whether something is asked for that needs the prepared pulses.
    bool ask_for_pulses() const { return results_[0].to || results_[n_ - 1].to; }

    // Of a pulse, of what goes through a buffer.
    std::size_t bytes_of_pulse() const {
        std::size_t bytes = 0;
        for (int i = 0; i < n_; ++i) bytes += through_buffer(i) ? results_[i].bytes : 0;
        return bytes;
    }

    // Tells a job where results of `count` pulses go: from number `first` of the call, or in the buffer.
    void aim(Job& job, std::size_t first, std::size_t count, char* buffer) const {
        job.restoration = reinterpret_cast<double*>(place(0, first, count, buffer));
        for (int i = 0; i < n_outputs_; ++i)
            job.outputs[i] = reinterpret_cast<float*>(place(1 + i, first, count, buffer));
        job.height = reinterpret_cast<float*>(place(1 + n_outputs_, first, count, buffer));
        job.outside = reinterpret_cast<std::uint16_t*>(place(2 + n_outputs_, first, count, buffer));
    }

    void take(std::size_t first, std::size_t count, const char* buffer) const {
        for (int i = 0; i < n_; ++i) {
            if (!through_buffer(i)) continue;
            std::memcpy(results_[i].to + first * results_[i].bytes, buffer, count * results_[i].bytes);
            buffer += count * results_[i].bytes;
        }
    }

    // No number is left of a call that failed: a float of set bits is none. A pulse counts as one that was not
    // prepared.
    void spoil(std::size_t n_pulses) const {
        for (int i = 0; i < n_; ++i)
            if (through_buffer(i)) std::memset(results_[i].to, 0xff, n_pulses * results_[i].bytes);
        if (!through_buffer(n_ - 1)) return;
        for (std::size_t pulse = 0; pulse < n_pulses; ++pulse)
            reinterpret_cast<std::uint16_t*>(results_[n_ - 1].to)[pulse] = DISCRIMEN_UNPREPARED;
    }

   private:
    void add(void* to, std::size_t bytes) { results_[n_++] = {static_cast<char*>(to), bytes, false}; }
    bool through_buffer(int i) const { return results_[i].to && !results_[i].on_device; }

    char* place(int which, std::size_t first, std::size_t count, char* buffer) const {
        const Result& result = results_[which];
        if (!result.to) return nullptr;
        if (result.on_device) return result.to + first * result.bytes;
        for (int i = 0; i < which; ++i)
            if (through_buffer(i)) buffer += count * results_[i].bytes;
        return buffer;
    }

    Result results_[most_outputs + 3];
    int n_ = 0, n_outputs_;
};

}  // namespace discrimen::cuda
