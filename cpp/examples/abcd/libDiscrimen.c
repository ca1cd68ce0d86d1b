/* Analysis plug-in for waan, the waveform analysis of the acquisition system ABCD (github.com/ec-jrc/abcd): the energy
 * library of a channel, with a neutron score in place of the charge ratio. Plain C99, as ABCD asks.
 *
 * Interface: waan/include/analysis_functions.h, version 0.2 (several events a waveform), as in ABCD 1.0 to 1.3.
 *
 * Configuration, in `user_config` of a channel; keys with the meaning that they have in ABCD's libPSD keep their names:
 *
 *   "model"              path of a *.discrimen file
 *   "threshold"          name of a threshold of the model's neutrons, or a number; else the model's first, or 0.5 if it
 *                        has none
 *   "neutrons_only"      true: events below the threshold are discarded
 *   "output"             "PSD" or "score", see below; else "PSD"
 *   "pulse_polarity"     "negative" or "positive"; else "negative"
 *   "baseline_samples"   number of samples at the start of the record whose mean is the baseline; else 16
 *   "pregate"            samples that the integral starts before the trigger position; else 0
 *   "long_gate"          samples that it is long; else the rest of the record
 *   "integrals_scaling"  factor on the integral; else 1
 *
 * What the event gets: qlong is the integral, as in libPSD, baseline the baseline. qshort depends on "output":
 *
 *   "PSD"    qshort = qlong (1 - score): every tool of ABCD that shows or cuts on (qlong - qshort) / qlong then shows
 *            or cuts on the neutron score, to a resolution of 1 / qlong
 *   "score"  qshort = 65535 score: fixed point, full resolution at any energy
 *
 * A pulse that does not rise above its baseline is discarded. Records are scored one by one, as waan hands them over.
 *
 * Build with CMake, where -DABCD_INCLUDE_DIR=... takes ABCD's headers (include and waan/include) and jansson, or by
 *
 *   gcc -std=gnu99 -O2 -shared -fPIC libDiscrimen.c -I<ABCD's headers> -o libDiscrimen.so -lm
 *
 * with $(pkg-config --cflags --libs discrimen jansson) at its end.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_functions.h"
#include "discrimen/discrimen.h"

struct channel {
    discrimen_model *model;
    discrimen_workspace *workspace;
    float *scores;
    float height_adc;
    float **outputs;           /* one for each output of the model: the scores, and no others */
    discrimen_results results; /* the scores, and the height if the threshold follows it */
    size_t classes;            /* number of the output that tells classes apart */
    size_t neutron;
    double threshold; /* NaN: the model's threshold of the next number, which may follow the height */
    size_t threshold_number;
    double integrals_scaling;
    double sign; /* -1 for pulses that fall */
    uint32_t baseline_samples;
    uint32_t pregate;
    uint32_t long_gate; /* 0: to the end of the record */
    bool neutrons_only;
    bool fixed_point;
    bool is_unfit_told; /* once: waan gives all waveforms of a channel alike */
};

void energy_init(json_t *json_config, void **user_config);
void energy_analysis(const uint16_t *samples, uint32_t samples_number, struct event_waveform *waveform,
                     uint32_t **trigger_positions, struct event_PSD **events_buffer, size_t *events_number,
                     void *user_config);
void energy_close(void *user_config);

static double number_of(json_t *config, const char *key, double otherwise) {
    json_t *value = json_object_get(config, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static uint32_t count_of(json_t *config, const char *key, uint32_t otherwise) {
    const double value = number_of(config, key, otherwise);
    return value <= 0 ? 0 : value >= UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* Whether the second of two words is chosen; the first is what holds without a choice. False for any other word. */
static bool choose(json_t *config, const char *key, const char *first, const char *second, bool *is_second) {
    json_t *value = json_object_get(config, key);
    const char *word = json_is_string(value) ? json_string_value(value) : first;
    *is_second = strcmp(word, second) == 0;
    if (*is_second || strcmp(word, first) == 0) return true;
    printf("ERROR: libDiscrimen energy_init(): %s: expected %s or %s, got %s\n", key, first, second, word);
    return false;
}

/* False if the name is unknown. */
static bool choose_threshold(struct channel *channel, json_t *config) {
    json_t *value = json_object_get(config, "threshold");
    const size_t n_thresholds = discrimen_n_thresholds(channel->model);
    channel->threshold = json_is_number(value) ? json_number_value(value) : NAN;
    if (json_is_string(value))
        channel->threshold_number = discrimen_threshold_number(channel->model, json_string_value(value));
    else if (!json_is_number(value) && n_thresholds == 0)
        channel->threshold = 0.5;
    return !isnan(channel->threshold) || channel->threshold_number < n_thresholds;
}

static bool is_of_neutrons(const struct channel *channel) {
    return !isnan(channel->threshold) ||
           discrimen_output_threshold_class(channel->model, channel->classes, channel->threshold_number) ==
               channel->neutron;
}

/* The first output that tells classes apart. */
static size_t classes_of(const discrimen_model *model) {
    discrimen_output output;
    output.size = sizeof output;
    size_t number = 0;
    while (discrimen_describe_output(model, number, &output) == DISCRIMEN_OK && output.kind != DISCRIMEN_CLASSES)
        ++number;
    return number;
}

static void prepare_results(struct channel *channel) {
    channel->outputs[channel->classes] = channel->scores;
    channel->results = discrimen_results_to(channel->outputs);
    channel->height_adc = NAN;
    if (channel->neutrons_only && isnan(channel->threshold) && discrimen_n_channels(channel->model) == 1)
        channel->results.height_adc = &channel->height_adc;
}

static bool load(struct channel *channel, json_t *config) {
    json_t *path = json_object_get(config, "model");
    char why[512] = "the configuration names no model";
    if (json_is_string(path)) channel->model = discrimen_load(json_string_value(path), NULL, why, sizeof why);
    if (!channel->model) {
        printf("ERROR: libDiscrimen energy_init(): %s\n", why);
        return false;
    }
    channel->workspace = discrimen_workspace_new(channel->model);
    channel->scores = (float *)malloc(discrimen_n_classes(channel->model) * sizeof(float));
    channel->outputs = (float **)calloc(discrimen_n_outputs(channel->model), sizeof(float *));
    channel->neutron = discrimen_class_number(channel->model, "neutron");
    channel->classes = classes_of(channel->model);
    if (!channel->workspace || !channel->scores || !channel->outputs)
        printf("ERROR: libDiscrimen energy_init(): no memory\n");
    else if (channel->neutron == discrimen_n_classes(channel->model))
        printf("ERROR: libDiscrimen energy_init(): the model has no class named neutron\n");
    else if (discrimen_n_channels(channel->model) != 1)
        printf("ERROR: libDiscrimen energy_init(): the model takes pulses of %zu channels, waan gives one\n",
               discrimen_n_channels(channel->model));
    else if (!choose_threshold(channel, config))
        printf("ERROR: libDiscrimen energy_init(): the model has no such threshold\n");
    else if (channel->neutrons_only && !is_of_neutrons(channel))
        printf("ERROR: libDiscrimen energy_init(): the threshold is that of another class than neutron\n");
    else {
        prepare_results(channel);
        return true;
    }
    return false;
}

/* On failure the configuration stays NULL, and energy_analysis discards what comes. */
void energy_init(json_t *json_config, void **user_config) {
    *user_config = NULL;
    struct channel *channel = (struct channel *)calloc(1, sizeof *channel);
    if (!channel) {
        printf("ERROR: libDiscrimen energy_init(): no memory\n");
        return;
    }
    channel->baseline_samples = count_of(json_config, "baseline_samples", 16);
    channel->pregate = count_of(json_config, "pregate", 0);
    channel->long_gate = count_of(json_config, "long_gate", 0);
    channel->integrals_scaling = number_of(json_config, "integrals_scaling", 1);
    channel->neutrons_only = json_is_true(json_object_get(json_config, "neutrons_only"));
    bool rises;
    const bool is_valid = choose(json_config, "pulse_polarity", "negative", "positive", &rises) &&
                          choose(json_config, "output", "PSD", "score", &channel->fixed_point);
    channel->sign = rises ? 1 : -1;
    if (is_valid && load(channel, json_config))
        *user_config = channel;
    else
        energy_close(channel);
}

void energy_close(void *user_config) {
    struct channel *channel = (struct channel *)user_config;
    if (!channel) return;
    free(channel->scores);
    free(channel->outputs);
    discrimen_workspace_free(channel->workspace);
    discrimen_free(channel->model);
    free(channel);
}

/* To the nearest integer. */
static uint16_t clamped(double value) {
    return value <= 0 ? 0 : value >= UINT16_MAX ? UINT16_MAX : (uint16_t)lround(value);
}

/* In integers: a sum of floating-point numbers waits for each addition before the next one. */
static double sum_of(const uint16_t *samples, uint32_t start, uint32_t stop) {
    uint64_t sum = 0;
    for (uint32_t i = start; i < stop; ++i) sum += samples[i];
    return (double)sum;
}

static double baseline_of(const struct channel *channel, const uint16_t *samples, uint32_t n) {
    const uint32_t stop = channel->baseline_samples < n ? channel->baseline_samples : n;
    return stop > 0 ? sum_of(samples, 0, stop) / stop : 0;
}

static double integral_of(const struct channel *channel, const uint16_t *samples, uint32_t n, uint32_t trigger,
                          double baseline) {
    const uint32_t start = trigger > channel->pregate ? trigger - channel->pregate : 0;
    const uint32_t stop = channel->long_gate > 0 && channel->long_gate < n && start < n - channel->long_gate
                              ? start + channel->long_gate
                              : n;
    const double length = start < stop ? stop - start : 0;
    return channel->sign * channel->integrals_scaling * (sum_of(samples, start, stop) - length * baseline);
}

/* NaN if the pulse cannot be scored. */
static double score_of(struct channel *channel, const uint16_t *samples, uint32_t n) {
    discrimen_pulses pulses = discrimen_contiguous((const int16_t *)samples, 1, n);
    pulses.type = DISCRIMEN_UINT16;
    const discrimen_status status = discrimen_run(channel->model, channel->workspace, &pulses, &channel->results);
    if (status != DISCRIMEN_OK && !channel->is_unfit_told) {
        channel->is_unfit_told = true;
        printf("ERROR: libDiscrimen energy_analysis(): %s: waveforms of %" PRIu32
               " samples are discarded; the model needs %zu\n",
               discrimen_status_text(status), n, discrimen_shortest_record(channel->model));
    }
    return status == DISCRIMEN_OK ? channel->scores[channel->neutron] : NAN;
}

/* Of the pulse that was scored last. */
static bool is_neutron(const struct channel *channel, double score) {
    if (!isnan(channel->threshold)) return score >= channel->threshold;
    uint8_t passes = 0;
    discrimen_decide(channel->model, channel->classes, channel->threshold_number, channel->scores, &channel->height_adc,
                     1, &passes);
    return passes != 0;
}

void energy_analysis(const uint16_t *samples, uint32_t samples_number, struct event_waveform *waveform,
                     uint32_t **trigger_positions, struct event_PSD **events_buffer, size_t *events_number,
                     void *user_config) {
    struct channel *channel = (struct channel *)user_config;
    const double score = channel ? score_of(channel, samples, samples_number) : NAN;
    const bool is_wanted = channel && !isnan(score) && (!channel->neutrons_only || is_neutron(channel, score));
    /* One event a waveform, or none: that discards it. */
    if (!reallocate_buffers(trigger_positions, events_buffer, events_number, is_wanted ? 1 : 0) || !is_wanted) return;

    const double baseline = baseline_of(channel, samples, samples_number);
    const double integral = integral_of(channel, samples, samples_number, (*trigger_positions)[0], baseline);
    struct event_PSD *event = &(*events_buffer)[0];
    event->qlong = clamped(integral);
    event->qshort = clamped(channel->fixed_point ? UINT16_MAX * score : event->qlong * (1 - score));
    event->baseline = clamped(baseline);
    event->channel = waveform->channel;
    event->group_counter = 0;
}
