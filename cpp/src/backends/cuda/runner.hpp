// Pulses in pieces through several lanes, each with buffers and a stream of its own: while one is packed, others are
// copied, computed and copied back. A small batch is read and written where the host packs it, by one launch.
#pragma once

#include <algorithm>

#include "discrimen/discrimen.h"
#include "packing.hpp"
#include "results.hpp"
#include "shape.hpp"

namespace discrimen::cuda {

constexpr int n_lanes = 3;

// Memory of the device or of the host, gone with its owner.
template <class Device>
class Memory {
   public:
    Memory(Device& device, std::size_t size, bool on_device)
        : device_(device), data_(static_cast<char*>(device.allocate(size, on_device))), on_device_(on_device) {}
    ~Memory() {
        if (data_) device_.release(data_, on_device_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    char* data() const { return data_; }

   private:
    Device& device_;
    char* data_;
    bool on_device_;
};

struct BufferSizes {
    std::size_t samples, present, results;  // bytes of a lane
};

// Blocks that compute at once: those of any network, and those of a chain; 0 if it is none.
struct BlockCounts {
    std::size_t whole, chain;
};

template <class Device>
class Lane {
   public:
    Lane(Device& device, const BufferSizes& sizes)
        : packed(device, sizes.samples, false),
          samples(device, sizes.samples, true),
          there(device, sizes.present, false),
          present(device, sizes.present, true),
          ready(device, sizes.results, false),
          results(device, sizes.results, true) {}

    bool complete() const {
        return packed.data() && samples.data() && there.data() && present.data() && ready.data() && results.data();
    }

    Memory<Device> packed, samples;  // on the host, on the device
    Memory<Device> there, present;   // the same of the channels that are there
    Memory<Device> ready, results;
    std::size_t first = 0, count = 0;  // pulses that are on their way; none: the lane is free
};

// The memory of one thread.
template <class Device>
class Runner {
   public:
    using Stream = typename Device::Stream;

    Runner(Device& device, const NetworkPlan& on_host, const NetworkPlan* on_device, const TileShape& shape,
           char* tiles, std::size_t tiles_bytes, const BlockCounts& n_blocks, const BufferSizes& sizes)
        : device_(device),
          plan_(on_host),
          on_device_(on_device),
          shape_(shape),
          tiles_(tiles),
          tiles_bytes_(tiles_ ? tiles_bytes : 0),
          n_blocks_(n_blocks),
          sizes_(sizes),
          lanes_{{device, sizes}, {device, sizes}, {device, sizes}} {}

    bool complete() const {
        return std::all_of(lanes_, lanes_ + n_lanes, [](const Lane<Device>& lane) { return lane.complete(); });
    }
    Stream* streams() { return streams_; }

    discrimen_status run(const SampleView& view, const Targets& targets) {
        const Results results(plan_, targets, [&](const void* at) { return device_.is_on_device(at); });
        const Packing packing(plan_.preparation, view);
        const bool direct = device_.is_on_device(view.data);
        const std::size_t most = most_pulses(view, packing, results, direct);
        if (most == 0) return DISCRIMEN_RECORD_TOO_LONG;
        const bool small = !direct && view.n_pulses <= std::min(Device::small_batch, most) && is_staged(view, packing);
        const bool pinned = !direct && !small && packing.is_row(view) && device_.is_pinned(view.data);
        const Call call = {view, targets, results, packing, direct, small, pinned};
        bool good = !device_.failed();
        int turn = 0;
        for (std::size_t done = 0; good && done < view.n_pulses; done += most, turn = (turn + 1) % n_lanes)
            good = finish(call, turn) && start(call, turn, done, std::min(most, view.n_pulses - done));
        for (int i = 0; i < n_lanes; ++i) good = finish(call, (turn + i) % n_lanes) && good;
        if (good) return DISCRIMEN_OK;
        device_.give_up();
        results.spoil(view.n_pulses);
        return DISCRIMEN_DEVICE_FAILED;
    }

   private:
    struct Call {
        const SampleView& view;
        const Targets& targets;
        const Results& results;
        const Packing& packing;
        bool direct;  // samples lie in the device's memory
        bool small;   // the device reads and writes the host's memory
        bool pinned;  // the device copies from the caller's memory
    };

    // In one piece.
    std::size_t most_pulses(const SampleView& view, const Packing& packing, const Results& results, bool direct) const {
        std::size_t most = Device::most_pulses;
        if (!direct) most = std::min(most, sizes_.samples / packing.bytes_of_pulse());
        if (results.bytes_of_pulse() > 0) most = std::min(most, sizes_.results / results.bytes_of_pulse());
        if (view.present) most = std::min(most, sizes_.present / std::size_t(plan_.preparation.n_channels));
        return most;
    }

    // Whether tiles have room for raw samples: memory of the host is read by the device once, or not at all.
    bool is_staged(const SampleView& view, const Packing& packing) const {
        const std::size_t size = bytes_of_sample(view.type), n_values = packing.bytes_of_pulse() / size;
        return staged_pitch(n_values, size) << shape_.shift <= shape_.raw_bytes;
    }

    bool start(const Call& call, int number, std::size_t first, std::size_t count) {
        Lane<Device>& lane = lanes_[number];
        Stream& stream = streams_[number];
        Job job{};
        job.plan = on_device_;
        job.seed = call.targets.seed;
        job.first_pulse = first;
        job.raw = call.targets.raw;
        if (!bring_samples(call, number, first, count, job) || !bring_present(call, number, first, count, job))
            return false;
        job.aligned = call.packing.is_aligned(job.view);
        job.chain = n_blocks_.chain > 0 && job.view.type < 2 && job.aligned && !job.view.present &&
                    !call.results.ask_for_pulses();
        job.shape = job.chain ? chain_shape_for(plan_, count, n_blocks_.chain)
                              : narrowed(plan_, shape_, count, n_blocks_.whole);
        call.results.aim(job, first, count, call.small ? lane.ready.data() : lane.results.data());
        lane.first = first;
        lane.count = count;
        if (!device_.launch(stream, job, tiles_ ? tiles_ + std::size_t(number) * tiles_bytes_ : nullptr)) return false;
        const std::size_t bytes = count * call.results.bytes_of_pulse();
        return call.small || bytes == 0 || device_.copy(stream, lane.ready.data(), lane.results.data(), bytes, false);
    }

    bool bring_samples(const Call& call, int number, std::size_t first, std::size_t count, Job& job) {
        Lane<Device>& lane = lanes_[number];
        const SampleView& view = call.view;
        if (call.direct) {
            job.view = view;
            job.view.data += std::ptrdiff_t(first) * view.pulse_stride;
            job.view.n_pulses = count;
            return true;
        }
        const std::size_t row = call.packing.bytes_of_pulse();
        job.view = call.packing.view_of(view, call.small ? lane.packed.data() : lane.samples.data(), count);
        if (call.pinned)
            return device_.copy_rows(streams_[number], lane.samples.data(), call.packing.first_sample(view, first),
                                     count, row, std::size_t(view.pulse_stride));
        call.packing.pack(view, first, count, lane.packed.data());
        return call.small || device_.copy(streams_[number], lane.samples.data(), lane.packed.data(), count * row, true);
    }

    bool bring_present(const Call& call, int number, std::size_t first, std::size_t count, Job& job) {
        Lane<Device>& lane = lanes_[number];
        const auto n_channels = std::size_t(plan_.preparation.n_channels);
        if (!call.view.present) return true;
        for (std::size_t pulse = 0; pulse < count; ++pulse)
            std::memcpy(lane.there.data() + pulse * n_channels,
                        call.view.present + std::ptrdiff_t(first + pulse) * call.view.present_stride, n_channels);
        job.view.present = reinterpret_cast<const std::uint8_t*>(call.small ? lane.there.data() : lane.present.data());
        job.view.present_stride = std::ptrdiff_t(n_channels);
        return call.small ||
               device_.copy(streams_[number], lane.present.data(), lane.there.data(), count * n_channels, true);
    }

    // Waits for what a lane has on its way, and hands its results over.
    bool finish(const Call& call, int number) {
        Lane<Device>& lane = lanes_[number];
        if (lane.count == 0) return true;
        const bool good = device_.wait(streams_[number]);
        if (good) call.results.take(lane.first, lane.count, lane.ready.data());
        lane.count = 0;
        return good;
    }

    Device& device_;
    const NetworkPlan& plan_;
    const NetworkPlan* on_device_;
    TileShape shape_;
    char* tiles_;  // of blocks that have no memory of their own for them, lane by lane; null
    std::size_t tiles_bytes_;
    BlockCounts n_blocks_;
    BufferSizes sizes_;
    Lane<Device> lanes_[n_lanes];
    Stream streams_[n_lanes];
};

}  // namespace discrimen::cuda
