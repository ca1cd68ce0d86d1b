/* The header in plain C, compiled as C99 and as C11 under all warnings; CLASSIFY is the name of the function. */
#include "discrimen/discrimen.h"

#include "c_program.h"

#include <stdio.h>

int CLASSIFY(const void *content, size_t size, const short *samples, size_t n_pulses, size_t n_samples, float *scores) {
    char why[256] = "";
    discrimen_model *model = discrimen_load_memory(content, size, NULL, why, sizeof why);
    discrimen_workspace *workspace;
    discrimen_pulses pulses;
    discrimen_status status;
    if (!model) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    workspace = discrimen_workspace_new(model);
    pulses = discrimen_contiguous(samples, n_pulses, n_samples);
    status = discrimen_classify(model, workspace, &pulses, scores);
    discrimen_workspace_free(workspace);
    discrimen_free(model);
    return (int)status;
}
