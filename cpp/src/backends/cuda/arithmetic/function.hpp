// How the functions of this folder are compiled: by nvcc for a GPU, by any compiler for the host.
//
// Each computes a tile of pulses by a team. `team.each(count, item)` runs the items of one phase in any order or at
// once, and returns when all are done; nothing else may write to the tile, and between phases nothing of it is read. A
// team is a block of threads on a GPU, and one thread on the host that takes the items in an order of its choice.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define DISCRIMEN_FUNCTION __device__ static inline
#define DISCRIMEN_METHOD __device__
#define DISCRIMEN_ON_BOTH __host__ __device__ static inline
#define DISCRIMEN_UNROLLED _Pragma("unroll")
#define DISCRIMEN_ROLLED _Pragma("unroll 1")
#else
#define DISCRIMEN_FUNCTION static inline
#define DISCRIMEN_METHOD
#define DISCRIMEN_ON_BOTH static inline
#define DISCRIMEN_UNROLLED _Pragma("GCC unroll 16")
#define DISCRIMEN_ROLLED
#endif

namespace discrimen::cuda {

// A GPU cannot read a number elsewhere than at a multiple of its size. The host could: there a test must end.
template <class T>
DISCRIMEN_FUNCTION void require_aligned([[maybe_unused]] const void* at) {
#if !defined(__CUDACC__)
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(T) != 0) __builtin_trap();
#endif
}

}  // namespace discrimen::cuda
