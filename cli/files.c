/* Files of commands: small ones, read and written whole. */

#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)256 << 20)

int file_read(const char *path, struct text *out)
{
	char buffer[65536];
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	while (out->size < FILE_MAX && (got = read(fd, buffer, sizeof(buffer))) != 0) {
		if (got > 0)
			text_add_bytes(out, buffer, (size_t)got);
		else if (errno != EINTR)
			break;
	}
	int error = got == 0 ? 0 : got < 0 ? errno : EFBIG;
	if (!standard)
		close(fd);
	errno = error;
	return error ? -1 : 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);
		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			data += put;
			size -= (size_t)put;
		}
	}
	return 0;
}

int file_write(const char *path, const void *data, size_t size, bool replace)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL), 0666);

	if (fd < 0)
		return -1;
	int status = write_all(fd, data, size);
	int error = errno;
	if (close(fd) < 0 && status == 0)
		return -1;
	errno = error;
	return status;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int folder_make(const char *path)
{
	AUTO(string) char *part = must_copy(path);
	struct stat about;

	for (char *s = part + 1; *part && *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return -1;
		*s = '/';
	}
	if (mkdir(part, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(part, &about) == 0 && !S_ISDIR(about.st_mode))
		errno = ENOTDIR;
	return errno == EEXIST ? 0 : -1;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int folder_list(const char *path, const char *prefix, struct names *out)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder)
		return -1;
	while ((errno = 0, entry = readdir(folder)) != NULL) {
		if (!text_starts(entry->d_name, prefix))
			continue;
		out->items = must_resize(out->items, out->count + 1, sizeof(*out->items));
		out->items[out->count++] = must_copy(entry->d_name);
	}
	int error = errno;
	closedir(folder);
	if (out->count > 0)
		qsort(out->items, out->count, sizeof(*out->items), by_version);
	errno = error;
	return error ? -1 : 0;
}

void auto_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return must_copy(".");
	return slash == path ? must_copy("/") : must_format("%.*s", (int)(slash - path), path);
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *path_extension(const char *path)
{
	const char *name = path_name(path);
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot : "";
}

char *path_absolute(const char *path)
{
	char *absolute = realpath(path, NULL);

	return absolute ? absolute : must_copy(path);
}
