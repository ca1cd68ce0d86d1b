/* Drives the plug-in as waan does: loads the library, configures it, hands over waveforms one by one, closes it; and
 * checks the events against the engine called directly.
 *
 *   abcd_harness libDiscrimen.so MODEL.discrimen RECORDS.raw LENGTH
 *
 * RECORDS.raw: uint16 samples, LENGTH of them a pulse. Prints a line a pulse: number, qshort, qlong, baseline, or
 * `discarded`. Built by CMake.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_functions.h"
#include "discrimen/discrimen.h"

struct plugin {
    WA_init_fn init;
    WA_energy_fn analysis;
    WA_close_fn close;
};

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "abcd_harness: %s\n", what);
    exit(1);
}

static void *find(void *library, const char *name) {
    void *symbol = library ? dlsym(library, name) : NULL;
    if (!symbol) fail(dlerror());
    return symbol;
}

static struct plugin open_plugin(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    void *symbols[3] = {find(library, "energy_init"), find(library, "energy_analysis"), find(library, "energy_close")};
    struct plugin plugin;
    memcpy(&plugin, symbols, sizeof plugin); /* C has no cast from an object to a function */
    return plugin;
}

static void *configured(struct plugin plugin, const char *model, const char *output, bool neutrons_only) {
    json_t *config = json_object();
    json_object_set_new(config, "model", json_string(model));
    json_object_set_new(config, "output", json_string(output));
    json_object_set_new(config, "baseline_samples", json_real(10));
    json_object_set_new(config, "integrals_scaling", json_real(0.5));
    if (neutrons_only) json_object_set_new(config, "neutrons_only", json_true());
    void *user_config = NULL;
    plugin.init(config, &user_config);
    json_decref(config);
    return user_config;
}

/* One waveform through the plug-in. False if it was discarded. */
static bool analyse(struct plugin plugin, void *user_config, const uint16_t *samples, uint32_t n_samples,
                    struct event_PSD *event) {
    struct event_waveform waveform = {123456, 3, n_samples, 0, NULL};
    uint32_t *triggers = (uint32_t *)calloc(1, sizeof *triggers);
    struct event_PSD *events = (struct event_PSD *)calloc(1, sizeof *events);
    size_t n_events = 1;
    plugin.analysis(samples, n_samples, &waveform, &triggers, &events, &n_events, user_config);
    if (n_events > 0) *event = events[0];
    free(triggers);
    free(events);
    return n_events > 0;
}

static void check(struct plugin plugin, const char *path, const uint16_t *samples, size_t n_pulses, size_t n_samples) {
    char why[512];
    discrimen_model *model = discrimen_load(path, NULL, why, sizeof why);
    if (!model) fail(why);
    discrimen_workspace *workspace = discrimen_workspace_new(model);
    const size_t n_classes = discrimen_n_classes(model), neutron = discrimen_class_number(model, "neutron");
    size_t classes = 0;
    discrimen_output output;
    output.size = sizeof output;
    while (discrimen_describe_output(model, classes, &output) == DISCRIMEN_OK && output.kind != DISCRIMEN_CLASSES)
        ++classes;
    float *heights = (float *)malloc(n_pulses * sizeof *heights);
    discrimen_results results = discrimen_results_to(NULL);
    results.height_adc = heights;
    float *scores = (float *)malloc(n_pulses * n_classes * sizeof *scores);
    discrimen_pulses pulses = discrimen_contiguous((const int16_t *)samples, n_pulses, n_samples);
    pulses.type = DISCRIMEN_UINT16;
    if (discrimen_classify(model, workspace, &pulses, scores) != DISCRIMEN_OK ||
        discrimen_run(model, workspace, &pulses, &results) != DISCRIMEN_OK)
        fail("direct call failed");

    void *psd = configured(plugin, path, "PSD", false), *fixed = configured(plugin, path, "score", true);
    if (!psd || !fixed) fail("energy_init refused the configuration");
    for (size_t i = 0; i < n_pulses; ++i) {
        const uint16_t *pulse = samples + i * n_samples;
        const double score = scores[i * n_classes + neutron];
        const double threshold =
            discrimen_n_thresholds(model) > 0 ? discrimen_output_threshold_at(model, classes, 0, heights[i]) : 0.5;
        struct event_PSD event;
        const bool is_scored = !isnan(score);
        if (analyse(plugin, psd, pulse, (uint32_t)n_samples, &event) != is_scored) fail("wrong events kept");
        if (!is_scored) {
            printf("%zu discarded\n", i);
            continue;
        }
        printf("%zu %u %u %u\n", i, event.qshort, event.qlong, event.baseline);
        if (event.channel != 3) fail("wrong channel");
        if (fabs(event.qlong - event.qshort - score * event.qlong) > 1)
            fail("(qlong - qshort) / qlong is not the score");
        if (analyse(plugin, fixed, pulse, (uint32_t)n_samples, &event) != (score >= threshold))
            fail("wrong events kept by neutrons_only");
        if (score >= threshold && fabs(event.qshort - 65535 * score) > 1) fail("qshort is not the score");
    }
    plugin.close(psd);
    plugin.close(fixed);
    free(scores);
    free(heights);
    discrimen_workspace_free(workspace);
    discrimen_free(model);
}

int main(int argc, char **argv) {
    const size_t n_samples = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (n_samples == 0) {
        fprintf(stderr, "usage: %s libDiscrimen.so MODEL.discrimen RECORDS.raw LENGTH\n", argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[3], "rb");
    if (!file) fail("cannot open the records");
    const size_t most = 10000;
    uint16_t *samples = (uint16_t *)malloc(most * n_samples * sizeof *samples);
    const size_t n_pulses = samples ? fread(samples, n_samples * sizeof *samples, most, file) : 0;
    fclose(file);
    if (n_pulses == 0) fail("no pulses");

    const struct plugin plugin = open_plugin(argv[1]);
    struct event_PSD event;
    if (configured(plugin, "no such file", "PSD", false)) fail("energy_init took a model that is not there");
    if (configured(plugin, argv[2], "charge", false)) fail("energy_init took an output that there is not");
    if (analyse(plugin, NULL, samples, (uint32_t)n_samples, &event)) fail("an event without configuration");
    check(plugin, argv[2], samples, n_pulses, n_samples);
    void *psd = configured(plugin, argv[2], "PSD", false);
    for (int i = 0; i < 2; ++i)
        if (analyse(plugin, psd, samples, 1, &event)) fail("an event of a waveform that is too short");
    plugin.close(psd);
    free(samples);
    return 0;
}
