/*
 * Run a command as if the machine had less to offer, to see what the sandbox makes of it:
 *
 *     without [landlock] [namespaces] [user-namespaces] [cgroups] [proc] [uid=N] -- COMMAND...
 *
 * landlock         its system calls are not there (ENOSYS)
 * namespaces       none can be made (EPERM), as in most containers; clone3 is not there, because a
 *                  filter cannot see its flags
 * user-namespaces  the limit of the kernel on their number is 0
 * cgroups          no control group file system is mounted
 * proc             no /proc is mounted
 * tmp              /tmp cannot be written to
 * uid=N            not as root: this user and group, no others
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct lacks {
	bool landlock, namespaces, user_namespaces, cgroups, proc, tmp;
	uid_t uid;
};

static const unsigned namespace_flags[] = { CLONE_NEWUSER, CLONE_NEWPID,  CLONE_NEWNS,
	                                        CLONE_NEWNET,  CLONE_NEWIPC,  CLONE_NEWUTS,
	                                        0x02000000 /* CLONE_NEWCGROUP */ };

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "without: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* ---- mounts, while still root ---- */

static void hide(const char *path, unsigned long flags)
{
	if (mount("none", path, "tmpfs", flags, "mode=755") < 0)
		fail(path);
}

static void unmount(const struct lacks *lacks)
{
	if (!lacks->cgroups && !lacks->proc && !lacks->tmp)
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("a mount namespace");
	if (lacks->cgroups)
		hide("/sys/fs/cgroup", MS_RDONLY);
	/* What is below stays as it is: only the directory itself is out of reach. */
	if (lacks->tmp && (mount("/tmp", "/tmp", NULL, MS_BIND | MS_REC, NULL) < 0 ||
	                   mount("none", "/tmp", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0))
		fail("/tmp");
	if (lacks->proc)
		hide("/proc", MS_RDONLY);
}

/* The limit belongs to a user namespace, so one is made in which it can be set: no user namespace
   can be made inside of it. */
static void forbid_user_namespaces(uid_t uid, gid_t gid)
{
	char map[64];

	(void)prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER) < 0)
		fail("a user namespace");
	put("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
	put("/proc/sys/user/max_user_namespaces", "0");
}

/* ---- the filter ---- */

static void rule(scmp_filter_ctx filter, int code, int number)
{
	int status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(code), number, 0);
	if (status < 0) {
		errno = -status;
		fail("a rule");
	}
}

static void forbid_namespaces(scmp_filter_ctx filter)
{
	rule(filter, EPERM, SCMP_SYS(setns));
	rule(filter, ENOSYS, SCMP_SYS(clone3));
	for (size_t i = 0; i < sizeof(namespace_flags) / sizeof(namespace_flags[0]); i++) {
		unsigned flag = namespace_flags[i];
		for (int call = 0; call < 2; call++)
			if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
			                     call ? SCMP_SYS(unshare) : SCMP_SYS(clone), 1,
			                     SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)) < 0)
				fail("a rule");
	}
}

static void filter(const struct lacks *lacks)
{
	if (!lacks->landlock && !lacks->namespaces)
		return;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	/* What is for the sandbox to refuse is let through: other ABIs, and the gain of privileges. */
	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() != 0) < 0)
		fail("a filter");
	if (lacks->landlock) {
		rule(filter, ENOSYS, SCMP_SYS(landlock_create_ruleset));
		rule(filter, ENOSYS, SCMP_SYS(landlock_add_rule));
		rule(filter, ENOSYS, SCMP_SYS(landlock_restrict_self));
	}
	if (lacks->namespaces)
		forbid_namespaces(filter);
	if (seccomp_load(filter) < 0)
		fail("seccomp");
	seccomp_release(filter);
}

static bool parse(struct lacks *lacks, const char *word)
{
	const struct {
		const char *name;
		bool *lacking;
	} words[] = { { "landlock", &lacks->landlock },
		          { "namespaces", &lacks->namespaces },
		          { "user-namespaces", &lacks->user_namespaces },
		          { "cgroups", &lacks->cgroups },
		          { "proc", &lacks->proc },
		          { "tmp", &lacks->tmp } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].name) == 0)
			return *words[i].lacking = true;
	if (strncmp(word, "uid=", 4) != 0)
		return false;
	lacks->uid = (uid_t)strtoul(word + 4, NULL, 10);
	return lacks->uid > 0;
}

int main(int argc, char **argv)
{
	struct lacks lacks = { .uid = geteuid() };
	int next = 1;

	for (; next < argc && strcmp(argv[next], "--") != 0; next++)
		if (!parse(&lacks, argv[next])) {
			fprintf(stderr, "without: what is '%s'?\n", argv[next]);
			return 125;
		}
	if (next + 1 >= argc) {
		fprintf(stderr, "usage: without WORD... -- COMMAND...\n");
		return 125;
	}
	unmount(&lacks);
	filter(&lacks);
	gid_t gid = lacks.uid == geteuid() ? getegid() : (gid_t)lacks.uid;
	if (lacks.uid != geteuid() &&
	    (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	     setresuid(lacks.uid, lacks.uid, lacks.uid) < 0))
		fail("the user");
	if (lacks.user_namespaces)
		forbid_user_namespaces(lacks.uid, gid);
	execvp(argv[next + 1], argv + next + 1);
	fail(argv[next + 1]);
}
