#define DISCRIMEN_INSTRUCTION_SET avx2
#define DISCRIMEN_NAME "avx2"
#include "kernels.inc"
