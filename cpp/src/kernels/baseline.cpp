#define DISCRIMEN_INSTRUCTION_SET baseline
#define DISCRIMEN_NAME "baseline"
#include "kernels.inc"
