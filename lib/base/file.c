#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"

void oe__fd_close(int fd)
{
	int code = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = code;
}

/* ---- paths ---- */

char *oe__path_join(const char *directory, const char *name)
{
	struct oe__buffer path = OE__BUFFER_INIT(0);

	if (name[0] != '/' && directory[0]) {
		oe__buffer_text(&path, directory);
		if (directory[strlen(directory) - 1] != '/')
			oe__buffer_char(&path, '/');
	}
	oe__buffer_text(&path, name);
	return oe__buffer_steal(&path, NULL);
}

char *oe__path_directory(const char *path)
{
	size_t size = strlen(path);

	while (size > 1 && path[size - 1] == '/')
		size--;
	while (size > 0 && path[size - 1] != '/')
		size--;
	while (size > 1 && path[size - 1] == '/')
		size--;
	return size > 0 ? oe__strndup(path, size) : oe__strdup(".");
}

const char *oe__path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *oe__path_extension(const char *path)
{
	const char *base = oe__path_base(path);
	const char *dot = strrchr(base, '.');
	return dot && dot != base ? dot : "";
}

char *oe__path_absolute(const char *path)
{
	if (path[0] == '/')
		return oe__strdup(path);
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	bool same = *path == '\0' || strcmp(path, ".") == 0;
	char *working = getcwd(NULL, 0);
	char *absolute = !working ? NULL : same ? oe__strdup(working) : oe__path_join(working, path);
	free(working); /* libc's */
	return absolute;
}

char *oe__path_real(const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = oe__strdup(real);
	free(real); /* libc's */
	return copy;
}

/* ---- files ---- */

bool oe__file_exists(const char *path)
{
	struct stat info;
	return lstat(path, &info) == 0;
}

bool oe__file_is_directory(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool oe__file_is_regular(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool oe__file_is_link(const char *path)
{
	struct stat info;
	return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

bool oe__file_is_same(const char *a, const char *b)
{
	struct stat first, second;
	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

int oe__file_read(const char *path, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		return oe__error_errno(err, "cannot read '%s'", path);
	if (S_ISDIR(info.st_mode)) {
		errno = EISDIR;
		return oe__error_errno(err, "cannot read '%s'", path);
	}
	size_t size_max = out->size_max > 0 ? out->size_max : OE__FILE_MAX;
	size_t chunk = info.st_size > 0 ? (size_t)info.st_size + 1 : 65536;
	for (;;) {
		char probe;
		size_t room = size_max - out->size < chunk ? size_max - out->size : chunk;
		if (oe__buffer_reserve(out, room) < 0)
			return oe__error_nomem(err);
		/* When the cap is reached one more byte tells whether there is too much. */
		ssize_t got = room > 0 ? read(fd, out->data + out->size, room) : read(fd, &probe, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return oe__error_errno(err, "cannot read '%s'", path);
		if (room == 0 && got > 0)
			return out->status = oe__error(err, OE_ERR_LIMIT, "'%s' is larger than %zu bytes", path,
			                               size_max);
		out->size += (size_t)got;
		out->data[out->size] = '\0';
		if (got == 0)
			return 0;
	}
}

int oe__fd_write(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t done = write(fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		size -= (size_t)done;
	}
	return 0;
}

int oe__file_write(const char *path, const void *data, size_t size, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || oe__fd_write(fd, data, size) < 0)
		return oe__error_errno(err, "cannot write '%s'", path);
	return 0;
}

/* ---- directories ---- */

int oe__directory_make(const char *path, oe_error *err)
{
	int code = mkdir(path, 0777) == 0 ? 0 : errno;
	if (code == ENOENT) {
		OE__AUTO(string) char *parent = oe__path_directory(path);
		if (!parent)
			return oe__error_nomem(err);
		if (strcmp(parent, path) == 0) /* the working directory is gone */
			return oe__error(err, OE_ERR_IO, "there is no directory '%s' any more", path);
		int status = oe__directory_make(parent, err);
		if (status < 0)
			return status;
		code = mkdir(path, 0777) == 0 ? 0 : errno;
	}
	if (code == 0 || (code == EEXIST && oe__file_is_directory(path)))
		return 0;
	errno = code;
	return oe__error_errno(err, "cannot make the directory '%s'", path);
}

int oe__directory_sync(const char *path, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) /* EINVAL: this file system has no need */
		return oe__error_errno(err, "cannot flush the directory '%s'", path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int oe__directory_list(const char *path, char ***out, size_t *count, oe_error *err)
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	char **names = NULL;
	size_t used = 0, capacity = 0;
	int status = 0;

	if (!stream)
		return oe__error_errno(err, "cannot list '%s'", path);
	/* An error looks like the end, but for errno: what is missing is not absent. */
	while (status == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		void *grown = names;
		status = oe__grow(&grown, &capacity, used + 1, sizeof(*names));
		names = grown;
		if (status == 0 && (names[used] = oe__strdup(entry->d_name)) == NULL)
			status = OE_ERR_NOMEM;
		if (status == 0)
			used++;
	}
	if (status == 0 && errno != 0)
		status = oe__error_errno(err, "cannot list '%s'", path);
	else if (status < 0)
		(void)oe__error_nomem(err);
	(void)closedir(stream);
	if (status < 0) {
		oe__directory_list_free(names, used);
		return status;
	}
	if (used > 0)
		qsort(names, used, sizeof(*names), by_name);
	*out = names;
	*count = used;
	return 0;
}

void oe__directory_list_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		oe__free(names[i]);
	oe__free(names);
}
