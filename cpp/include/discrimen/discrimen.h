/* Plain C interface of the discrimen engine: load a frozen network, send a buffer of raw samples, get scores.
 *
 *   char why[256];
 *   discrimen_model *model = discrimen_load("neda.discrimen", NULL, why, sizeof why);
 *   if (!model) { fprintf(stderr, "%s\n", why); ... }
 *   discrimen_workspace *workspace = discrimen_workspace_new(model);      (one for each thread)
 *   discrimen_pulses pulses = discrimen_contiguous(samples, n_pulses, 75);
 *   float scores[2 * n_pulses];
 *   discrimen_status status = discrimen_classify(model, workspace, &pulses, scores);
 *
 * A model never changes after loading and may be used by any number of threads at once; a workspace belongs to one
 * thread at a time. discrimen_classify allocates nothing, locks nothing and prints nothing. No function lets a C++
 * exception out.
 */
#ifndef DISCRIMEN_H
#define DISCRIMEN_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DISCRIMEN_API __attribute__((visibility("default")))
#else
#define DISCRIMEN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct discrimen_model discrimen_model;
typedef struct discrimen_workspace discrimen_workspace;

typedef enum discrimen_status {
    DISCRIMEN_OK = 0,
    DISCRIMEN_NULL_ARGUMENT = 1,    /* a pointer that is needed is NULL */
    DISCRIMEN_RECORD_TOO_SHORT = 2, /* n_samples is below discrimen_shortest_record() */
    DISCRIMEN_UNKNOWN_TYPE = 3,     /* type is none of discrimen_sample_type */
    DISCRIMEN_WRONG_WORKSPACE = 4   /* the workspace was made for another model */
} discrimen_status;

typedef enum discrimen_sample_type {
    DISCRIMEN_INT16 = 0,
    DISCRIMEN_UINT16 = 1,
    DISCRIMEN_INT32 = 2,
    DISCRIMEN_FLOAT32 = 3
} discrimen_sample_type;

/* Where raw samples lie: anywhere, also inside the buffer of an acquisition system, aligned or not. */
typedef struct discrimen_pulses {
    const void *samples;     /* first sample of the first pulse */
    size_t n_pulses;
    size_t n_samples;        /* of each pulse */
    ptrdiff_t pulse_stride;  /* bytes from one pulse to the next */
    ptrdiff_t sample_stride; /* bytes from one sample to the next */
    discrimen_sample_type type;
    uint32_t mask;           /* lowest bits of an integer, which hold the sample; the rest counts as 0. 0: all hold */
} discrimen_pulses;

/* How to load; NULL stands for the defaults. */
typedef struct discrimen_options {
    const char *instruction_set; /* "baseline", "avx2", "avx512"; NULL: the best that this machine has */
    const char *device;          /* "cpu" or "cuda"; NULL: "cpu" */
} discrimen_options;

/* Load a frozen network and check it against its golden vectors. On failure NULL, and the reason in `why`. */
DISCRIMEN_API discrimen_model *discrimen_load(const char *path, const discrimen_options *options, char *why,
                                              size_t why_size);
DISCRIMEN_API discrimen_model *discrimen_load_memory(const void *content, size_t size,
                                                     const discrimen_options *options, char *why, size_t why_size);
DISCRIMEN_API void discrimen_free(discrimen_model *model);

DISCRIMEN_API size_t discrimen_n_classes(const discrimen_model *model);
DISCRIMEN_API const char *discrimen_class_name(const discrimen_model *model, size_t number); /* NULL: no such class */
DISCRIMEN_API size_t discrimen_class_number(const discrimen_model *model, const char *name); /* n_classes: none */
DISCRIMEN_API size_t discrimen_shortest_record(const discrimen_model *model);
DISCRIMEN_API double discrimen_sample_period_ns(const discrimen_model *model);
DISCRIMEN_API size_t discrimen_n_thresholds(const discrimen_model *model);
DISCRIMEN_API const char *discrimen_threshold_name(const discrimen_model *model, size_t number);
/* Threshold on the neutron score by name; NaN if the model has none of that name. */
DISCRIMEN_API double discrimen_threshold(const discrimen_model *model, const char *name);
DISCRIMEN_API const char *discrimen_instruction_set(const discrimen_model *model);
/* Description of the model as JSON, ended by a zero byte: detector settings, training, versions. */
DISCRIMEN_API const char *discrimen_description(const discrimen_model *model);

/* NULL if there is no memory. */
DISCRIMEN_API discrimen_workspace *discrimen_workspace_new(const discrimen_model *model);
DISCRIMEN_API void discrimen_workspace_free(discrimen_workspace *workspace);

/* Score pulses: n_classes float for each, pulse after pulse, at `scores`. A pulse that cannot be prepared gets NaN: it
 * does not rise above its baseline, has no leading edge to be aligned by, or a sample that counts is not finite: one in
 * the baseline or the window, or for an alignment anywhere in the record. */
DISCRIMEN_API discrimen_status discrimen_classify(const discrimen_model *model, discrimen_workspace *workspace,
                                                  const discrimen_pulses *pulses, float *scores);

DISCRIMEN_API const char *discrimen_status_text(discrimen_status status);
DISCRIMEN_API const char *discrimen_version(void);

/* Pulses of int16 samples, one behind the other. */
static inline discrimen_pulses discrimen_contiguous(const int16_t *samples, size_t n_pulses, size_t n_samples) {
    discrimen_pulses pulses;
    pulses.samples = samples;
    pulses.n_pulses = n_pulses;
    pulses.n_samples = n_samples;
    pulses.pulse_stride = (ptrdiff_t)(n_samples * sizeof(int16_t));
    pulses.sample_stride = (ptrdiff_t)sizeof(int16_t);
    pulses.type = DISCRIMEN_INT16;
    pulses.mask = 0;
    return pulses;
}

#ifdef __cplusplus
}
#endif
#endif
