#include "sandbox/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sandbox/levels.h"
#include "sandbox/policy.h"

#define PROBE_MS 20000 /* for the self-test, on a machine that is busy */

struct listening {
	uint64_t tree;
	oe__sandbox_listener *listener;
	void *owner;
	uint32_t asked;        /* for its memory, and not told yet      */
	struct oe__report end; /* kept back until then; type 0: none    */
};

struct oe__sandbox {
	int socket; /* -1: the spawner is gone */
	pid_t spawner;
	int spawner_fd; /* pidfd */
	pid_t process;  /* that made it */
	char *scratch, *library;
	char *files; /* in memory; NULL: there is no such place */
	struct oe__sandbox_report report;
	uint64_t next_tree;
	struct listening *trees;
	size_t tree_count, tree_capacity;
};

/* ---- the spawner ---- */

/* Relative to the file that this code is in: the library in its build directory, or a test that has
   it inside. No path of the machine that built it is trusted elsewhere. */
static const char *const places[] = { "", "../../lib/", "../../../lib/" };

/* An executable or a library of ours. */
static int find_helper(const char *name, struct oe__buffer *out)
{
	Dl_info self = { 0 };
	const char *slash = NULL;

	if (dladdr((const void *)places, &self) && self.dli_fname)
		slash = strrchr(self.dli_fname, '/');
	for (size_t i = 0; slash && i < OE__COUNT(places); i++) {
		oe__buffer_clear(out);
		oe__buffer_append(out, self.dli_fname, (size_t)(slash + 1 - self.dli_fname));
		oe__buffer_printf(out, "%s%s", places[i], name);
		if (out->status < 0 || access(out->data, R_OK) == 0)
			return out->status;
	}
	oe__buffer_clear(out);
	return oe__buffer_printf(out, "%s/%s", OE_LIBEXEC_INSTALLED, name);
}

/* posix_spawn, with an empty environment and these two descriptors; all others are CLOEXEC. */
static int spawn(struct oe__sandbox *sandbox, int theirs, int host, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(0);
	char name[] = "oe-spawner";
	char *arguments[] = { name, sandbox->scratch, sandbox->files, NULL };
	char *variables[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	if (find_helper(name, &path) < 0)
		return oe__error_nomem(err);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	/* These allocate. A spawner without its socket would wait for something else of that number. */
	int code = posix_spawn_file_actions_adddup2(&actions, theirs, OE__SPAWNER_SOCKET);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, host, OE__SPAWNER_HOST);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (code == 0)
		code = posix_spawn(&sandbox->spawner, path.data, &actions, &attributes, arguments, variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (code != 0) {
		errno = code;
		sandbox->spawner = 0;
		return oe__error_errno(err, "cannot start '%s'", path.data);
	}
	sandbox->spawner_fd = (int)syscall(SYS_pidfd_open, sandbox->spawner, 0);
	return 0;
}

/* A descriptor that cannot collide with the places the spawner's are put in. */
static int out_of_the_way(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 16);
	oe__fd_close(fd);
	return moved;
}

static int connect_spawner(struct oe__sandbox *sandbox, oe_error *err)
{
	int ends[2];
	int host = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (host < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		oe__fd_close(host);
		return oe__error_errno(err, "cannot make a socket for the spawner");
	}
	sandbox->socket = ends[0];
	host = out_of_the_way(host);
	int theirs = out_of_the_way(ends[1]);
	int status = spawn(sandbox, theirs, host, err);
	oe__fd_close(theirs);
	oe__fd_close(host);
	return status;
}

static int make_scratch(struct oe__sandbox *sandbox, const char *temporary, oe_error *err)
{
	sandbox->scratch = oe__path_join(temporary, "oe-XXXXXX");
	if (!sandbox->scratch)
		return oe__error_nomem(err);
	if (!mkdtemp(sandbox->scratch)) {
		int status = oe__error_errno(err, "cannot make a directory in '%s'", temporary);
		oe__free(OE__STEAL(sandbox->scratch));
		return status;
	}
	return 0;
}

/* ---- the policy ---- */

static int send_packet(struct oe__sandbox *sandbox, const void *data, size_t size, const int *fds,
                       uint32_t fd_count);
static void request(struct oe__sandbox *sandbox, enum oe__request_type type, uint64_t tree,
                    int32_t keep);

static int send_policy(struct oe__sandbox *sandbox, const oe_sandbox_policy *policy, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer packet = OE__BUFFER_INIT(OE__MESSAGE_MAX);
	OE__AUTO(buffer) struct oe__buffer init = OE__BUFFER_INIT(0);
	struct oe__request head = { .type = OE__REQUEST_POLICY };

	if (find_helper("oe-init", &init) < 0)
		return oe__error_nomem(err);
	const char *helpers[] = { init.data, OE__INSIDE_INIT, sandbox->library, OE__INSIDE_LIBRARY, NULL };
	oe__buffer_append(&packet, &head, sizeof(head));
	int status = oe__policy_packet(policy, helpers, &packet);
	if (status == OE_ERR_LIMIT)
		return oe__error(err, OE_ERR_CONFIG, "the policy of the sandbox names too many paths");
	if (status < 0)
		return oe__error_nomem(err);
	if (send_packet(sandbox, packet.data, packet.size, NULL, 0) < 0)
		return oe__error_errno(err, "cannot reach the spawner");
	request(sandbox, OE__REQUEST_PROBE, 0, 0);
	return 0;
}

/* The self-test is short; a spawner that does not answer is broken. */
static int hear_findings(struct oe__sandbox *sandbox, struct oe__findings *findings, oe_error *err)
{
	struct pollfd ready = { .fd = sandbox->socket, .events = POLLIN };
	ssize_t size = 0;

	do {
		int count = poll(&ready, 1, PROBE_MS);
		if (count < 0 && errno == EINTR)
			continue;
		size = count == 1 ? recv(sandbox->socket, findings, sizeof(*findings), 0) : 0;
		if (size <= 0)
			return oe__error(err, OE_ERR_SANDBOX, "the self-test of the sandbox did not end");
	} while (size != (ssize_t)sizeof(*findings) || findings->type != OE__REQUEST_PROBE);
	return 0;
}

static int cannot_confine(const struct oe__findings *findings, oe_error *err)
{
	return oe__error(err, OE_ERR_SANDBOX,
	                 "programs cannot be confined here: cannot %s: %s; sandbox.mode none runs them as they are",
	                 oe__step_name(findings->step[0]), oe__errno_text(findings->status[0]));
}

static int set_policy(struct oe__sandbox *sandbox, const oe_sandbox_policy *policy, oe_error *err)
{
	struct oe__sandbox_report *report = &sandbox->report;
	struct oe__findings findings = { .tier = -1 };

	oe__sandbox_report_init(report, policy->mode);
	if (policy->mode == OE_SANDBOX_NONE) {
		oe__levels_unconfined(report, policy);
		return oe__sandbox_report_check(report, policy->require, err);
	}
	int status = send_policy(sandbox, policy, err);
	if (status == 0)
		status = hear_findings(sandbox, &findings, err);
	if (status == 0 && findings.tier < 0)
		status = cannot_confine(&findings, err);
	if (status < 0)
		return status;
	oe__levels_set(report, policy, &findings);
	if (findings.tier < 2 && findings.root)
		(void)chmod(sandbox->scratch, 0711); /* for the users that the trees are */
	return oe__sandbox_report_check(report, policy->require, err);
}

/* Without it files are on disk, which takes longer. */
static void make_files(struct oe__sandbox *sandbox)
{
	char *path = oe__strdup("/dev/shm/oe-XXXXXX");

	if (path && mkdtemp(path))
		sandbox->files = path;
	else
		oe__free(path);
}

int oe__sandbox_new(const char *temporary, const oe_sandbox_policy *policy, struct oe__sandbox **out,
                    oe_error *err)
{
	OE__AUTO(sandbox) struct oe__sandbox *sandbox = oe__calloc(1, sizeof(*sandbox));
	if (!sandbox)
		return oe__error_nomem(err);
	sandbox->socket = sandbox->spawner_fd = -1;
	sandbox->report.tier = -1;
	sandbox->process = getpid();
	sandbox->next_tree = 1;
	OE__AUTO(buffer) struct oe__buffer library = OE__BUFFER_INIT(0);
	(void)find_helper("oe-confine.so", &library);
	sandbox->library = oe__buffer_steal(&library, NULL);
	if (!sandbox->library)
		return oe__error_nomem(err);
	int status = make_scratch(sandbox, temporary, err);
	if (policy && policy->mode != OE_SANDBOX_NONE)
		make_files(sandbox);
	if (status == 0)
		status = connect_spawner(sandbox, err);
	if (status == 0 && policy)
		status = set_policy(sandbox, policy, err);
	if (status < 0)
		return status;
	*out = OE__STEAL(sandbox);
	return 0;
}

int oe__sandbox_tier(const struct oe__sandbox *sandbox)
{
	return sandbox->report.tier;
}

struct oe__sandbox_report *oe__sandbox_report(struct oe__sandbox *sandbox)
{
	return &sandbox->report;
}

/* Where there are no namespaces, what it is to end may have stopped it. */
static void wake_spawner(const struct oe__sandbox *sandbox)
{
	if (sandbox->spawner_fd >= 0)
		(void)syscall(SYS_pidfd_send_signal, sandbox->spawner_fd, SIGCONT, NULL, 0);
}

void oe__sandbox_free(struct oe__sandbox *sandbox)
{
	if (!sandbox)
		return;
	/* A fork's copy owns nothing of it: neither the child nor the directory. */
	bool ours = sandbox->process == getpid();

	if (ours)
		wake_spawner(sandbox);
	oe__fd_close(sandbox->socket); /* the spawner kills everything, cleans up, and leaves */
	if (ours && sandbox->spawner > 0)
		while (waitpid(sandbox->spawner, NULL, 0) < 0 && errno == EINTR)
			continue;
	if (ours && sandbox->scratch)
		(void)oe__directory_remove(sandbox->scratch, NULL); /* if it could not */
	if (ours && sandbox->files)
		(void)oe__directory_remove(sandbox->files, NULL);
	oe__fd_close(sandbox->spawner_fd);
	oe__sandbox_report_done(&sandbox->report);
	oe__free(sandbox->trees);
	oe__free(sandbox->library);
	oe__free(sandbox->files);
	oe__free(sandbox->scratch);
	oe__free(sandbox);
}

const char *oe__sandbox_files(const struct oe__sandbox *sandbox)
{
	return sandbox->files && sandbox->report.tier >= 2 ? sandbox->files : sandbox->scratch;
}

const char *oe__sandbox_library(const struct oe__sandbox *sandbox)
{
	return sandbox->library;
}

const char *oe__sandbox_scratch(const struct oe__sandbox *sandbox)
{
	return sandbox->scratch;
}

int oe__sandbox_fd(const struct oe__sandbox *sandbox)
{
	return sandbox->socket;
}

/* ---- listeners ---- */

static struct listening *find(struct oe__sandbox *sandbox, uint64_t tree)
{
	for (size_t i = 0; i < sandbox->tree_count; i++)
		if (sandbox->trees[i].tree == tree)
			return &sandbox->trees[i];
	return NULL;
}

void oe__sandbox_forget(struct oe__sandbox *sandbox, uint64_t tree)
{
	struct listening *listening = find(sandbox, tree);
	if (listening)
		*listening = sandbox->trees[--sandbox->tree_count];
}

/* The answer to a question about it is on its way, and belongs before its end. @return true: not yet. */
static bool must_wait(struct listening *listening, const struct oe__report *report)
{
	if (report->type == OE__REPORT_MEMORY)
		listening->asked -= listening->asked > 0;
	if (report->type != OE__REPORT_DEAD || listening->asked == 0)
		return false;
	listening->end = *report;
	return true;
}

static void deliver(struct oe__sandbox *sandbox, const struct oe__report *report)
{
	struct listening *found = find(sandbox, report->tree);
	if (!found || must_wait(found, report))
		return;
	struct listening listening = *found; /* the listener may change the list */
	if (report->type == OE__REPORT_DEAD || report->type == OE__REPORT_FAILED ||
	    report->type == OE__REPORT_LOST)
		oe__sandbox_forget(sandbox, report->tree);
	listening.listener(listening.owner, report);
	if (report->type == OE__REPORT_MEMORY && listening.asked == 0 && listening.end.type != 0)
		deliver(sandbox, &listening.end);
}

static void lose_all(struct oe__sandbox *sandbox)
{
	oe__fd_close(sandbox->socket);
	sandbox->socket = -1;
	while (sandbox->tree_count > 0)
		deliver(sandbox, &(struct oe__report){ .type = OE__REPORT_LOST,
		                                       .tree = sandbox->trees[0].tree });
}

bool oe__sandbox_dispatch(struct oe__sandbox *sandbox)
{
	struct oe__report report;

	while (sandbox->socket >= 0) {
		ssize_t size = recv(sandbox->socket, &report, sizeof(report), MSG_DONTWAIT);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return true;
		if (size <= 0)
			lose_all(sandbox);
		else if (size == sizeof(report))
			deliver(sandbox, &report);
	}
	return false;
}

/* ---- requests ---- */

static void append_string(struct oe__buffer *packet, const char *text)
{
	oe__buffer_append(packet, text, strlen(text) + 1);
}

static int build_packet(const struct oe__tree_spec *spec, uint64_t tree, struct oe__buffer *packet)
{
	struct oe__request request = { .type = OE__REQUEST_START,
		                           .tree = tree,
		                           .flags = spec->flags,
		                           .mount_count = spec->mount_count,
		                           .fd_count = spec->fd_count,
		                           .limits = spec->limits };

	while (spec->arguments[request.argument_count])
		request.argument_count++;
	while (spec->variables && spec->variables[request.variable_count])
		request.variable_count++;
	oe__buffer_append(packet, &request, sizeof(request));
	for (uint32_t i = 0; i < request.argument_count; i++)
		append_string(packet, spec->arguments[i]);
	for (uint32_t i = 0; i < request.variable_count; i++)
		append_string(packet, spec->variables[i]);
	append_string(packet, spec->directory);
	for (uint32_t i = 0; i < spec->mount_count; i++) {
		const char kind[2] = { spec->mounts[i].kind, '\0' };
		append_string(packet, kind);
		append_string(packet, spec->mounts[i].path);
		append_string(packet, "");
	}
	return packet->status;
}

static int send_packet(struct oe__sandbox *sandbox, const void *data, size_t size, const int *fds,
                       uint32_t fd_count)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * OE__FDS_MAX)];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd_count > 0) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	ssize_t sent;
	while ((sent = sendmsg(sandbox->socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
		continue;
	return sent == (ssize_t)size ? 0 : -1;
}

int oe__sandbox_start(struct oe__sandbox *sandbox, const struct oe__tree_spec *spec,
                      oe__sandbox_listener *listener, void *owner, uint64_t *tree, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer packet = OE__BUFFER_INIT(OE__MESSAGE_MAX);

	if (sandbox->process != getpid())
		return oe__error(err, OE_ERR_STATE, "this sandbox belongs to the parent process");
	if (sandbox->socket < 0 || spec->fd_count > OE__FDS_MAX)
		return oe__error(err, OE_ERR_STATE, "the spawner is gone");
	if (build_packet(spec, sandbox->next_tree, &packet) < 0)
		return oe__error(err, packet.status, "the arguments and the environment of '%s' are too long",
		                 spec->arguments[0]);
	void *trees = sandbox->trees;
	int status = oe__grow(&trees, &sandbox->tree_capacity, sandbox->tree_count + 1,
	                      sizeof(*sandbox->trees));
	sandbox->trees = trees;
	if (status < 0)
		return oe__error_nomem(err);
	if (send_packet(sandbox, packet.data, packet.size, spec->fds, spec->fd_count) < 0)
		return oe__error_errno(err, "cannot reach the spawner");
	*tree = sandbox->next_tree++;
	sandbox->trees[sandbox->tree_count++] =
		(struct listening){ .tree = *tree, .listener = listener, .owner = owner };
	return 0;
}

static void request(struct oe__sandbox *sandbox, enum oe__request_type type, uint64_t tree,
                    int32_t keep)
{
	struct oe__request packet = { .type = type, .tree = tree, .keep = keep };

	/* A failure shows as the end of the socket, and everything is reported lost. */
	if (sandbox->socket >= 0)
		(void)send_packet(sandbox, &packet, sizeof(packet), NULL, 0);
}

void oe__sandbox_kill(struct oe__sandbox *sandbox, uint64_t tree)
{
	wake_spawner(sandbox);
	request(sandbox, OE__REQUEST_KILL, tree, 0);
}

void oe__sandbox_memory(struct oe__sandbox *sandbox, uint64_t tree)
{
	struct listening *listening = find(sandbox, tree);

	if (listening)
		listening->asked++;
	request(sandbox, OE__REQUEST_MEMORY, tree, 0);
}

void oe__sandbox_sweep(struct oe__sandbox *sandbox, uint64_t tree, int32_t keep)
{
	wake_spawner(sandbox);
	request(sandbox, OE__REQUEST_SWEEP, tree, keep);
}

bool oe__sandbox_is_clear(int32_t keeper, int32_t keep)
{
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(128);
	char text[64];
	int64_t only = 0;

	oe__buffer_printf(&path, "/proc/%d/task/%d/children", keeper, keeper);
	OE__AUTO(fd) int fd = path.status < 0 ? -1 : open(path.data, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	while (size > 0 && text[size - 1] == ' ')
		size--;
	return size > 0 && oe__parse_int(text, (size_t)size, &only) && only == keep;
}
