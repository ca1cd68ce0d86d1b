/* Stand-in for jansson, the JSON library of ABCD: the few functions that the plug-in and its harness call, on flat
 * objects of at most 16 keys. For builds on a machine without jansson; a plug-in built with it is of no use to waan.
 */
#ifndef STAND_IN_JANSSON_H
#define STAND_IN_JANSSON_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct json_t {
    enum { STAND_IN_OBJECT, STAND_IN_STRING, STAND_IN_REAL, STAND_IN_TRUE } type;
    double number;
    char text[1024];
    struct {
        char name[32];
        struct json_t *value;
    } keys[16];
    int n_keys;
} json_t;

static inline json_t *json_object(void) { return (json_t *)calloc(1, sizeof(json_t)); }

static inline json_t *json_string(const char *text) {
    json_t *made = json_object();
    if (made) {
        made->type = STAND_IN_STRING;
        strncpy(made->text, text, sizeof made->text - 1);
    }
    return made;
}

static inline json_t *json_real(double number) {
    json_t *made = json_object();
    if (made) {
        made->type = STAND_IN_REAL;
        made->number = number;
    }
    return made;
}

static inline json_t *json_true(void) {
    json_t *made = json_object();
    if (made) made->type = STAND_IN_TRUE;
    return made;
}

static inline void json_decref(json_t *json) {
    for (int i = 0; json && i < json->n_keys; ++i) json_decref(json->keys[i].value);
    free(json);
}

/* The object owns the value from here on, which is gone where it cannot be kept. */
static inline int json_object_set_new(json_t *object, const char *key, json_t *value) {
    if (!object || !value || object->n_keys == 16) {
        json_decref(value);
        return -1;
    }
    strncpy(object->keys[object->n_keys].name, key, sizeof object->keys[0].name - 1);
    object->keys[object->n_keys++].value = value;
    return 0;
}

static inline json_t *json_object_get(const json_t *object, const char *key) {
    for (int i = 0; object && i < object->n_keys; ++i)
        if (strcmp(object->keys[i].name, key) == 0) return object->keys[i].value;
    return NULL;
}

static inline bool json_is_string(const json_t *json) { return json && json->type == STAND_IN_STRING; }
static inline bool json_is_number(const json_t *json) { return json && json->type == STAND_IN_REAL; }
static inline bool json_is_true(const json_t *json) { return json && json->type == STAND_IN_TRUE; }
static inline const char *json_string_value(const json_t *json) { return json_is_string(json) ? json->text : NULL; }
static inline double json_number_value(const json_t *json) { return json_is_number(json) ? json->number : 0; }

#endif
