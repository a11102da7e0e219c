#ifndef OE__CONTROLLER_EXPORT_H
#define OE__CONTROLLER_EXPORT_H

/* A population of a run as a checkpoint, with what its log knows of the programs. */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/config.h"
#include "openevolve/population.h"

struct oe__export {
	const oe_config *config; /* of the run                                         */
	const char *database;    /* its file                                           */
	const char *extension;   /* of program files, with its dot                     */
	const char *previous;    /* a checkpoint that may share files with it, or NULL */
	bool previous_synced;    /* it is on the disk already, if it had to be         */
	int64_t calls;           /* of the log that the population was made of         */
};

/* Any thread: nothing in there may change meanwhile. */
int oe__export(const struct oe__export *what, const oe_population *population,
               const char *directory, oe_error *err);

#endif /* OE__CONTROLLER_EXPORT_H */
