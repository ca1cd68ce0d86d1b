#include "discrimen/buffer.hpp"

#include <cstdlib>
#include <cstring>

#include "loaded_model.hpp"

namespace discrimen {
namespace {

void copy(const LoadedModel& model, void* to, const void* from, std::size_t size) {
    if (!model.gpu)
        std::memcpy(to, from, size);
    else if (!model.gpu->copy(to, from, size))
        throw Error("CUDA: " + std::to_string(size) + " bytes cannot be copied");
}

}  // namespace

Buffer::Buffer(const Model& model, std::size_t size, Place place) : loaded_(model.loaded_), place_(place) {
    if (!loaded_->gpu && place == device) throw Error("CUDA: a model on the device cpu has no memory of a GPU");
    data_ = loaded_->gpu ? loaded_->gpu->allocate(size, place == device) : std::malloc(size);
    if (!data_) throw Error("CUDA: no memory is left for " + std::to_string(size) + " bytes");
}

Buffer::~Buffer() {
    if (loaded_->gpu)
        loaded_->gpu->release(data_, place_ == device);
    else
        std::free(data_);
}

void Buffer::copy_from(const void* from, std::size_t size) { copy(*loaded_, data_, from, size); }

void Buffer::copy_to(void* to, std::size_t size) const { copy(*loaded_, to, data_, size); }

}  // namespace discrimen
