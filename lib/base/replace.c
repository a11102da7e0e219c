/* Files that are complete or not there at all. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"

int oe__path_temporary(const char *directory, const char *kind, struct oe__buffer *out,
                       oe_error *err)
{
	char unique[OE__UUID_SIZE];

	if (oe__uuid_random(unique) < 0)
		return oe__error(err, OE_ERR_IO, "there is no randomness");
	return oe__buffer_printf(out, "%s/.%s-%s", directory, kind, unique) < 0 ? oe__error_nomem(err)
	                                                                        : 0;
}

/* `path` is for messages: people do not know the temporary one. */
static int write_synced(const char *temporary, const void *data, size_t size, const char *path,
                        oe_error *err)
{
	OE__AUTO(fd) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || oe__fd_write(fd, data, size) < 0 || fsync(fd) < 0)
		return oe__error_errno(err, "cannot write '%s'", path);
	return 0;
}

int oe__file_replace(const char *path, const void *data, size_t size, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer temporary = OE__BUFFER_INIT(0);
	OE__AUTO(string) char *directory = oe__path_directory(path);

	if (!directory)
		return oe__error_nomem(err);
	int status = oe__path_temporary(directory, "writing", &temporary, err);
	if (status < 0)
		return status;
	status = write_synced(temporary.data, data, size, path, err);
	if (status == 0 && rename(temporary.data, path) < 0)
		status = oe__error_errno(err, "cannot replace '%s'", path);
	if (status == 0)
		return oe__directory_sync(directory, err);
	(void)unlink(temporary.data);
	return status;
}
