#include "plan.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool plan_is_below(const char *path, const char *parent)
{
	size_t size = strlen(parent);

	if (size == 1) /* "/" */
		return true;
	return strncmp(path, parent, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static const char *next_string(char **at, const char *end)
{
	char *text = *at, *stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (stop)
		*at = stop + 1;
	return stop ? text : NULL;
}

size_t plan_read_mounts(struct oe__plan *plan, size_t first, size_t count, char *bytes, size_t size)
{
	char *at = bytes;
	const char *end = bytes + size;

	if (count > OE__MOUNTS_MAX || first > OE__MOUNTS_MAX - count)
		return 0;
	for (size_t i = first; i < first + count; i++) {
		struct oe__mount *mount = &plan->mounts[i];
		const char *kind = next_string(&at, end);
		mount->path = next_string(&at, end);
		mount->source = next_string(&at, end);
		if (!kind || strlen(kind) != 1 || !mount->source || mount->path[0] != '/')
			return 0;
		mount->kind = *kind;
	}
	plan->head.mount_count = (uint32_t)(first + count);
	return (size_t)(at - bytes);
}

/* ---- the kit: head, filter, mounts ---- */

static bool write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t written = write(fd, at, size);
		if (written <= 0)
			return false;
		at += written;
		size -= (size_t)written;
	}
	return true;
}

static bool write_mounts(int fd, const struct oe__plan *plan)
{
	for (size_t i = 0; i < plan->head.mount_count; i++) {
		const struct oe__mount *mount = &plan->mounts[i];
		const char kind[2] = { mount->kind, '\0' };
		if (!write_all(fd, kind, 2) || !write_all(fd, mount->path, strlen(mount->path) + 1) ||
		    !write_all(fd, mount->source, strlen(mount->source) + 1))
			return false;
	}
	return true;
}

int plan_to_kit(const struct oe__plan *plan)
{
	int fd = memfd_create("oe-kit", MFD_CLOEXEC);

	if (fd >= 0 && write_all(fd, &plan->head, sizeof(plan->head)) &&
	    write_all(fd, plan->filter, plan->head.filter_count * sizeof(plan->filter[0])) &&
	    write_mounts(fd, plan))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool plan_from_kit(struct oe__plan *plan, int fd)
{
	struct stat info;

	if (fstat(fd, &info) < 0 || info.st_size < (off_t)sizeof(plan->head))
		return false;
	size_t size = (size_t)info.st_size;
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	memcpy(&plan->head, bytes, sizeof(plan->head));
	size_t count = plan->head.filter_count, filter = count * sizeof(plan->filter[0]);
	if (count > OE__FILTER_MAX || size - sizeof(plan->head) < filter)
		return false;
	memcpy(plan->filter, bytes + sizeof(plan->head), filter);
	size_t before = sizeof(plan->head) + filter;
	return plan->head.mount_count == 0 ||
	       plan_read_mounts(plan, 0, plan->head.mount_count, bytes + before, size - before) > 0;
}
