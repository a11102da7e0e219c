#ifndef OE__STORE_DIRECTORY_H
#define OE__STORE_DIRECTORY_H

/*
 * The directory of a run:
 *
 *   run.db            the log (database.h)
 *   LOCK              held while a process runs in it
 *   best/             best_program<ext>, best_program_info.json
 *   checkpoints/      checkpoint_<N>/, in OpenEvolve's layout; perhaps begin/, likewise
 *
 * Everything but the log is an export: written beside its place and renamed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "program/population.h"

#define OE__DIRECTORY_CHECKPOINTS "checkpoints"

struct oe__database;

struct oe__directory {
	char *path, *database, *best, *checkpoints;
	int lock; /* -1: not held */
};

/* Make the directory if needed, lock it, and remove what killed processes left half-written in it.
   OE_ERR_STATE: another process runs in it. */
int oe__directory_open(const char *path, struct oe__directory **out, oe_error *err);
void oe__directory_close(struct oe__directory *directory);

/* Does some process hold the lock of the run in `path`? */
bool oe__directory_is_locked(const char *path);

/* best/: the program and its information, each replaced as a whole. */
int oe__directory_write_best(const struct oe__directory *directory, const oe_program *best,
                             const char *extension, oe_error *err);

/* checkpoints/checkpoint_<N> for a population; the new string is its path. */
char *oe__directory_checkpoint_path(const struct oe__directory *directory, int64_t number);

/* checkpoints/begin, for a copy of a checkpoint that lies in the copy's place itself; a new string. */
char *oe__directory_begin_path(const struct oe__directory *directory);

/* The one of the highest number that is complete, as a new path; NULL if there is none, or no memory. */
char *oe__directory_last_checkpoint(const struct oe__directory *directory);

/* Likewise, of those in `checkpoints` with a lower number than `limit`; *number is its own. */
char *oe__directory_checkpoint_below(const char *checkpoints, int64_t limit, int64_t *number);

/* The checkpoint that the log begins with, as a new path; *out stays NULL if it begins with none. It lies
   in the run's own directory, wherever that was moved to since. */
int oe__directory_origin(struct oe__database *database, char **out, oe_error *err);

/* Fails, with OE_ERR_STATE, for the checkpoint that the run in whose directory it lies began with, or that
   this may be: nothing may take its place. */
int oe__directory_spare_origin(const char *checkpoint, oe_error *err);

OE__AUTO_POINTER(directory, struct oe__directory *, oe__directory_close)

#endif /* OE__STORE_DIRECTORY_H */
