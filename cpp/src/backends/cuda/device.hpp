// A GPU: memory, streams and launches, each as one call that says whether it went well.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <string>

#include "shape.hpp"

namespace discrimen::cuda {

constexpr int threads_of_block = 256, threads_of_chain = 128, chain_blocks = 4;  // blocks that share a processor

const void* kernel();        // of (Job, char* tiles)
const void* chain_kernel();  // the same

class Device {
   public:
    struct Stream {
        cudaStream_t handle = nullptr;
    };

    static constexpr std::size_t sample_bytes = std::size_t(8) << 20, result_bytes = std::size_t(4) << 20;  // of a lane
    static constexpr std::size_t most_pulses = std::size_t(1) << 30, small_batch = 2048;

    // Throws Refusal if there is no such device, or it cannot be used.
    explicit Device(int number);
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    static int n_operations_known();
    const char* name() const { return name_.c_str(); }

    // Makes the device the current one of this thread while it lives; the caller may use another.
    class Entered {
       public:
        explicit Entered(const Device& device) : number_(device.number_) {
            if (cudaGetDevice(&before_) != cudaSuccess || before_ != number_) cudaSetDevice(number_);
        }
        ~Entered() {
            if (before_ != number_) cudaSetDevice(before_);
        }
        Entered(const Entered&) = delete;

       private:
        int number_, before_ = 0;
    };

    std::size_t shared_bytes() const { return shared_bytes_; }
    // That compute at once; 0 if the tile fits into none.
    std::size_t n_blocks(const TileChoice& tile);
    std::size_t n_chain_blocks(const TileShape& shape);
    bool failed() const { return failed_; }
    void give_up() { failed_ = true; }

    void* allocate(std::size_t size, bool on_device);
    void release(void* memory, bool on_device);
    bool is_on_device(const void* at) const;
    bool is_pinned(const void* at) const;
    bool open_streams(Stream* streams, int count);
    void close_streams(Stream* streams, int count);

    bool copy_now(void* to, const void* from, std::size_t size);
    bool copy(Stream& stream, char* to, const char* from, std::size_t size, bool to_device);
    bool copy_rows(Stream& stream, char* to, const char* from, std::size_t rows, std::size_t row_bytes,
                   std::size_t pitch);
    bool launch(Stream& stream, const Job& job, char* tiles);
    bool wait(Stream& stream) { return cudaStreamSynchronize(stream.handle) == cudaSuccess; }

   private:
    std::size_t blocks_of(const void* code, int threads, std::size_t shared) const;

    int number_;
    std::string name_;
    std::size_t memory_bytes_ = 0, shared_bytes_ = 0, n_blocks_ = 0, n_chain_blocks_ = 0;
    bool shared_ = true;
    std::atomic<bool> failed_{false};  // of all threads that use the model
};

}  // namespace discrimen::cuda
