// What the engine and the library that computes on a GPU know of each other. The library is loaded when a model asks
// for that device, so that the engine depends on nothing; both come from one version of these sources.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../plan.hpp"

namespace discrimen::cuda {

constexpr std::uint32_t table_version = 1;
constexpr const char* table_symbol = "discrimen_cuda_table";
constexpr const char* library_name = "libdiscrimen_cuda.so";

// A plan and all that it points to, in one piece: first the NetworkPlan. In place of addresses stand offsets from its
// start.
struct FlatPlan {
    const char* data;
    std::size_t size;
};

// Bytes that plans are made of: those of two libraries that agree on them were laid out by the same sources.
constexpr std::uint32_t plan_layout = sizeof(NetworkPlan) + 7 * sizeof(Operation) + 31 * sizeof(OutputPlan) +
                                      101 * sizeof(ChannelPlan) + 211 * sizeof(SampleView) + 307 * sizeof(Targets);

// `why` gets the reason of a failure, ended by a zero byte, in one line. No function lets an exception out.
struct Table {
    std::uint32_t version, layout;  // table_version, plan_layout; first, whatever else changes
    const char* engine_version;     // DISCRIMEN_VERSION
    // A model on a device, or null.
    void* (*open)(int device, const FlatPlan* plan, char* why, std::size_t why_size);
    void (*close)(void* model);
    const char* (*device_name)(const void* model);
    std::size_t (*workspace_bytes)(const void* model);  // of the device and of the host
    // For one thread at a time; null: no memory is left.
    void* (*new_workspace)(void* model);
    void (*free_workspace)(void* model, void* workspace);
    // A discrimen_status. Allocates nothing. Samples and results may lie in the device's memory, `present` may not.
    std::int32_t (*run)(void* model, void* workspace, const SampleView*, const Targets*);
    // Memory of the device, or of the host for the device to copy from; null: none is left.
    void* (*allocate)(void* model, std::size_t size, std::int32_t on_device);
    void (*release)(void* model, void* memory, std::int32_t on_device);
    std::int32_t (*copy)(void* model, void* to, const void* from, std::size_t size);  // wherever they lie
};

using TableFunction = const Table* (*)();

}  // namespace discrimen::cuda
