/* Minimal use of the engine in C99: load a model, hand over a buffer of raw samples, print the scores.
 *
 *   minimal_c MODEL.discrimen RECORDS.raw LENGTH   a binary file: int16 samples, LENGTH of them a pulse, nothing else
 *
 * The file is read a block of pulses at a time, as an acquisition would hand them over. Build with CMake
 * (find_package(discrimen REQUIRED) and target_link_libraries(minimal_c discrimen::discrimen)), or by
 *
 *   gcc -std=c99 -O2 main.c -o minimal_c $(pkg-config --cflags --libs discrimen)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "discrimen/discrimen.h"

enum { BLOCK = 1024 }; /* pulses scored at once */

static void print_scores(const discrimen_model *model, const float *scores, size_t n_pulses, size_t first) {
    const size_t n_classes = discrimen_n_classes(model);
    const size_t neutron = discrimen_class_number(model, "neutron");
    const char *name = discrimen_threshold_name(model, 0); /* thresholds have names; NULL if there is none */
    const double threshold = name ? discrimen_threshold(model, name) : 0.5;
    for (size_t pulse = 0; pulse < n_pulses; ++pulse) {
        const float *of_pulse = scores + pulse * n_classes;
        printf("%zu", first + pulse);
        for (size_t number = 0; number < n_classes; ++number)
            printf("  %s %.7f", discrimen_class_name(model, number), of_pulse[number]);
        if (of_pulse[0] != of_pulse[0]) /* NaN: it does not rise above its baseline */
            printf("  (no pulse)");
        else if (neutron < n_classes && of_pulse[neutron] >= threshold)
            printf("  neutron by threshold %s", name ? name : "0.5");
        printf("\n");
    }
}

static discrimen_status score_file(FILE *file, size_t n_samples, const discrimen_model *model,
                                   discrimen_workspace *workspace, int16_t *samples, float *scores) {
    discrimen_status status = DISCRIMEN_OK;
    size_t first = 0, n_pulses;
    while (status == DISCRIMEN_OK && (n_pulses = fread(samples, n_samples * sizeof *samples, BLOCK, file)) > 0) {
        const discrimen_pulses pulses = discrimen_contiguous(samples, n_pulses, n_samples);
        status = discrimen_classify(model, workspace, &pulses, scores);
        if (status == DISCRIMEN_OK) print_scores(model, scores, n_pulses, first);
        first += n_pulses;
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
    float *scores = malloc(BLOCK * discrimen_n_classes(model) * sizeof *scores);
    FILE *file = fopen(argv[2], "rb");
    int failed = 1;
    if (!file) {
        perror(argv[2]);
    } else if (!workspace || !samples || !scores) {
        fprintf(stderr, "no memory\n");
    } else {
        const discrimen_status status = score_file(file, n_samples, model, workspace, samples, scores);
        failed = status != DISCRIMEN_OK;
        if (failed) fprintf(stderr, "%s\n", discrimen_status_text(status));
    }
    if (file) fclose(file);
    free(samples);
    free(scores);
    discrimen_workspace_free(workspace);
    discrimen_free(model);
    return failed;
}
