// A header computes on the CPU alone: the GPU's side is a library of its own.
#include "../backends/cuda/cuda.hpp"

namespace discrimen::cuda {

Gpu::Gpu(int number, const Network&) : table_(nullptr), model_(nullptr), name_(std::to_string(number)) {
    throw Error("no CUDA backend: a header computes on the device cpu; use the library of the engine for a GPU");
}

Gpu::~Gpu() = default;

std::size_t Gpu::workspace_bytes() const noexcept { return 0; }

void* Gpu::new_workspace() const noexcept { return nullptr; }

void Gpu::free_workspace(void*) const noexcept {}

Status Gpu::run(void*, const SampleView&, const Targets&) const noexcept { return DISCRIMEN_DEVICE_FAILED; }

void* Gpu::allocate(std::size_t, bool) const noexcept { return nullptr; }

void Gpu::release(void*, bool) const noexcept {}

bool Gpu::copy(void*, const void*, std::size_t) const noexcept { return false; }

std::unique_ptr<const Gpu> gpu_for(const std::string& device, const Network& network) {
    check_device(device);
    return device == "cpu" ? nullptr : std::make_unique<const Gpu>(0, network);
}

}  // namespace discrimen::cuda
