// The instruction set that the compiler was told to use, where the whole engine is one header of somebody's program.
//
// Names of all that is compiled carry it: two source files of one program may be compiled for different sets, and the
// linker must not take the functions of one for those of the other.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && defined(__FMA__)
#define DISCRIMEN_INSTRUCTION_SET avx512
#define DISCRIMEN_NAME "avx512"
#elif defined(__AVX2__) && defined(__FMA__)
#define DISCRIMEN_INSTRUCTION_SET avx2
#define DISCRIMEN_NAME "avx2"
#elif defined(__AVX2__)
#define DISCRIMEN_INSTRUCTION_SET avx2_without_fma
#define DISCRIMEN_NAME "avx2_without_fma"
#else
#define DISCRIMEN_INSTRUCTION_SET baseline
#define DISCRIMEN_NAME "baseline"
#endif

#define DISCRIMEN_API
