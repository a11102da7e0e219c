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
	const char *base = oe__path_base(path);
	size_t size = (size_t)(base - path);

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

static int write_all(int fd, const void *data, size_t size)
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
	if (fd < 0 || write_all(fd, data, size) < 0)
		return oe__error_errno(err, "cannot write '%s'", path);
	return 0;
}

static int write_synced(const char *path, const void *data, size_t size, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write_all(fd, data, size) < 0 || fsync(fd) < 0)
		return oe__error_errno(err, "cannot write '%s'", path);
	return 0;
}

int oe__file_replace(const char *path, const void *data, size_t size, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer temporary = OE__BUFFER_INIT(0);
	OE__AUTO(string) char *directory = oe__path_directory(path);

	oe__buffer_printf(&temporary, "%s.writing-%d", path, (int)getpid());
	if (!directory || temporary.status < 0)
		return oe__error_nomem(err);
	int status = write_synced(temporary.data, data, size, err);
	if (status == 0 && rename(temporary.data, path) < 0)
		status = oe__error_errno(err, "cannot replace '%s'", path);
	if (status == 0)
		return oe__directory_sync(directory, err);
	(void)unlink(temporary.data);
	return status;
}

/* ---- directories ---- */

int oe__directory_make(const char *path, oe_error *err)
{
	if (mkdir(path, 0777) == 0 || (errno == EEXIST && oe__file_is_directory(path)))
		return 0;
	if (errno == ENOENT) {
		OE__AUTO(string) char *parent = oe__path_directory(path);
		if (!parent)
			return oe__error_nomem(err);
		int status = strcmp(parent, path) == 0 ? OE_ERR_IO : oe__directory_make(parent, err);
		if (status < 0)
			return status;
		if (mkdir(path, 0777) == 0 || errno == EEXIST)
			return 0;
	}
	return oe__error_errno(err, "cannot make the directory '%s'", path);
}

int oe__directory_sync(const char *path, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) /* EINVAL: this file system has no need */
		return oe__error_errno(err, "cannot flush the directory '%s'", path);
	return 0;
}

static int remove_at(int parent, const char *name);

static int remove_entries(int fd)
{
	/* The stream takes over a descriptor of its own. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	struct dirent *entry;
	int result = 0;

	if (!stream) {
		oe__fd_close(own);
		return -1;
	}
	while (result == 0 && (entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = remove_at(fd, entry->d_name);
	(void)closedir(stream);
	return result;
}

/* By descriptors, so that nothing swapped for a link meanwhile leads outside. */
static int remove_at(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int result = remove_entries(fd);
	oe__fd_close(fd);
	return result == 0 ? unlinkat(parent, name, AT_REMOVEDIR) : result;
}

int oe__directory_remove(const char *path, oe_error *err)
{
	if (remove_at(AT_FDCWD, path) < 0)
		return oe__error_errno(err, "cannot remove '%s'", path);
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
	while (status == 0 && (entry = readdir(stream)) != NULL) {
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
	(void)closedir(stream);
	if (status < 0) {
		oe__directory_list_free(names, used);
		return oe__error_nomem(err);
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
