#define DISCRIMEN_INSTRUCTION_SET avx512
#define DISCRIMEN_NAME "avx512"
#include "kernels.inc"
