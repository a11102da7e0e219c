/* Both names of each call are defined here: nothing may be made of the one to the other. */
#undef _FILE_OFFSET_BITS

#include "refuse.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The C library's own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

const char *const refuse_names[REFUSE_KINDS] = { "memory", "file", "process", "thread" };

static atomic_int armed = -1; /* the kind, or -1 */
static atomic_long count, refused_at, live;
static atomic_bool for_ever;

void refuse_arm(enum refuse_kind kind, long at, bool ever)
{
	atomic_store(&count, 0);
	atomic_store(&refused_at, at);
	atomic_store(&for_ever, ever);
	atomic_store(&armed, (int)kind);
}

long refuse_disarm(void)
{
	atomic_store(&armed, -1);
	return atomic_load(&count);
}

long refuse_live(void)
{
	return atomic_load(&live);
}

static bool refuses(enum refuse_kind kind)
{
	if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind)
		return false;
	long number = atomic_fetch_add(&count, 1) + 1, at = atomic_load(&refused_at);
	return at > 0 && (number == at || (number > at && atomic_load(&for_ever)));
}

static int refuse_as(int error)
{
	errno = error;
	return -1;
}

static bool is_of_libuv(void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libuv") != NULL;
}

/* ---- blocks and where they come from ---- */

#define TRACES 65536
#define FRAMES 14

static struct trace {
	void *block;
	void *frames[FRAMES];
	int depth;
} traces[TRACES];
static atomic_flag traces_lock = ATOMIC_FLAG_INIT;
static atomic_bool tracing;
static _Thread_local bool in_trace;

static void trace_block(void *block, void *freed)
{
	if (!atomic_load(&tracing) || in_trace)
		return;
	in_trace = true; /* backtrace() may allocate */
	struct trace fresh = { .block = block };
	if (block)
		fresh.depth = backtrace(fresh.frames, FRAMES);
	while (atomic_flag_test_and_set(&traces_lock))
		continue;
	void *wanted = block ? NULL : freed;
	for (size_t i = 0; i < TRACES; i++)
		if (traces[i].block == wanted) {
			traces[i] = fresh;
			break;
		}
	atomic_flag_clear(&traces_lock);
	in_trace = false;
}

void refuse_trace(bool on)
{
	atomic_store(&tracing, on);
	for (size_t i = 0; !on && i < TRACES; i++)
		if (traces[i].block) {
			in_trace = true;
			puts("left:");
			fflush(stdout);
			backtrace_symbols_fd(traces[i].frames, traces[i].depth, 1);
			in_trace = false;
		}
}

/* ---- memory ---- */

static void *counted(void *block)
{
	if (block) {
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
		trace_block(block, NULL);
	}
	return block;
}

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return refuses(REFUSE_MEMORY) ? no_memory() : counted(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
	return refuses(REFUSE_MEMORY) ? no_memory() : counted(__libc_calloc(number, size));
}

void *realloc(void *block, size_t size)
{
	/* libuv ends the process where its table of descriptors cannot grow. */
	if (refuses(REFUSE_MEMORY) && !is_of_libuv(__builtin_return_address(0)))
		return no_memory();
	void *moved = __libc_realloc(block, size);
	if (moved && block && moved != block) {
		trace_block(NULL, block);
		trace_block(moved, NULL);
	}
	if (moved && !block)
		counted(moved);
	else if (block && !moved && size == 0)
		atomic_fetch_sub(&live, 1);
	return moved;
}

void *memalign(size_t alignment, size_t size)
{
	return refuses(REFUSE_MEMORY) ? no_memory() : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *block = memalign(alignment, size);
	if (block)
		*out = block;
	return block ? 0 : ENOMEM;
}

void free(void *block)
{
	if (block) {
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
		trace_block(NULL, block);
	}
	__libc_free(block);
}

/* ---- files ---- */

/* Pipes and event descriptors always take what is written to them. */
static bool refuses_data(int fd)
{
	struct stat info;

	return atomic_load_explicit(&armed, memory_order_relaxed) == REFUSE_FILE &&
		   fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && refuses(REFUSE_FILE);
}

static int open_file(int directory, const char *path, int flags, int mode)
{
	if (refuses(REFUSE_FILE))
		return refuse_as(EMFILE);
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(name)                                                                                 \
	int name(const char *path, int flags, ...)                                                     \
	{                                                                                              \
		va_list arguments;                                                                         \
		va_start(arguments, flags);                                                                \
		int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;                      \
		va_end(arguments);                                                                         \
		return open_file(AT_FDCWD, path, flags, mode);                                             \
	}
#define OPENAT(name)                                                                               \
	int name(int directory, const char *path, int flags, ...)                                      \
	{                                                                                              \
		va_list arguments;                                                                         \
		va_start(arguments, flags);                                                                \
		int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;                      \
		va_end(arguments);                                                                         \
		return open_file(directory, path, flags, mode);                                            \
	}
#define PREAD(name)                                                                                \
	ssize_t name(int fd, void *data, size_t size, off_t at)                                        \
	{                                                                                              \
		return refuses_data(fd) ? refuse_as(EIO) : syscall(SYS_pread64, fd, data, size, at);       \
	}
#define PWRITE(name)                                                                               \
	ssize_t name(int fd, const void *data, size_t size, off_t at)                                  \
	{                                                                                              \
		return refuses_data(fd) ? refuse_as(ENOSPC) : syscall(SYS_pwrite64, fd, data, size, at);   \
	}
#define FTRUNCATE(name)                                                                            \
	int name(int fd, off_t size)                                                                   \
	{                                                                                              \
		return refuses_data(fd) ? refuse_as(EIO) : (int)syscall(SYS_ftruncate, fd, size);          \
	}

OPEN(open)
OPENAT(openat)
PREAD(pread)
PWRITE(pwrite)
FTRUNCATE(ftruncate)
OPEN(open64)
OPENAT(openat64)
PREAD(pread64)
PWRITE(pwrite64)
FTRUNCATE(ftruncate64)

ssize_t write(int fd, const void *data, size_t size)
{
	return refuses_data(fd) ? refuse_as(ENOSPC) : syscall(SYS_write, fd, data, size);
}

ssize_t read(int fd, void *data, size_t size)
{
	return refuses_data(fd) ? refuse_as(EIO) : syscall(SYS_read, fd, data, size);
}

int fsync(int fd)
{
	return refuses(REFUSE_FILE) ? refuse_as(EIO) : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return refuses(REFUSE_FILE) ? refuse_as(EIO) : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	return refuses(REFUSE_FILE) ? refuse_as(EIO) : (int)syscall(SYS_rename, from, to);
}

int mkdir(const char *path, mode_t mode)
{
	return refuses(REFUSE_FILE) ? refuse_as(ENOSPC) : (int)syscall(SYS_mkdir, path, mode);
}

int eventfd(unsigned value, int flags)
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE) : (int)syscall(SYS_eventfd2, value, flags);
}

int epoll_create1(int flags)
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE) : (int)syscall(SYS_epoll_create1, flags);
}

int timerfd_create(int clock, int flags)
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE) : (int)syscall(SYS_timerfd_create, clock, flags);
}

int pipe2(int ends[2], int flags)
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE) : (int)syscall(SYS_pipe2, ends, flags);
}

int socket(int domain, int type, int protocol)
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE) : (int)syscall(SYS_socket, domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
	return refuses(REFUSE_FILE) ? refuse_as(EMFILE)
								: (int)syscall(SYS_socketpair, domain, type, protocol, ends);
}

/* ---- processes and threads ---- */

#define NEXT(name, pointer)                                                                        \
	do {                                                                                           \
		void *symbol = dlsym(RTLD_NEXT, name);                                                     \
		memcpy(&(pointer), &symbol, sizeof(pointer));                                              \
	} while (0)

pid_t fork(void)
{
	pid_t (*next)(void);

	NEXT("fork", next);
	return refuses(REFUSE_PROCESS) ? refuse_as(EAGAIN) : next();
}

int posix_spawn(pid_t *restrict pid, const char *restrict path,
				const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attributes,
				char *const arguments[restrict], char *const environment[restrict])
{
	int (*next)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
				char *const[], char *const[]);

	NEXT("posix_spawn", next);
	return refuses(REFUSE_PROCESS)
			   ? EAGAIN
			   : next(pid, path, actions, attributes, arguments, environment);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
				   void *(*run)(void *), void *restrict argument)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	NEXT("pthread_create", next);
	return refuses(REFUSE_THREAD) ? EAGAIN : next(thread, attributes, run, argument);
}
