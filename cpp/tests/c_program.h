/* What the C part of the test of the C interface offers to its C++ part. */
#ifndef C_PROGRAM_H
#define C_PROGRAM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads a model and scores pulses in plain C; 0 when all went well. In standard C of 1999 and of 2011. */
int classify_in_c99(const void *content, size_t size, const short *samples, size_t n_pulses, size_t n_samples,
                    float *scores);
int classify_in_c11(const void *content, size_t size, const short *samples, size_t n_pulses, size_t n_samples,
                    float *scores);

#ifdef __cplusplus
}
#endif
#endif
