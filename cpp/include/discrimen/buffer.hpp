// Memory that a GPU reaches faster than a program's own. Samples and results may lie in any memory; see Buffer::Place.
#pragma once

#include <cstddef>
#include <memory>

#include "discrimen/model.hpp"

namespace discrimen {

class DISCRIMEN_API Buffer {
   public:
    enum Place {
        host,   // of the host, where the GPU of the model copies from and to without a detour; of a CPU's model: plain
        device  // of the GPU itself: nothing is copied
    };

    // Throws Error if there is no such memory, or the model computes on the CPU and has no device. Keeps the model
    // alive.
    Buffer(const Model& model, std::size_t size, Place place);
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void* data() const noexcept { return data_; }
    // The first `size` bytes, from and to memory of the host. Throw Error if the device fails.
    void copy_from(const void* from, std::size_t size);
    void copy_to(void* to, std::size_t size) const;

   private:
    std::shared_ptr<const LoadedModel> loaded_;
    void* data_ = nullptr;
    Place place_;
};

}  // namespace discrimen
