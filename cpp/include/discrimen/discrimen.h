/* Plain C interface of the discrimen engine: load a frozen network, send a buffer of raw samples, get what it says.
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
 * thread at a time. discrimen_run and discrimen_classify allocate nothing, lock nothing and print nothing. No function
 * lets a C++ exception out.
 *
 * Every struct that a caller fills in begins with its own size, as sizeof gives it. Members that are added later come
 * at the end: to a program that was built before, they count as 0.
 */
#ifndef DISCRIMEN_H
#define DISCRIMEN_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(DISCRIMEN_API)
#define DISCRIMEN_API __attribute__((visibility("default")))
#elif !defined(DISCRIMEN_API)
#define DISCRIMEN_API
#endif

/* What a compiler that can check it is told: the function neither allocates nor waits. Nothing for others. */
#if defined(__clang__) && defined(__has_attribute)
#if __has_attribute(nonblocking)
#define DISCRIMEN_NONBLOCKING __attribute__((nonblocking))
#endif
#endif
#ifndef DISCRIMEN_NONBLOCKING
#define DISCRIMEN_NONBLOCKING
#endif

#ifdef __cplusplus
#define DISCRIMEN_NOEXCEPT noexcept
extern "C" {
#else
#define DISCRIMEN_NOEXCEPT
#endif

/* Declared before they get their names: within a namespace of somebody's these are structs of that namespace. */
struct discrimen_model;
struct discrimen_workspace;
typedef struct discrimen_model discrimen_model;
typedef struct discrimen_workspace discrimen_workspace;

typedef enum discrimen_status {
    DISCRIMEN_OK = 0,
    DISCRIMEN_NULL_ARGUMENT = 1,      /* a pointer that is needed is NULL */
    DISCRIMEN_RECORD_TOO_SHORT = 2,   /* n_samples is below discrimen_shortest_record() */
    DISCRIMEN_UNKNOWN_TYPE = 3,       /* type is none of discrimen_sample_type */
    DISCRIMEN_WRONG_WORKSPACE = 4,    /* the workspace was made for another model */
    DISCRIMEN_WRONG_SIZE = 5,         /* the size of a struct is not one that this library knows */
    DISCRIMEN_WRONG_CHANNELS = 6,     /* n_channels is not discrimen_n_channels() */
    DISCRIMEN_CHANNEL_ABSENT = 7,     /* a channel is absent, and the model takes whole pulses only */
    DISCRIMEN_NO_CLASSES = 8,         /* no output of the model tells classes apart */
    DISCRIMEN_NO_SUCH_OUTPUT = 9,     /* the number is not below discrimen_n_outputs() */
    DISCRIMEN_UNKNOWN_DOMAIN = 10,    /* the model does not know what pulses it has seen */
    DISCRIMEN_NO_HEIGHT = 11,         /* a pulse of several channels has no one height */
    DISCRIMEN_NO_SUCH_THRESHOLD = 12, /* the output has no threshold of that number */
    DISCRIMEN_DEVICE_FAILED = 13,     /* the GPU failed in the middle; results are NaN, the model is of no more use */
    DISCRIMEN_RECORD_TOO_LONG = 14    /* a pulse is longer than the buffers for a GPU */
} discrimen_status;

typedef enum discrimen_sample_type {
    DISCRIMEN_INT16 = 0,
    DISCRIMEN_UINT16 = 1,
    DISCRIMEN_INT32 = 2,
    DISCRIMEN_FLOAT32 = 3
} discrimen_sample_type;

/* Where raw samples lie: anywhere, also inside the buffer of an acquisition system, aligned or not. */
typedef struct discrimen_pulses {
    size_t size;         /* sizeof(discrimen_pulses) */
    const void *samples; /* first sample of the first channel of the first pulse */
    size_t n_pulses;
    size_t n_samples;        /* of each channel of a pulse */
    ptrdiff_t pulse_stride;  /* bytes from one pulse to the next */
    ptrdiff_t sample_stride; /* bytes from one sample to the next */
    discrimen_sample_type type;
    uint32_t bits;            /* that hold the sample, of an integer; the rest counts as 0. 0: all hold */
    size_t n_channels;        /* of each pulse; 0 means 1 */
    ptrdiff_t channel_stride; /* bytes from one channel to the next */
    const uint8_t *present;   /* which channels are there: 1 or 0 for each pulse and channel; NULL: all. What lies in
                                 the place of an absent channel does not matter, but must be readable. */
    ptrdiff_t present_stride; /* bytes in `present` from one pulse to the next; channels lie one behind the other */
} discrimen_pulses;

/* In what a pulse is unlike those that the model has seen: bits. */
typedef enum discrimen_outside {
    DISCRIMEN_UNPREPARED = 0x1,       /* it cannot be prepared; nothing else is said of it */
    DISCRIMEN_EDGE_IN_BASELINE = 0x2, /* its edge lies inside the baseline window: its outputs are wrong */
    DISCRIMEN_BASELINE_NOISE = 0x4,   /* the baseline window spreads over more or less than any */
    DISCRIMEN_TOO_LOW = 0x8,          /* lower than any; neither edge nor shape is judged */
    DISCRIMEN_TOO_HIGH = 0x10,
    DISCRIMEN_EDGE = 0x20, /* it reaches half its height elsewhere in the window */
    DISCRIMEN_CLIPPED = 0x40,
    DISCRIMEN_SHAPE = 0x80
} discrimen_outside;

/* Where results go. */
typedef struct discrimen_results {
    size_t size;           /* sizeof(discrimen_results) */
    float *const *outputs; /* one pointer for each output, NULL where it is not wanted: n_values float a pulse */
    double *restoration;   /* NULL, or 2 + n_channels numbers a pulse: start, divisor, baseline of each channel (0 of
                              an absent one); NaN for a pulse that cannot be prepared */
    uint64_t seed;         /* what random numbers of the network are drawn from; 0: none, their mean is taken */
    uint16_t *outside;     /* NULL, or a number a pulse: bits of discrimen_outside, 0 for one like those that the model
                              has seen; DISCRIMEN_UNKNOWN_DOMAIN if it does not know them (discrimen_knows_domain) */
    float *height_adc;     /* NULL, or a number a pulse: the highest sample of the window above the baseline, in ADC
                              counts; NaN for a pulse that cannot be prepared. Of models of one channel alone, else
                              DISCRIMEN_NO_HEIGHT */
} discrimen_results;

/* How to load; NULL stands for the defaults. */
typedef struct discrimen_options {
    size_t size;                 /* sizeof(discrimen_options) */
    const char *instruction_set; /* "baseline", "avx2", "avx512"; NULL: the best that this machine has */
    const char *device;          /* "cpu", "cuda", or "cuda:1" for the second GPU; NULL: "cpu" */
} discrimen_options;

typedef enum discrimen_kind {
    DISCRIMEN_CLASSES = 0,  /* scores of classes, or probabilities of each by itself */
    DISCRIMEN_WAVEFORM = 1, /* (channel, sample) */
    DISCRIMEN_QUANTITY = 2, /* with or without a standard deviation */
    DISCRIMEN_COUNT = 3,
    DISCRIMEN_CODE = 4 /* a representation, for another network or a clustering */
} discrimen_kind;

/* What an output of a model gives for each pulse. Strings live as long as the model. */
typedef struct discrimen_output {
    size_t size; /* sizeof(discrimen_output) */
    const char *name;
    discrimen_kind kind;
    const char *unit; /* "1" for classes, counts, codes; "prepared": a waveform in the scale of the prepared input */
    size_t n_axes;    /* 1 or 2 */
    size_t shape[2];
    int with_error;      /* behind the values come as many standard deviations */
    size_t n_values;     /* floats of a pulse, standard deviations among them */
    size_t n_names;      /* of classes, or of the components of a quantity; 0: they have none */
    size_t n_thresholds; /* of classes */
} discrimen_output;

/* Load a frozen network and check it against its golden vectors. On failure NULL, and the reason in `why`. */
DISCRIMEN_API discrimen_model *discrimen_load(const char *path, const discrimen_options *options, char *why,
                                              size_t why_size);
DISCRIMEN_API discrimen_model *discrimen_load_memory(const void *content, size_t size, const discrimen_options *options,
                                                     char *why, size_t why_size);
DISCRIMEN_API void discrimen_free(discrimen_model *model);

DISCRIMEN_API size_t discrimen_n_channels(const discrimen_model *model);                       /* of the input */
DISCRIMEN_API const char *discrimen_channel_name(const discrimen_model *model, size_t number); /* NULL: none such */
DISCRIMEN_API int discrimen_takes_absent(const discrimen_model *model); /* 1: channels may be absent */
DISCRIMEN_API size_t discrimen_shortest_record(const discrimen_model *model);
DISCRIMEN_API double discrimen_sample_period_ns(const discrimen_model *model);
DISCRIMEN_API int discrimen_knows_domain(const discrimen_model *model); /* 1: results may have `outside` */
DISCRIMEN_API const char *discrimen_instruction_set(const discrimen_model *model);
/* Description of the model as JSON, ended by a zero byte: detector settings, training, versions. */
DISCRIMEN_API const char *discrimen_description(const discrimen_model *model);

DISCRIMEN_API size_t discrimen_n_outputs(const discrimen_model *model);
DISCRIMEN_API size_t discrimen_output_number(const discrimen_model *model, const char *name); /* n_outputs: none */
/* Fills in *description, whose size is set before. */
DISCRIMEN_API discrimen_status discrimen_describe_output(const discrimen_model *model, size_t output,
                                                         discrimen_output *description);
/* Name of a class, or of a component of a quantity; NULL if there is none. */
DISCRIMEN_API const char *discrimen_output_item_name(const discrimen_model *model, size_t output, size_t number);
DISCRIMEN_API const char *discrimen_output_threshold_name(const discrimen_model *model, size_t output, size_t number);
/* NaN of a curve, which follows the height of the pulse: see discrimen_decide. */
DISCRIMEN_API double discrimen_output_threshold(const discrimen_model *model, size_t output, size_t number);
/* What holds for a pulse of that height; the same for all heights if it is no curve. */
DISCRIMEN_API double discrimen_output_threshold_at(const discrimen_model *model, size_t output, size_t number,
                                                   double height_adc);
/* 0: it is one number. Of a curve: how many heights it has a threshold for, and one of them with its threshold. */
DISCRIMEN_API size_t discrimen_output_threshold_n_knots(const discrimen_model *model, size_t output, size_t number);
DISCRIMEN_API discrimen_status discrimen_output_threshold_knot(const discrimen_model *model, size_t output,
                                                               size_t number, size_t knot, double *height_adc,
                                                               double *threshold);
/* The class whose score the threshold is on. */
DISCRIMEN_API size_t discrimen_output_threshold_class(const discrimen_model *model, size_t output, size_t number);

/* The same of the first output that tells classes apart; 0, NULL or NaN if there is none. */
DISCRIMEN_API size_t discrimen_n_classes(const discrimen_model *model);
DISCRIMEN_API const char *discrimen_class_name(const discrimen_model *model, size_t number); /* NULL: no such class */
DISCRIMEN_API size_t discrimen_class_number(const discrimen_model *model, const char *name); /* n_classes: none */
DISCRIMEN_API size_t discrimen_n_thresholds(const discrimen_model *model);
DISCRIMEN_API const char *discrimen_threshold_name(const discrimen_model *model, size_t number);
/* Threshold by name; NaN if the model has none of that name, or it is a curve. */
DISCRIMEN_API double discrimen_threshold(const discrimen_model *model, const char *name);
/* n_thresholds if there is none of that name. */
DISCRIMEN_API size_t discrimen_threshold_number(const discrimen_model *model, const char *name);
/* The class whose score the threshold is on; n_classes if there is no such threshold. */
DISCRIMEN_API size_t discrimen_threshold_class(const discrimen_model *model, const char *name);

/* NULL if there is no memory. */
DISCRIMEN_API discrimen_workspace *discrimen_workspace_new(const discrimen_model *model);
DISCRIMEN_API void discrimen_workspace_free(discrimen_workspace *workspace);

/* Send pulses through the network. Outputs of a pulse that cannot be prepared are NaN: a sample that counts is not
 * finite (one in a baseline or a window, or for an alignment anywhere in the record), it has no leading edge to be
 * aligned by, the channel that time and scale come from is absent, or, where the input is scaled, it does not rise
 * above its baseline.
 *
 * A prepared value x of channel c, number i of the window, was baseline[c] + polarity[c] * x * divisor ADC counts, at
 * raw sample start + window_start[c] + i; polarity and window_start are in the description. */
DISCRIMEN_API discrimen_status discrimen_run(const discrimen_model *model, discrimen_workspace *workspace,
                                             const discrimen_pulses *pulses,
                                             const discrimen_results *results) DISCRIMEN_NOEXCEPT DISCRIMEN_NONBLOCKING;

/* The scores of the first output that tells classes apart: n_classes float for each pulse, pulse after pulse. */
DISCRIMEN_API discrimen_status discrimen_classify(const discrimen_model *model, discrimen_workspace *workspace,
                                                  const discrimen_pulses *pulses,
                                                  float *scores) DISCRIMEN_NOEXCEPT DISCRIMEN_NONBLOCKING;

/* Whether pulses pass a threshold: 1 or 0 for each. `values` and `height_adc` are what discrimen_run gave of that
 * output; `height_adc` may be NULL for a threshold that is one number. A pulse that was not prepared does not pass. */
DISCRIMEN_API discrimen_status discrimen_decide(const discrimen_model *model, size_t output, size_t number,
                                                const float *values, const float *height_adc, size_t n_pulses,
                                                uint8_t *passes) DISCRIMEN_NOEXCEPT DISCRIMEN_NONBLOCKING;

DISCRIMEN_API const char *discrimen_status_text(discrimen_status status);
DISCRIMEN_API const char *discrimen_version(void);

/* Pulses of several channels of int16 samples: (pulse, channel, sample), one behind the other. */
static inline discrimen_pulses discrimen_contiguous_channels(const int16_t *samples, size_t n_pulses, size_t n_channels,
                                                             size_t n_samples) {
    discrimen_pulses pulses;
    pulses.size = sizeof pulses;
    pulses.samples = samples;
    pulses.n_pulses = n_pulses;
    pulses.n_samples = n_samples;
    pulses.pulse_stride = (ptrdiff_t)(n_channels * n_samples * sizeof(int16_t));
    pulses.sample_stride = (ptrdiff_t)sizeof(int16_t);
    pulses.type = DISCRIMEN_INT16;
    pulses.bits = 0;
    pulses.n_channels = n_channels;
    pulses.channel_stride = (ptrdiff_t)(n_samples * sizeof(int16_t));
    pulses.present = NULL;
    pulses.present_stride = 0;
    return pulses;
}

/* Pulses of int16 samples, one behind the other. */
static inline discrimen_pulses discrimen_contiguous(const int16_t *samples, size_t n_pulses, size_t n_samples) {
    return discrimen_contiguous_channels(samples, n_pulses, 1, n_samples);
}

/* Results that go to `outputs`, one pointer for each output of the model. */
static inline discrimen_results discrimen_results_to(float *const *outputs) {
    discrimen_results results;
    results.size = sizeof results;
    results.outputs = outputs;
    results.restoration = NULL;
    results.seed = 0;
    results.outside = NULL;
    results.height_adc = NULL;
    return results;
}

#ifdef __cplusplus
}
#endif
#endif
