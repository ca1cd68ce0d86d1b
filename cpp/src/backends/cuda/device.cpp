#include "device.hpp"

#include <algorithm>

#include "discrimen/discrimen.h"
#include "refusal.hpp"
#include "serve.hpp"

namespace discrimen::cuda {
namespace {

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Throws Refusal if a call did not go well.
void require(cudaError_t error, const std::string& what) {
    if (error != cudaSuccess) throw Refusal(what + ": " + cudaGetErrorString(error));
}

void require_driver() {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (driver == 0) throw Refusal("there is no driver of NVIDIA on this machine");
    if (driver / 1000 < runtime / 1000)
        throw Refusal("the driver is for CUDA " + version_text(driver) + " and this library needs " +
                      version_text(runtime / 1000 * 1000) + ": install a newer driver");
}

int attribute(cudaDeviceAttr which, int number) {
    int value = 0;
    require(cudaDeviceGetAttribute(&value, which, number), "the device does not answer");
    return value;
}

cudaMemoryType memory_of(const void* at) {
    cudaPointerAttributes found{};
    if (cudaPointerGetAttributes(&found, at) != cudaSuccess) {
        cudaGetLastError();  // an address that CUDA has never heard of is no failure
        return cudaMemoryTypeUnregistered;
    }
    return found.type;
}

}  // namespace

Device::Device(int number) : number_(number) {
    require_driver();
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorNoDevice)
        count = 0;
    else
        require(error, "the devices cannot be counted");
    if (number >= count) throw Refusal("there are " + std::to_string(count) + " devices, counted from 0");
    const Entered entered(*this);
    require(cudaFree(nullptr), "the device cannot be used");  // makes its context
    cudaDeviceProp properties{};
    require(cudaGetDeviceProperties(&properties, number), "the device does not answer");
    memory_bytes_ = properties.totalGlobalMem;
    int driver = 0;
    cudaDriverGetVersion(&driver);
    name_ = std::string(properties.name) + ", " + std::to_string(properties.totalGlobalMem >> 20) +
            " MiB, driver for CUDA " + version_text(driver);
    cudaFuncAttributes code{};
    require(cudaFuncGetAttributes(&code, kernel()), "this library has no code for a " + name_);
    shared_bytes_ = std::size_t(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, number)) - code.sharedSizeBytes;
}

int Device::n_operations_known() { return int(Kind::neighbours) + 1; }

std::size_t Device::blocks_of(const void* code, int threads, std::size_t shared) const {
    const Entered entered(*this);
    int of_processor = 0;
    if (cudaFuncSetAttribute(code, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes_)) != cudaSuccess ||
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(&of_processor, code, threads, shared) != cudaSuccess)
        return 0;
    return std::size_t(of_processor) * std::size_t(attribute(cudaDevAttrMultiProcessorCount, number_));
}

std::size_t Device::n_blocks(const TileChoice& tile) {
    shared_ = tile.shared;
    n_blocks_ = blocks_of(kernel(), threads_of_block, tile.shared ? tile.shape.bytes : 0);
    if (tile.shared || n_blocks_ == 0) return n_blocks_;
    // Tiles of all lanes in the device's memory: an eighth of it for each thread of a program is enough.
    const std::size_t most = memory_bytes_ / 8 / (n_lanes * tile.shape.bytes);
    return n_blocks_ = std::max<std::size_t>(1, std::min(n_blocks_, most));
}

std::size_t Device::n_chain_blocks(const TileShape& shape) {
    return n_chain_blocks_ = blocks_of(chain_kernel(), threads_of_chain, shape.bytes);
}

void* Device::allocate(std::size_t size, bool on_device) {
    const Entered entered(*this);
    void* memory = nullptr;
    const cudaError_t error = on_device ? cudaMalloc(&memory, size)
                                        : cudaHostAlloc(&memory, size, cudaHostAllocPortable | cudaHostAllocMapped);
    if (error == cudaSuccess) return memory;
    cudaGetLastError();  // it is told by the caller; what follows is not to be taken for it
    return nullptr;
}

void Device::release(void* memory, bool on_device) {
    const Entered entered(*this);
    on_device ? cudaFree(memory) : cudaFreeHost(memory);
}

bool Device::is_on_device(const void* at) const {
    const cudaMemoryType type = memory_of(at);
    return type == cudaMemoryTypeDevice || type == cudaMemoryTypeManaged;
}

bool Device::is_pinned(const void* at) const { return memory_of(at) == cudaMemoryTypeHost; }

bool Device::open_streams(Stream* streams, int count) {
    const Entered entered(*this);
    for (int i = 0; i < count; ++i)
        if (cudaStreamCreateWithFlags(&streams[i].handle, cudaStreamNonBlocking) != cudaSuccess) {
            close_streams(streams, i);
            return false;
        }
    return true;
}

void Device::close_streams(Stream* streams, int count) {
    const Entered entered(*this);
    for (int i = 0; i < count; ++i) cudaStreamDestroy(streams[i].handle);
}

bool Device::copy_now(void* to, const void* from, std::size_t size) {
    const Entered entered(*this);
    // Within the device the call returns before the copy is done.
    return cudaMemcpy(to, from, size, cudaMemcpyDefault) == cudaSuccess &&
           cudaStreamSynchronize(nullptr) == cudaSuccess;
}

bool Device::copy(Stream& stream, char* to, const char* from, std::size_t size, bool to_device) {
    const cudaMemcpyKind kind = to_device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
    return cudaMemcpyAsync(to, from, size, kind, stream.handle) == cudaSuccess;
}

bool Device::copy_rows(Stream& stream, char* to, const char* from, std::size_t rows, std::size_t row_bytes,
                       std::size_t pitch) {
    if (pitch == row_bytes) return copy(stream, to, from, rows * row_bytes, true);
    return cudaMemcpy2DAsync(to, row_bytes, from, pitch, row_bytes, rows, cudaMemcpyHostToDevice, stream.handle) ==
           cudaSuccess;
}

bool Device::launch(Stream& stream, const Job& job, char* tiles) {
    const std::size_t n_tiles = (job.view.n_pulses + job.shape.width - 1) >> job.shape.shift;
    const dim3 grid(unsigned(std::min(n_tiles, job.chain ? n_chain_blocks_ : n_blocks_)));
    const dim3 threads(unsigned(job.chain ? threads_of_chain : threads_of_block));
    const std::size_t shared = job.chain || shared_ ? job.shape.bytes : 0;
    Job own = job;
    void* arguments[] = {&own, &tiles};
    const void* code = job.chain ? chain_kernel() : kernel();
    return cudaLaunchKernel(code, grid, threads, arguments, shared, stream.handle) == cudaSuccess;
}

}  // namespace discrimen::cuda

extern "C" __attribute__((visibility("default"))) const discrimen::cuda::Table* discrimen_cuda_table() {
    static const discrimen::cuda::Table table = discrimen::cuda::Served<discrimen::cuda::Device>::table();
    return &table;
}
