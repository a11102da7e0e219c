#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn void give_up(const char *what, int status)
{
	dprintf(2, "%s: %s (step %d)\n", what, strerrordesc_np(-status), oe_warm_step());
	_exit(1);
}

void files_close(struct files *files)
{
	if (files->mounts >= 0)
		close(files->mounts);
	if (files->rules >= 0)
		close(files->rules);
	*files = NO_FILES;
}

static int open_of(const struct room *room, const char *name)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "/proc/%d/%.64s", (int)room->init, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		give_up("cannot see a process namespace", -errno);
	return fd;
}

bool room_enter(struct room *room)
{
	char name[32];
	int status;

	if (room->init > 0) {
		if (setns(room->space, CLONE_NEWPID) < 0)
			give_up("cannot enter a process namespace", -errno);
		return true;
	}
	if ((status = oe_warm_begin(&room->init, &room->hold)) < 0)
		give_up("cannot make a process namespace", status);
	if (room->init < 0)
		return false;
	(void)snprintf(name, sizeof(name), "task/%d/children", (int)room->init);
	room->space = open_of(room, "ns/pid");
	room->children = open_of(room, name);
	room->handle = (int)syscall(SYS_pidfd_open, room->init, 0);
	return true;
}

/* What nobody waited for is its first process's by now. */
bool room_has_strays(const struct room *room)
{
	char byte;

	return pread(room->children, &byte, 1, 0) != 0;
}

int64_t room_end(struct room *room, struct rusage *usage)
{
	int status = 0;
	/* A spare that was just forked may still hold the other end: closing would not do. */
	ssize_t written = write(room->hold, "x", 1);

	(void)written;
	close(room->hold);
	close(room->space);
	close(room->children);
	close(room->handle);
	(void)wait4(room->init, &status, 0, usage);
	*room = (struct room){ .files = room->files, .kept = room->kept };
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

void room_take_files(struct room *room, struct files *files)
{
	if (files->mounts < 0) /* it had those of the one before */
		return;
	files_close(&room->files);
	room->files = *files;
	*files = NO_FILES;
}
