#ifndef OE_TESTS_SIM_EXPORTS_H
#define OE_TESTS_SIM_EXPORTS_H

/* Checkpoints: what is in them, as they are written, and after a process was killed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void exports_begin(void); /* of a world */
/* Each that is there is complete: the one that was written, or, of one under way, the one before. */
void exports_audit(const char *directory);
int64_t exports_written(void);

/* The path of the last one; false: there is none. */
bool exports_last(const char *directory, char *out, size_t size);

#endif /* OE_TESTS_SIM_EXPORTS_H */
