#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "openevolve/sandbox.h"

/* The first call that nobody has looked at yet (Linux 6.17 ends with 469). */
#define CEILING 470

#if defined(__x86_64__)
#define NATIVE   AUDIT_ARCH_X86_64
#define X32_FROM 0x40000000
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define NEW_NAMESPACES                                                                              \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |         \
	 CLONE_NEWCGROUP | 0x80 /* time */)

/* Refused as if the kernel had been built without them: libraries look for them, and go on. */
static const char *const absent[] = {
	"io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key",
	"memfd_secret", "clone3", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "move_mount",
	"mount_setattr", "userfaultfd", "mbind", "migrate_pages", "move_pages", "set_mempolicy",
	"set_mempolicy_home_node", "process_mrelease", "vmsplice", "fanotify_init", "fanotify_mark",
	"lookup_dcookie", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl",
};

/* Numbers that the library has no names for yet; the same on every architecture. */
static const int absent_numbers[] = { 451 /* cachestat */, 457 /* statmount */, 458 /* listmount */,
	                                  467 /* open_tree_attr */ };

static const char *const forbidden[] = {
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
	"bpf", "perf_event_open", "umount", "umount2", "pivot_root", "chroot", "acct", "quotactl", "quotactl_fd", "syslog", "swapon", "swapoff", "open_by_handle_at",
	"name_to_handle_at", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "settimeofday", "stime",
	"clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex",
	"sethostname", "setdomainname", "vhangup", "shmget", "shmat", "shmctl", "shmdt", "semget", "semop",
	"semctl", "semtimedop", "semtimedop_time64", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open",
	"mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
};

/* What fork servers do between evaluations. */
static const char *const setting_up[] = { "mount", "setns", "unshare" };

/* Nobody calls these by accident. */
static const char *const deadly[] = {
	"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
	"create_module", "reboot",
};

/* Calls that take a process: only the caller's own (0), where others can be seen. */
static const char *const on_processes[] = {
	"setpriority", "getpriority", "sched_setaffinity", "sched_setparam", "sched_setscheduler",
	"sched_setattr", "ioprio_set",
};

static bool add_all(scmp_filter_ctx context, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		if (number == __NR_SCMP_ERROR)
			continue; /* not on this architecture */
		int status = seccomp_rule_add(context, action, number, 0);
		if (status < 0 && status != -EDOM) {
			errno = -status;
			return false;
		}
	}
	return true;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool add_when(scmp_filter_ctx context, uint32_t action, const char *name,
                     struct scmp_arg_cmp condition)
{
	int number = seccomp_syscall_resolve_name(name);
	int status = number == __NR_SCMP_ERROR
	                 ? 0
	                 : seccomp_rule_add_array(context, action, number, 1, &condition);

	errno = -status;
	return status == 0 || status == -EDOM;
}

/* Only the normal execution domain (0), and the question which one it is (all bits set): every other
   number has a bit that is set where the next one, in a circle, is not. */
static bool add_personality(scmp_filter_ctx context)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		scmp_datum_t set = 1u << bit, both = set | 1u << (bit + 1) % 32;
		if (!add_when(context, SCMP_ACT_ERRNO(EPERM), "personality",
		              SCMP_A0(SCMP_CMP_MASKED_EQ, both, set)))
			return false;
	}
	return true;
}

/* Not with any of these flags. */
static bool add_namespaces(scmp_filter_ctx context, const char *name, unsigned flags)
{
	for (int bit = 0; bit < 32; bit++)
		if ((flags >> bit & 1) && !add_when(context, SCMP_ACT_ERRNO(EPERM), name,
		                                    SCMP_A0(SCMP_CMP_MASKED_EQ, 1u << bit, 1u << bit)))
			return false;
	return true;
}

static bool add_arguments(scmp_filter_ctx context)
{
	/* The kernel looks at the low half of an ioctl's number only, and so does this. */
	static const unsigned long terminals[] = { TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS };
	static const int controls[] = { F_SETLEASE, F_NOTIFY, F_SETOWN, F_SETOWN_EX, F_SETSIG };
	uint32_t denied = SCMP_ACT_ERRNO(EPERM);

	for (size_t i = 0; i < COUNT(terminals); i++)
		if (!add_when(context, denied, "ioctl",
		              SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, (scmp_datum_t)terminals[i])))
			return false;
	for (size_t i = 0; i < COUNT(controls); i++)
		if (!add_when(context, denied, "fcntl",
		              SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, (scmp_datum_t)controls[i])))
			return false;
	return add_namespaces(context, "clone", NEW_NAMESPACES) && add_personality(context);
}

/* ---- sockets ---- */

static bool allow_family(scmp_filter_ctx context, int family, int next)
{
	/* Everything between two allowed families. */
	uint32_t denied = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	int number = seccomp_syscall_resolve_name("socket");

	if (next < 0)
		return seccomp_rule_add(context, denied, number, 1,
		                        SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)family, 0)) == 0;
	for (int between = family + 1; between < next; between++)
		if (seccomp_rule_add(context, denied, number, 1,
		                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)between, 0)) < 0)
			return false;
	return true;
}

/* Which sockets: with a network of their own they may be of the usual kinds; without, none that leads
   out of the process tree. socketpair() stays. */
static bool add_sockets(scmp_filter_ctx context, const struct oe__plan *plan)
{
	uint32_t denied = SCMP_ACT_ERRNO(EACCES), unknown = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	bool apart = plan->head.tier >= 2, strict = plan->head.profile == OE_PROFILE_STRICT;
	bool host = plan->head.network == OE_NETWORK_HOST;
	int number = seccomp_syscall_resolve_name("socket");

	if (strict || (!apart && !host))
		return seccomp_rule_add(context, denied, number, 0) == 0;
	/* AF_UNIX 1, AF_INET 2, AF_INET6 10; sockets of other programs are files of other programs. */
	if (seccomp_rule_add(context, unknown, number, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNSPEC, 0)) < 0 ||
	    (!apart && seccomp_rule_add(context, denied, number, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)) < 0))
		return false;
	return allow_family(context, AF_INET, AF_INET6) && allow_family(context, AF_INET6, -1) &&
	       add_when(context, SCMP_ACT_ERRNO(EPERM), "socket",
	                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW)) &&
	       add_when(context, SCMP_ACT_ERRNO(EPERM), "socket",
	                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_PACKET));
}

/* ---- what depends on the plan ---- */

static bool add_processes(scmp_filter_ctx context)
{
	for (size_t i = 0; i < COUNT(on_processes); i++) {
		bool io = strcmp(on_processes[i], "ioprio_set") == 0;
		bool which = io || strcmp(on_processes[i], "setpriority") == 0 ||
		             strcmp(on_processes[i], "getpriority") == 0;
		/* Of a process: not of a group, nor of all that the user has. */
		if (which && !add_when(context, SCMP_ACT_ERRNO(EPERM), on_processes[i],
		                       SCMP_A0(SCMP_CMP_NE, io ? 1 : PRIO_PROCESS, 0)))
			return false;
		if (!add_when(context, SCMP_ACT_ERRNO(EPERM), on_processes[i],
		              which ? SCMP_A1(SCMP_CMP_NE, 0, 0) : SCMP_A0(SCMP_CMP_NE, 0, 0)))
			return false;
	}
	return add_when(context, SCMP_ACT_ERRNO(EPERM), "prlimit64", SCMP_A0(SCMP_CMP_NE, 0, 0)) &&
	       add_when(context, SCMP_ACT_ERRNO(EPERM), "kill",
	                SCMP_A0(SCMP_CMP_MASKED_EQ, 0x80000000u, 0x80000000u));
}

/* The first process of a namespace is there before the program and after it: what could be set about it, the
   next program would find. */
static bool add_first(scmp_filter_ctx context)
{
	uint32_t denied = SCMP_ACT_ERRNO(EPERM);

	for (size_t i = 0; i < COUNT(on_processes); i++) {
		bool io = strcmp(on_processes[i], "ioprio_set") == 0, get = strcmp(on_processes[i], "getpriority") == 0;
		bool which = io || get || strcmp(on_processes[i], "setpriority") == 0;
		/* Also as one of all that the user has. */
		if (!get && which && !add_when(context, denied, on_processes[i],
		                               SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffu, io ? 3 : PRIO_USER)))
			return false;
		if (!get && !add_when(context, denied, on_processes[i],
		                      which ? SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, 1)
		                            : SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffu, 1)))
			return false;
	}
	return add_when(context, denied, "prlimit64", SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffu, 1));
}

static bool add_strict(scmp_filter_ctx context)
{
	static const char *const memory[] = { "memfd_create", "execveat" };
	int both = PROT_WRITE | PROT_EXEC;

	return add_all(context, SCMP_ACT_ERRNO(EPERM), memory, COUNT(memory)) &&
	       add_when(context, SCMP_ACT_ERRNO(EPERM), "mmap",
	                SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)both, (scmp_datum_t)both)) &&
	       add_when(context, SCMP_ACT_ERRNO(EPERM), "mprotect",
	                SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)both, (scmp_datum_t)both));
}

static bool add_numbers(scmp_filter_ctx context)
{
	for (size_t i = 0; i < COUNT(absent_numbers); i++) {
		int status = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), absent_numbers[i], 0);
		if (status < 0 && status != -EDOM)
			return false;
	}
	return true;
}

/* Below tier 2 there is nothing to be set up. */
static bool add_set_up(scmp_filter_ctx context, const struct oe__plan *plan, enum filter_use use)
{
	if (use == FILTER_SERVER && plan->head.tier >= 2)
		return add_namespaces(context, "unshare", NEW_NAMESPACES & ~(unsigned)(CLONE_NEWPID | CLONE_NEWNS));
	return add_all(context, SCMP_ACT_ERRNO(EPERM), setting_up, COUNT(setting_up));
}

static bool add_rules(scmp_filter_ctx context, const struct oe__plan *plan, enum filter_use use)
{
	return seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
	       seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
	       add_all(context, SCMP_ACT_ERRNO(ENOSYS), absent, COUNT(absent)) &&
	       add_numbers(context) &&
	       add_all(context, SCMP_ACT_ERRNO(EPERM), forbidden, COUNT(forbidden)) &&
	       add_set_up(context, plan, use) &&
	       add_all(context, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly)) && add_arguments(context) &&
	       add_sockets(context, plan) && (plan->head.tier >= 2 ? add_first(context) : add_processes(context)) &&
	       (plan->head.profile != OE_PROFILE_STRICT || add_strict(context));
}

/* ---- as instructions ---- */

/* In front: another architecture's calls kill; so do those of x32; unknown ones are not there. */
static size_t put_front(struct sock_filter *out)
{
	const struct sock_filter front[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef X32_FROM
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_FROM, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, CEILING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	memcpy(out, front, sizeof(front));
	return COUNT(front);
}

static bool export(scmp_filter_ctx context, struct oe__plan *plan)
{
	struct sock_filter *out = (struct sock_filter *)plan->filter;
	size_t front = put_front(out), room = OE__FILTER_MAX - front;
	int fd = memfd_create("oe-filter", MFD_CLOEXEC);
	bool done = fd >= 0 && seccomp_export_bpf(context, fd) == 0;
	ssize_t size = done ? pread(fd, out + front, room * sizeof(*out), 0) : -1;

	if (fd >= 0)
		close(fd);
	if (size <= 0 || (size_t)size == room * sizeof(*out)) {
		errno = E2BIG;
		return false;
	}
	plan->head.filter_count = (uint32_t)(front + (size_t)size / sizeof(*out));
	return true;
}

bool filter_make(struct oe__plan *plan, enum filter_use use)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);

	plan->head.filter_count = 0;
	if (!context) {
		errno = ENOMEM;
		return false;
	}
	bool done = add_rules(context, plan, use) && export(context, plan);
	seccomp_release(context);
	return done;
}
