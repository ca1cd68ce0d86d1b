// The functions of the table, made of a device: what a GPU's library and its stand-in on the host have in common.
#pragma once

#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "discrimen/version.h"
#include "flat_plan.hpp"
#include "refusal.hpp"
#include "runner.hpp"
#include "shape.hpp"

namespace discrimen::cuda {

inline void explain(const std::string& reason, char* why, std::size_t size) {
    if (size > 0) std::snprintf(why, size, "%s", reason.c_str());
}

// Why a plan cannot be computed; empty if it can.
inline std::string refusal_of(const NetworkPlan& plan, int n_operations_known) {
    for (int i = 0; i < plan.n_operations; ++i)
        if (int(plan.operations[i].kind) >= n_operations_known)
            return "it lacks operation " + std::to_string(int(plan.operations[i].kind)) + ", which layer " +
                   std::to_string(plan.operations[i].layer) + " needs";
    if (plan.n_outputs > most_outputs)
        return "it takes " + std::to_string(most_outputs) + " outputs, the model has " + std::to_string(plan.n_outputs);
    return "";
}

template <class Device>
class Served {
   public:
    static Table table() {
        return {
            table_version,  plan_layout, DISCRIMEN_VERSION, open,    close, device_name, workspace_bytes, new_workspace,
            free_workspace, run,         allocate,          release, copy};
    }

   private:
    // Throws Refusal.
    Served(int number, const FlatPlan& flat) : device_(number), host_(flat.data, flat.data + flat.size) {
        std::vector<char> on_device = host_;
        relocate(host_.data(), host_.data());
        const std::string refusal = refusal_of(plan(), Device::n_operations_known());
        if (!refusal.empty()) throw Refusal(refusal);
        tile_ = choose_tile(plan(), device_.shared_bytes());
        const bool chain = fits_chain(plan(), device_.shared_bytes());
        n_blocks_ = {device_.n_blocks(tile_), chain ? device_.n_chain_blocks(chain_shape(plan(), chain_shift)) : 0};
        if (n_blocks_.whole == 0) throw Refusal("a block of threads has no room for a tile of the model");
        tiles_bytes_ = tile_.shared ? 0 : tile_.shape.bytes * n_blocks_.whole;
        copy_.reset(new Memory<Device>(device_, flat.size, true));
        if (!copy_->data())
            throw Refusal("no memory is left for the " + std::to_string(flat.size) + " bytes of the model");
        relocate(on_device.data(), copy_->data());
        if (!device_.copy_now(copy_->data(), on_device.data(), on_device.size()))
            throw Refusal("the model cannot be copied there");
        const PreparationPlan& p = plan().preparation;
        const std::size_t channels = std::size_t(p.n_channels), record = channels * std::size_t(p.shortest_record) * 4;
        std::size_t of_pulse = (2 + channels) * sizeof(double) + 8;
        for (int i = 0; i < plan().n_outputs; ++i) of_pulse += std::size_t(plan().outputs[i].n_values) * sizeof(float);
        sizes_ = {std::max(Device::sample_bytes, 2 * record), std::max(Device::sample_bytes / 8, 2 * channels),
                  std::max(Device::result_bytes, 2 * of_pulse)};
    }

    const NetworkPlan& plan() const { return *reinterpret_cast<const NetworkPlan*>(host_.data()); }

    // What a workspace is: buffers, streams, and memory for tiles where blocks have none.
    struct Work {
        explicit Work(Served& model)
            : tiles(model.device_, std::max<std::size_t>(model.tiles_bytes_ * n_lanes, 16), true),
              runner(model.device_, model.plan(), reinterpret_cast<const NetworkPlan*>(model.copy_->data()),
                     model.tile_.shape, model.tile_.shared ? nullptr : tiles.data(), model.tiles_bytes_,
                     model.n_blocks_, model.sizes_) {}
        Memory<Device> tiles;
        Runner<Device> runner;
    };

    static Served* of(void* model) { return static_cast<Served*>(model); }

    static void* open(int number, const FlatPlan* flat, char* why, std::size_t why_size) {
        try {
            return new Served(number, *flat);
        } catch (const Refusal& refusal) {
            explain(refusal.what(), why, why_size);
        } catch (const std::bad_alloc&) {
            explain("no memory is left on the host", why, why_size);
        } catch (...) {
            explain("unknown failure", why, why_size);
        }
        return nullptr;
    }
    static void close(void* model) { delete of(model); }
    static const char* device_name(const void* model) { return static_cast<const Served*>(model)->device_.name(); }
    static std::size_t workspace_bytes(const void* model) {
        const Served& served = *static_cast<const Served*>(model);
        return n_lanes *
               (2 * (served.sizes_.samples + served.sizes_.present + served.sizes_.results) + served.tiles_bytes_);
    }
    static void* new_workspace(void* model) {
        try {
            std::unique_ptr<Work> work(new Work(*of(model)));
            const bool complete = work->tiles.data() && work->runner.complete();
            if (!complete || !of(model)->device_.open_streams(work->runner.streams(), n_lanes)) return nullptr;
            return work.release();
        } catch (...) {
            return nullptr;
        }
    }
    static void free_workspace(void* model, void* workspace) {
        auto* work = static_cast<Work*>(workspace);
        of(model)->device_.close_streams(work->runner.streams(), n_lanes);
        delete work;
    }
    static std::int32_t run(void* model, void* workspace, const SampleView* view, const Targets* targets) {
        const typename Device::Entered entered(of(model)->device_);
        return static_cast<Work*>(workspace)->runner.run(*view, *targets);
    }
    static void* allocate(void* model, std::size_t size, std::int32_t on_device) {
        return of(model)->device_.allocate(size, on_device != 0);
    }
    static void release(void* model, void* memory, std::int32_t on_device) {
        of(model)->device_.release(memory, on_device != 0);
    }
    static std::int32_t copy(void* model, void* to, const void* from, std::size_t size) {
        return of(model)->device_.copy_now(to, from, size) ? DISCRIMEN_OK : DISCRIMEN_DEVICE_FAILED;
    }

    Device device_;
    std::vector<char> host_;
    TileChoice tile_;
    BlockCounts n_blocks_;
    std::size_t tiles_bytes_;
    std::unique_ptr<Memory<Device>> copy_;  // the plan on the device
    BufferSizes sizes_;
};

}  // namespace discrimen::cuda
