// A model on a GPU, as the engine sees it.
#pragma once

#include <memory>
#include <string>

#include "../../network.hpp"
#include "../../plan.hpp"
#include "discrimen/model.hpp"

namespace discrimen::cuda {

struct Table;

class Gpu {
   public:
    // `number` of the device. Throws Error, in one line that begins with CUDA, if networks cannot be computed there.
    Gpu(int number, const Network& network);
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    const std::string& name() const noexcept { return name_; }
    std::size_t workspace_bytes() const noexcept;
    void* new_workspace() const noexcept;
    void free_workspace(void* workspace) const noexcept;
    Status run(void* workspace, const SampleView& view, const Targets& targets) const noexcept;
    void* allocate(std::size_t size, bool on_device) const noexcept;
    void release(void* memory, bool on_device) const noexcept;
    bool copy(void* to, const void* from, std::size_t size) const noexcept;

   private:
    const Table* table_;
    void* model_ = nullptr;
    std::string name_;
};

// Null for "cpu"; a model on device 0 for "cuda", on device N for "cuda:N". Throws Error for other names.
std::unique_ptr<const Gpu> gpu_for(const std::string& device, const Network& network);
// Throws Error if it is no name of a device.
void check_device(const std::string& device);

}  // namespace discrimen::cuda
