#ifndef CLI_FILES_H
#define CLI_FILES_H

/* Files of commands: small ones, read and written whole. */

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Read a file; "-" is standard input. 0, or -1 and errno. */
int file_read(const char *path, struct text *out);

/* Write a file that must not be there yet (unless `replace`). 0, or -1 and errno. */
int file_write(const char *path, const void *data, size_t size, bool replace);

bool file_exists(const char *path);

/* Make a directory with its parents. 0, or -1 and errno. */
int folder_make(const char *path);

/* The names in a directory that begin with `prefix`, in order, numbers by their value. 0, or -1 and errno. */
struct names {
	char **items;
	size_t count;
};
int folder_list(const char *path, const char *prefix, struct names *out);
void auto_names(struct names *names);

/* Text of the directory that holds `path`: "." if it names none. The caller frees it. */
char *path_folder(const char *path);

/* The last part of a path; borrowed. */
const char *path_name(const char *path);

/* The extension of the last part with its dot, or "". Borrowed. */
const char *path_extension(const char *path);

/* An absolute path of something that exists, else a copy. The caller frees it. */
char *path_absolute(const char *path);

#endif /* CLI_FILES_H */
