#include "selftest.h"

#include "descendants.h"
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#define PROCESSES     8    /* that the child may have: few, to be quick              */
#define FORKS         (4 * PROCESSES)
#define GONE_MS       1000 /* for the end of a killed tree to be seen, on a busy machine */
#define MEBIBYTE      ((uint64_t)1 << 20)
#define DESCRIPTOR_ANSWER 0
#define DESCRIPTOR_LIVES  1

/* What the child is to leave alone. It inherits this. */
static struct {
	char canary[4096];
	char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un abstract;
	socklen_t abstract_size;
	struct sockaddr_in tcp, udp;
	pid_t victim;
} targets;

struct answer {
	uint64_t tried, done;
};

static struct answer answer; /* of the child */

static void note(enum oe__act act, bool done)
{
	answer.tried |= (uint64_t)1 << act;
	if (done)
		answer.done |= (uint64_t)1 << act;
}

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- the acts ---- */

static void try_files(const struct oe__plan *plan)
{
	struct stat info;
	int fd;

	note(OE__ACT_READ, opens(targets.canary, O_RDONLY));
	note(OE__ACT_WRITE, opens(targets.canary, O_WRONLY | O_APPEND));
	note(OE__ACT_META, chmod(targets.canary, 0666) == 0 ||
	                       utimensat(AT_FDCWD, targets.canary, NULL, 0) == 0 ||
	                       setxattr(targets.canary, "user.oe", "", 0, 0) == 0);
	note(OE__ACT_STAT, stat(targets.canary, &info) == 0);
	if (plan->head.tier < 2)
		return; /* no scratch whose size could be limited */
	fd = open("/tmp/size", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	note(OE__ACT_DISK,
	     fd < 0 || fallocate(fd, 0, 0, (off_t)(plan->head.scratch_bytes + MEBIBYTE)) == 0);
	if (fd >= 0)
		close(fd);
	(void)unlink("/tmp/size");
}

static bool connects(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool done = fd >= 0 && (connect(fd, address, size) == 0 || errno == EINPROGRESS);

	if (fd >= 0 && done && family == AF_INET) { /* refused, or really there? */
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		int code = 0;
		socklen_t length = sizeof(code);
		done = poll(&ready, 1, 100) == 1 &&
		       getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 && code == 0;
	}
	if (fd >= 0)
		close(fd);
	return done;
}

static void try_network(void)
{
	static const int others[] = { AF_VSOCK, AF_NETLINK, AF_PACKET, AF_ALG, AF_BLUETOOTH };
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	bool other = false;

	note(OE__ACT_TCP, connects(AF_INET, &targets.tcp, sizeof(targets.tcp)));
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) { /* whether it arrives, the spawner sees */
		(void)sendto(fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&targets.udp,
		             sizeof(targets.udp));
		close(fd);
	}
	note(OE__ACT_UDP, false);
	memcpy(path.sun_path, targets.socket_path, sizeof(path.sun_path));
	note(OE__ACT_UNIX_PATH, connects(AF_UNIX, &path, sizeof(path)));
	note(OE__ACT_UNIX_ABSTRACT, connects(AF_UNIX, &targets.abstract, targets.abstract_size));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		int socket_fd = socket(others[i], others[i] == AF_ALG ? SOCK_SEQPACKET : SOCK_RAW, 0);
		if (socket_fd < 0)
			socket_fd = socket(others[i], SOCK_DGRAM, 0);
		other |= socket_fd >= 0;
		if (socket_fd >= 0)
			close(socket_fd);
	}
	note(OE__ACT_SOCKET_OTHER, other);
}

static void try_processes(void)
{
	char path[64];
	struct rlimit old;

	note(OE__ACT_SIGNAL, kill(targets.victim, 0) == 0);
	note(OE__ACT_PRLIMIT, prlimit(targets.victim, RLIMIT_NOFILE, NULL, &old) == 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)targets.victim);
	note(OE__ACT_SEE, opens(path, O_RDONLY));
}

static void try_limits(const struct oe__plan *plan, const struct oe__limits *limits)
{
	struct rlimit now;
	int children = 0;

	(void)plan;
	if (limits->memory_bytes > 0) {
		void *much = mmap(NULL, limits->memory_bytes + MEBIBYTE, PROT_READ | PROT_WRITE,
		                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		note(OE__ACT_MEMORY_PROCESS, much != MAP_FAILED);
	}
	if (limits->cpu_seconds > 0)
		note(OE__ACT_CPU, getrlimit(RLIMIT_CPU, &now) < 0 || now.rlim_cur > limits->cpu_seconds);
	for (; children < FORKS; children++) {
		pid_t child = fork();
		if (child == 0)
			for (;;)
				pause();
		if (child < 0)
			break;
	}
	note(OE__ACT_PROCESSES, children == FORKS);
}

/* In a child: it may be killed for it. */
static bool survives_foreign_call(void)
{
#if defined(__x86_64__)
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		long result = 20; /* getpid() of i386 */
		__asm__ volatile("int $0x80" : "+a"(result)::"memory", "r8", "r9", "r10", "r11");
		_exit(result > 0 ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
#else
	return false;
#endif
}

static void try_calls(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	int pair[2];

	note(OE__ACT_FOREIGN_ABI, survives_foreign_call());
	note(OE__ACT_UNKNOWN_CALL, syscall(425 /* io_uring_setup */, 0, NULL) == 0 || errno != ENOSYS);
	note(OE__ACT_UNSHARE, unshare(CLONE_NEWUSER) == 0);
	note(OE__ACT_PTRACE, ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	note(OE__ACT_PRIVILEGES, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	                             syscall(SYS_capget, &header, data) < 0 ||
	                             data[0].permitted != 0 || data[1].permitted != 0 ||
	                             geteuid() == 0 || setuid(0) == 0);
	if (pipe2(pair, O_CLOEXEC) == 0) /* not a terminal: ENOTTY, if anybody looked */
		note(OE__ACT_TERMINAL, ioctl(pair[0], TIOCSTI, "x") == 0 || errno != EPERM);
	int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	note(OE__ACT_IPC, segment >= 0);
	if (segment >= 0)
		(void)shmctl(segment, IPC_RMID, NULL);
	note(OE__ACT_KEYS, syscall(SYS_keyctl, 0, -3, 0) >= 0 || errno != ENOSYS);
}

/* Twice forked, a session of its own, deaf: it holds its end of the pipe as long as it lives. */
static void leave_daemon(void)
{
	if (fork() != 0)
		return;
	(void)setsid();
	if (fork() == 0) {
		sigset_t all;
		sigfillset(&all);
		(void)sigprocmask(SIG_BLOCK, &all, NULL);
		for (;;)
			pause();
	}
	_exit(0);
}

static void act(const struct start *start)
{
	leave_daemon();
	try_files(start->plan);
	try_network();
	try_processes();
	try_calls();
	try_limits(start->plan, &start->request.limits);
	note(OE__ACT_OUTLIVE, false); /* the spawner sees */
	ssize_t written = write(DESCRIPTOR_ANSWER, &answer, sizeof(answer));
	(void)written;
	for (;;)
		pause(); /* it is killed, with what it started */
}

/* ---- the spawner's side ---- */

struct stage {
	int tcp, udp, path, abstract;
	int answer[2], lives[2];
};

static int bind_inet(int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd >= 0 && (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	                getsockname(fd, (struct sockaddr *)address, &size) < 0 ||
	                (type == SOCK_STREAM && listen(fd, 4) < 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int bind_unix(struct sockaddr_un *address, socklen_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (bind(fd, (const struct sockaddr *)address, size) < 0 || listen(fd, 4) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* In the scratch directory, open to everybody: only the sandbox is in the way. */
static bool set_stage(struct stage *stage, const char *scratch)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };

	(void)chmod(scratch, 0711); /* not the rights of its user are on trial */

	(void)snprintf(targets.canary, sizeof(targets.canary), "%s/canary", scratch);
	int canary = open(targets.canary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (canary >= 0) {
		(void)fchmod(canary, 0666);
		close(canary);
	}
	(void)snprintf(targets.socket_path, sizeof(targets.socket_path), "%s/s", scratch);
	memcpy(path.sun_path, targets.socket_path, sizeof(path.sun_path));
	(void)unlink(targets.socket_path);
	stage->path = bind_unix(&path, sizeof(path));
	(void)chmod(targets.socket_path, 0666);
	targets.abstract = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int size = snprintf(targets.abstract.sun_path + 1, sizeof(targets.abstract.sun_path) - 1, "oe-%d",
	                    (int)getpid());
	targets.abstract_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
	stage->abstract = bind_unix(&targets.abstract, targets.abstract_size);
	stage->tcp = bind_inet(SOCK_STREAM, &targets.tcp);
	stage->udp = bind_inet(SOCK_DGRAM, &targets.udp);
	targets.victim = getpid();
	return canary >= 0 && pipe2(stage->answer, O_CLOEXEC) == 0 && pipe2(stage->lives, O_CLOEXEC) == 0;
}

static void clear_stage(const struct stage *stage, const char *scratch)
{
	const int fds[] = { stage->tcp,       stage->udp,       stage->path,     stage->abstract,
		                stage->answer[0], stage->answer[1], stage->lives[0], stage->lives[1] };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	(void)unlink(targets.canary);
	(void)unlink(targets.socket_path);
	(void)chmod(scratch, 0700);
}

static bool is_readable(int fd, int wait_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	return poll(&ready, 1, wait_ms) == 1;
}

/* Kill it as any other tree. The way from there to the end of the last process is what is tested. */
static void end_tree(const struct start *start, pid_t keeper)
{
	if (start->plan->head.tier >= 2)
		(void)kill(keeper, SIGTERM);
	else
		(void)descendants_kill(keeper, 0);
	while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* The reports of its keeper, which go where all do, are for us: see main.c. */
static void try_tree(struct start *start, struct stage *stage, struct selftest *out)
{
	union {
		struct answer answer;
		struct failure failure; /* it is shorter */
	} got = { { 0, 0 } };

	start->fds[DESCRIPTOR_ANSWER] = stage->answer[1];
	start->fds[DESCRIPTOR_LIVES] = stage->lives[1];
	start->fd_count = 2;
	pid_t keeper = fork();
	if (keeper == 0)
		keeper_run(start);
	close(stage->answer[1]);
	close(stage->lives[1]);
	stage->answer[1] = stage->lives[1] = -1;
	if (keeper < 0) {
		out->failure = (struct failure){ OE__STEP_FORK, errno };
		return;
	}
	ssize_t size = read(stage->answer[0], &got, sizeof(got));
	end_tree(start, keeper);
	if (size != (ssize_t)sizeof(got.answer)) {
		out->failure = size == (ssize_t)sizeof(got.failure)
		                   ? got.failure
		                   : (struct failure){ OE__STEP_EXEC, ECHILD };
		return;
	}
	if (stage->udp >= 0 && is_readable(stage->udp, 0))
		got.answer.done |= (uint64_t)1 << OE__ACT_UDP;
	char byte;
	if (!is_readable(stage->lives[0], GONE_MS) || read(stage->lives[0], &byte, 1) != 0)
		got.answer.done |= (uint64_t)1 << OE__ACT_OUTLIVE;
	out->tried = got.answer.tried;
	out->done = got.answer.done;
}

struct selftest selftest_run(const struct oe__plan *plan, const char *scratch, const char *staging)
{
	struct selftest out = { 0 };
	struct stage stage = { -1, -1, -1, -1, { -1, -1 }, { -1, -1 } };
	struct start start = { .request = { .type = OE__REQUEST_START, .limits = plan->head.limits },
		                   .directory = "/",
		                   .plan = plan,
		                   .staging = staging,
		                   .group = -1,
		                   .orders = -1,
		                   .act = act };

	struct namespaces *namespaces = plan->head.tier >= 2 ? namespaces_get(0, plan) : NULL;

	if (namespaces)
		namespaces_renew_root(namespaces, plan, staging);
	start.namespaces = namespaces;
	start.request.limits.processes = PROCESSES;
	if (set_stage(&stage, scratch))
		try_tree(&start, &stage, &out);
	else
		out.failure = (struct failure){ OE__STEP_FORK, errno };
	clear_stage(&stage, scratch);
	return out;
}
