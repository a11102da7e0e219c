#ifndef OE__BASE_FILE_H
#define OE__BASE_FILE_H

/*
 * Files and paths. Every descriptor is CLOEXEC; every read has a cap. Errors name the path.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buffer.h"

int oe__file_read(const char *path, struct oe__buffer *out, oe_error *err); /* appends; cap of out */
int oe__file_write(const char *path, const void *data, size_t size, oe_error *err); /* plain */

/* Complete or not at all: temporary file beside it, fsync, rename, fsync of the directory. */
int oe__file_replace(const char *path, const void *data, size_t size, oe_error *err);

bool oe__file_exists(const char *path);
bool oe__file_is_directory(const char *path);
bool oe__file_is_regular(const char *path); /* reading it does not wait for anybody */
bool oe__file_is_link(const char *path);
bool oe__file_is_same(const char *a, const char *b); /* two paths of one thing, links followed */

int oe__directory_make(const char *path, oe_error *err);   /* with its parents; existing is fine */
int oe__directory_remove(const char *path, oe_error *err); /* recursive, never follows links; absent is fine */
int oe__directory_sync(const char *path, oe_error *err);

/* Names in a directory without . and .., sorted; free each and the array. */
int oe__directory_list(const char *path, char ***names, size_t *count, oe_error *err);
void oe__directory_list_free(char **names, size_t count);

/* "<directory>/.<kind>-<random>": for what is made beside its place and then renamed. No other thread
   or process has the same. */
int oe__path_temporary(const char *directory, const char *kind, struct oe__buffer *out,
                       oe_error *err);

/* Path pieces; results are new strings. */
char *oe__path_join(const char *directory, const char *name);
char *oe__path_directory(const char *path);      /* "." when there is none; slashes at the end do not count */
char *oe__path_absolute(const char *path);       /* against the working directory; no links resolved */
char *oe__path_real(const char *path);           /* links resolved; NULL if it is not there */
const char *oe__path_base(const char *path);     /* borrowed */
const char *oe__path_extension(const char *path); /* borrowed, with its dot; "" when none */

int oe__fd_write(int fd, const void *data, size_t size); /* all of it; negative: errno */
void oe__fd_close(int fd); /* accepts -1, keeps errno */

static inline void oe__auto_fd(const int *fd)
{
	oe__fd_close(*fd);
}

#endif /* OE__BASE_FILE_H */
