// Launches and nothing else: what a GPU has of the device that the rest of this folder asks for.
#include <cuda_runtime.h>

#include "arithmetic/chain.hpp"
#include "arithmetic/network.hpp"
#include "device.hpp"

namespace discrimen::cuda {
namespace {

// The threads of a block.
struct Block {
    template <class F>
    __device__ void each(std::uint32_t count, F item) const {
        for (std::uint32_t i = threadIdx.x; i < count; i += blockDim.x) item(i);
        __syncthreads();
    }
};

// Each block computes one tile after the other, in memory of its own, or in its part of `tiles`.
__global__ void __launch_bounds__(threads_of_block, 2) compute(const Job job, char* tiles) {
    extern __shared__ __align__(16) char own[];
    char* memory = tiles ? tiles + job.shape.bytes * blockIdx.x : own;
    const std::size_t n_tiles = (job.view.n_pulses + job.shape.width - 1) >> job.shape.shift;
    for (std::size_t number = blockIdx.x; number < n_tiles; number += gridDim.x) run_tile(Block(), job, number, memory);
}

// The same of a chain: many small blocks, so that some bring samples while others compute.
__global__ void __launch_bounds__(threads_of_chain, chain_blocks) compute_chain(const Job job, char*) {
    extern __shared__ __align__(16) char own[];
    const std::size_t n_tiles = (job.view.n_pulses + job.shape.width - 1) >> job.shape.shift;
    for (std::size_t number = blockIdx.x; number < n_tiles; number += gridDim.x)
        run_chain_tile(Block(), job, number, own);
}

}  // namespace

const void* chain_kernel() { return reinterpret_cast<const void*>(&compute_chain); }
const void* kernel() { return reinterpret_cast<const void*>(&compute); }

}  // namespace discrimen::cuda
