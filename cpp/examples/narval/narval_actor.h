/* The functions that NARVAL (today DCOD) looks up in the shared library of a filter actor.
 *
 * Source: NARVAL's wiki at IN2P3, "Writing a C actor" (forge.in2p3.fr/projects/narval), and actors that experiments
 * have published. process_config, process_register and process_block must be there, the others are optional. The system
 * calls process_config once for the library, then process_register, which makes the state that every later call gets:
 *
 *   initialise: process_config, process_register, process_initialise
 *   start:      process_start, then process_block again and again, then process_stop; process_pause and process_resume
 *               in between; process_reset goes back to before process_initialise
 *   unload:     process_unload
 *
 * Each reports through *error_code; 0 means that all is well.
 */
#ifndef NARVAL_ACTOR_H
#define NARVAL_ACTOR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct narval_state narval_state; /* the actor's own; NARVAL only hands it on */

enum narval_error {
    NARVAL_OK = 0,
    NARVAL_NO_MEMORY = 1,
    NARVAL_NOT_CONFIGURED = 2,    /* process_initialise before process_config */
    NARVAL_BAD_CONFIGURATION = 3, /* discrimen.conf or the model is at fault; the reason is on standard error */
    NARVAL_NOT_INITIALISED = 4,
    NARVAL_OUTPUT_TOO_SMALL = 5, /* nothing was written or taken: hand over the same block with more room */
    NARVAL_DAMAGED_FRAME = 6,    /* bytes were skipped up to the next whole frame; all others were handled */
    NARVAL_NOT_SCORED = 7        /* records are shorter than the model needs: frames were handled, scores are NaN */
};

void process_config(char *directory_path, unsigned int *error_code);
narval_state *process_register(unsigned int *error_code);
void process_initialise(narval_state *state, unsigned int *error_code);
void process_start(narval_state *state, unsigned int *error_code);
void process_block(narval_state *state, void *input_buffer, unsigned int size_of_input_buffer, void *output_buffer,
                   unsigned int size_of_output_buffer, unsigned int *used_size_of_output_buffer,
                   unsigned int *error_code);
void process_stop(narval_state *state, unsigned int *error_code);
void process_pause(narval_state *state, unsigned int *error_code);
void process_resume(narval_state *state, unsigned int *error_code);
void process_reset(narval_state *state, unsigned int *error_code);
void process_unload(narval_state *state, unsigned int *error_code);

#ifdef __cplusplus
}
#endif
#endif
