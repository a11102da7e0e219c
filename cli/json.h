#ifndef CLI_JSON_H
#define CLI_JSON_H

/*
 * The JSON that commands print. Each document names its kind and version in "schema"; fields are
 * added, never changed. Memory that is not there ends the command.
 */

#include <jansson.h>

#include "openevolve/openevolve.h"

/* { "schema": "oe.<kind>/1" } */
json_t *json_document(const char *kind);

/* Put a value, which is taken over, into an object; NULL is our bug. */
void json_set(json_t *object, const char *name, json_t *value);
void json_push(json_t *array, json_t *value);

/* Text of strangers: bytes that are not UTF-8 become U+FFFD; NULL becomes null. */
json_t *json_words(const char *string);
json_t *json_text(const void *data, size_t size);

/* A value that the library wrote. NULL, after a message, if `what` cannot be read all the same. */
json_t *json_read(const char *string, const char *what);

/* What a plugin says: null if it says nothing, or if that is no JSON. */
json_t *json_parsed(const char *string);

/* null for what JSON cannot say. */
json_t *json_number(double value);

/* null when negative. */
json_t *json_count(int64_t value);

/* A program: identity, lineage, fitness, metrics; `code` adds its source and artifacts. */
json_t *json_program(const oe_program *program, int code);

/* { name: value } of an evaluation, and its artifacts. */
json_t *json_metrics(const oe_evaluation *evaluation);
json_t *json_artifacts(const oe_evaluation *evaluation);

/* Print a document on standard output and drop it. Returns EXIT_DONE. */
int json_print(json_t *root);

/* A document on one line, with its line feed; the caller frees it. Drops `root`. */
char *json_line(json_t *root);

#endif /* CLI_JSON_H */
