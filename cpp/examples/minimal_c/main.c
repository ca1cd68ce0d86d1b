/* Minimal use of the engine in C99: load a model, hand over a buffer of raw samples, print the scores.
 *
 *   minimal_c MODEL.discrimen RECORDS.raw LENGTH   a binary file: int16 samples, LENGTH of them a pulse, nothing else
 *
 * The file is read a block of pulses at a time, as an acquisition would hand them over. Build with CMake
 * (find_package(discrimen REQUIRED) and target_link_libraries(minimal_c discrimen::discrimen)), or by
 *
 *   gcc -std=c99 -O2 main.c -o minimal_c $(pkg-config --cflags --libs discrimen)
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "discrimen/discrimen.h"

enum { BLOCK = 1024, /* pulses scored at once */ MOST_CLASSES = 16, MOST_OUTPUTS = 16 };

/* The first output that tells classes apart; n_outputs if there is none. */
static size_t classes_of(const discrimen_model *model) {
    discrimen_output output;
    output.size = sizeof output;
    size_t number = 0;
    while (discrimen_describe_output(model, number, &output) == DISCRIMEN_OK && output.kind != DISCRIMEN_CLASSES)
        ++number;
    return number;
}

static void print_scores(const discrimen_model *model, size_t classes, const float *scores, const float *heights,
                         size_t n_pulses, size_t first) {
    const size_t n_classes = discrimen_n_classes(model);
    const char *name = discrimen_threshold_name(model, 0); /* thresholds have names; NULL if there is none */
    const size_t on = discrimen_threshold_class(model, name);
    for (size_t pulse = 0; pulse < n_pulses; ++pulse) {
        const float *of_pulse = scores + pulse * n_classes;
        printf("%zu", first + pulse);
        for (size_t number = 0; number < n_classes; ++number)
            printf("  %s %.7f", discrimen_class_name(model, number), of_pulse[number]);
        if (isnan(of_pulse[0])) /* it does not rise above its baseline */
            printf("  (no pulse)");
        else if (on < n_classes && of_pulse[on] >= discrimen_output_threshold_at(model, classes, 0, heights[pulse]))
            printf("  %s by threshold %s", discrimen_class_name(model, on), name);
        printf("\n");
    }
}

static discrimen_status score_file(FILE *file, size_t n_samples, const discrimen_model *model,
                                   discrimen_workspace *workspace, int16_t *samples, size_t *n_scored) {
    static float scores[BLOCK * MOST_CLASSES], heights[BLOCK]; /* a threshold may follow the height of the pulse */
    float *outputs[MOST_OUTPUTS] = {NULL};                     /* where each output of the model goes; NULL: nowhere */
    const size_t classes = classes_of(model);
    if (discrimen_n_classes(model) == 0) return DISCRIMEN_NO_CLASSES;
    if (discrimen_n_outputs(model) > MOST_OUTPUTS || discrimen_n_classes(model) > MOST_CLASSES)
        return DISCRIMEN_NO_SUCH_OUTPUT;
    outputs[classes] = scores;
    discrimen_results results = discrimen_results_to(outputs);
    if (discrimen_n_channels(model) == 1) results.height_adc = heights;
    discrimen_status status = DISCRIMEN_OK;
    size_t n_pulses;
    while (status == DISCRIMEN_OK && !feof(file) && !ferror(file) &&
           (n_pulses = fread(samples, n_samples * sizeof *samples, BLOCK, file)) > 0) {
        const discrimen_pulses pulses = discrimen_contiguous(samples, n_pulses, n_samples);
        status = discrimen_run(model, workspace, &pulses, &results);
        if (status == DISCRIMEN_OK) print_scores(model, classes, scores, heights, n_pulses, *n_scored);
        *n_scored += n_pulses;
    }
    return status;
}

int main(int argc, char **argv) {
    const size_t n_samples = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (n_samples == 0 || n_samples > 1000000) {
        fprintf(stderr, "usage: %s MODEL.discrimen RECORDS.raw LENGTH\n", argv[0]);
        return 2;
    }
    char why[512];
    discrimen_model *model = discrimen_load(argv[1], NULL, why, sizeof why);
    if (!model) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    discrimen_workspace *workspace = discrimen_workspace_new(model); /* one for each thread */
    int16_t *samples = malloc(BLOCK * n_samples * sizeof *samples);
    FILE *file = fopen(argv[2], "rb");
    int failed = 1;
    if (!file) {
        perror(argv[2]);
    } else if (!workspace || !samples) {
        fprintf(stderr, "no memory\n");
    } else {
        size_t n_scored = 0;
        const discrimen_status status = score_file(file, n_samples, model, workspace, samples, &n_scored);
        failed = status != DISCRIMEN_OK;
        if (failed)
            fprintf(stderr, "%s\n", discrimen_status_text(status));
        else
            printf("%zu pulses of %zu samples scored for %zu classes by %s\n", n_scored, n_samples,
                   discrimen_n_classes(model), argv[1]);
    }
    if (file) fclose(file);
    free(samples);
    discrimen_workspace_free(workspace);
    discrimen_free(model);
    return failed;
}
