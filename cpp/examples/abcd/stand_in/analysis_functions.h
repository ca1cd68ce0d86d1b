/* Stand-in for ABCD's header of the same name (and for its events.h): only what the plug-in needs, in our own words.
 * With -DABCD_INCLUDE_DIR=... ABCD's own headers are used instead.
 */
#ifndef STAND_IN_ANALYSIS_FUNCTIONS_H
#define STAND_IN_ANALYSIS_FUNCTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The event that ABCD sends on: 16 bytes. */
struct event_PSD {
    uint64_t timestamp;
    uint16_t qshort;
    uint16_t qlong;
    uint16_t baseline;
    uint8_t channel;
    uint8_t group_counter;
};

struct event_waveform {
    uint64_t timestamp;
    uint8_t channel;
    uint32_t samples_number;
    uint8_t additional_waveforms;
    uint8_t *buffer;
};

typedef void (*WA_init_fn)(json_t *json_config, void **user_config);
typedef void (*WA_close_fn)(void *user_config);
typedef void (*WA_energy_fn)(const uint16_t *samples, uint32_t samples_number, struct event_waveform *waveform,
                             uint32_t **trigger_positions, struct event_PSD **events_buffer, size_t *events_number,
                             void *user_config);

/* Room for another number of events; 0 discards the pulse. False, and no events, if there is no memory. */
static inline bool reallocate_buffers(uint32_t **trigger_positions, struct event_PSD **events_buffer,
                                      size_t *events_number, size_t wanted) {
    const size_t had = *events_number;
    if (wanted == 0 || wanted == had) {
        *events_number = wanted;
        return true;
    }
    *events_number = 0;
    uint32_t *positions = (uint32_t *)realloc(*trigger_positions, wanted * sizeof *positions);
    if (positions) *trigger_positions = positions;
    struct event_PSD *events = (struct event_PSD *)realloc(*events_buffer, wanted * sizeof *events);
    if (events) *events_buffer = events;
    if (!positions || !events) return false;
    for (size_t i = had; i < wanted; ++i) positions[i] = 0;
    *events_number = wanted;
    return true;
}

#endif
