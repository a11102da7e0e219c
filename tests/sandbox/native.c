/*
 * Attacks that Python cannot make: foreign system calls, races, and ends that need no interpreter.
 *
 *     native NAME [NUMBER]
 *
 * Those that can be refused print "done", or "refused ERRNO"; the others end as their name says.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(long result)
{
	if (result >= 0)
		printf("done\n");
	else
		printf("refused %s\n", strerrorname_np((int)-result));
	fflush(stdout);
	return 0;
}

static long result_of(long value)
{
	return value < 0 ? -errno : value;
}

static void deafen(void)
{
	sigset_t all;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* ---- system calls of others ---- */

#ifdef __x86_64__
/* As a 32-bit program calls the kernel. Pointers must fit. */
static long foreign(long number, long first, long second)
{
	long result;

	__asm__ volatile("int $0x80"
	                 : "=a"(result)
	                 : "a"(number), "b"(first), "c"(second)
	                 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static int do_int80(long number)
{
	enum { GETPID = 20 };

	(void)number;
	return say(foreign(GETPID, 0, 0));
}

static int do_int80_socket(long number)
{
	enum { SOCKETCALL = 102, SOCKET = 1 };
	uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	(void)number;
	if (words == MAP_FAILED)
		return say(-errno);
	words[0] = AF_INET;
	words[1] = SOCK_STREAM;
	words[2] = 0;
	return say(foreign(SOCKETCALL, SOCKET, (long)(uintptr_t)words));
}

static int do_x32(long number)
{
	(void)number;
	return say(result_of(syscall(0x40000000 | SYS_getpid)));
}
#endif

/* Everything that Python needs the number of. */
static int do_numbers(long unused)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
#define CALL(name) { #name, SYS_##name }
		CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(kcmp), CALL(pidfd_open),
		CALL(pidfd_getfd), CALL(pidfd_send_signal), CALL(process_madvise), CALL(io_uring_setup),
		CALL(keyctl), CALL(add_key), CALL(request_key), CALL(bpf), CALL(perf_event_open),
		CALL(userfaultfd), CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(fsopen),
		CALL(open_tree), CALL(move_mount), CALL(mount_setattr), CALL(setns), CALL(unshare),
		CALL(clone), CALL(clone3), CALL(init_module), CALL(finit_module), CALL(delete_module),
		CALL(kexec_load), CALL(reboot), CALL(swapon), CALL(swapoff), CALL(acct), CALL(quotactl),
		CALL(syslog), CALL(open_by_handle_at), CALL(name_to_handle_at), CALL(personality),
		CALL(clock_settime), CALL(settimeofday), CALL(adjtimex), CALL(sethostname),
		CALL(setdomainname), CALL(shmget), CALL(shmat), CALL(shmctl), CALL(semget), CALL(semctl),
		CALL(msgget), CALL(msgctl), CALL(mq_open), CALL(mq_unlink), CALL(fanotify_init),
		CALL(vmsplice), CALL(move_pages), CALL(migrate_pages), CALL(vhangup), CALL(setpriority),
		CALL(sched_setaffinity), CALL(sched_setscheduler), CALL(ioprio_set), CALL(prlimit64),
		CALL(kill), CALL(tgkill), CALL(rt_sigqueueinfo), CALL(getpid), CALL(memfd_create),
		CALL(execveat), CALL(seccomp), CALL(landlock_create_ruleset), CALL(landlock_restrict_self),
		CALL(mknodat), CALL(fallocate), CALL(mlock), CALL(memfd_secret), CALL(setuid),
#ifdef SYS_iopl
		CALL(iopl), CALL(ioperm), CALL(modify_ldt),
#endif
#undef CALL
	};

	(void)unused;
	printf("{\"setxattrat\":463,\"open_tree_attr\":467,\"file_setattr\":469");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		printf(",\"%s\":%ld", calls[i].name, calls[i].number);
	printf("}\n");
	return 0;
}

/* ---- processes ---- */

/* Set-user-ID root, or with file capabilities: what has it become? */
static int do_whoami(long number)
{
	uid_t real, effective, saved;

	(void)number;
	getresuid(&real, &effective, &saved);
	return say(effective != real || saved != real || effective == 0 ? 0 : -EPERM);
}

static int do_setuid(long number)
{
	return say(result_of(setuid((uid_t)number)));
}

/* `number` processes at once, sessions of their own that hear nothing. Each says so by one byte. */
static int do_crowd(long number)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return say(-errno);
	for (long i = 0; i < number; i++) {
		pid_t child = fork();
		if (child < 0)
			return say(-errno);
		if (child > 0)
			continue;
		setsid();
		deafen();
		(void)!write(ready[1], "", 1);
		wait_for_ever();
	}
	for (long i = 0; i < number; i++)
		if (read(ready[0], &byte, 1) != 1)
			return say(-EIO);
	printf("crowd %ld\n", number);
	fflush(stdout);
	deafen();
	wait_for_ever();
}

/* Grows until `number` processes are there, and says how many there were. */
static int do_forks(long number)
{
	long count = 1;

	for (pid_t child; count < number; count++) {
		child = fork();
		if (child < 0)
			break;
		if (child == 0)
			wait_for_ever();
	}
	printf("forks %ld\n", count);
	fflush(stdout);
	wait_for_ever();
}

/* Never the same process for long: each forks the next one and leaves. A sweep that looks and then
   kills finds them gone. */
static int do_relay(long number)
{
	(void)number;
	deafen();
	printf("relay\n");
	fflush(stdout);
	for (long i = 0; i < 4; i++)
		if (fork() == 0)
			break;
	for (;;) {
		pid_t child = fork();
		if (child > 0)
			_exit(0);
		if (child == 0)
			setsid();
	}
}

/* A brother, not a child: whoever counts children does not see it. */
static int do_brother(long number)
{
	long child = syscall(SYS_clone, CLONE_PARENT | CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	(void)number;
	if (child == 0) {
		setsid();
		deafen();
		close(1); /* who reads what we say is not to wait for this one */
		wait_for_ever();
	}
	return say(result_of(child));
}

/* The parent of a vfork stands still until its child is gone; this one never goes. */
static int do_vfork(long number)
{
	static char stack[16384];
	long child = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);

	(void)number;
	(void)stack;
	if (child == 0) {
		deafen();
		wait_for_ever();
	}
	wait_for_ever();
}

/* Unfindable by name, by session, by parent, and it asks not to die with anybody. */
static int do_disguise(long number)
{
	(void)number;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			(void)prctl(PR_SET_PDEATHSIG, 0);
			(void)prctl(PR_SET_DUMPABLE, 0);
			(void)prctl(PR_SET_NAME, "oe-spawner");
			deafen();
			if (fork() == 0)
				wait_for_ever();
		}
	printf("disguise\n");
	fflush(stdout);
	wait_for_ever();
}

/* ---- ends ---- */

static volatile unsigned long counter;

static int do_spin(long number)
{
	for (;;)
		counter++;
	return (int)number;
}

static int do_deaf_spin(long number)
{
	deafen();
	return do_spin(number);
}

static int do_stop(long number)
{
	for (;;)
		(void)raise(SIGSTOP);
	return (int)number;
}

static int do_kill_self(long number)
{
	(void)kill(getpid(), (int)number);
	return say(0);
}

static volatile bool deeper = true;

static int recurse(int depth)
{
	volatile char frame[4096];

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (char)depth;
	return deeper ? recurse(depth + 1) + frame[depth % 4096] : 0;
}

static int do_recurse(long number)
{
	return recurse((int)number);
}

static int do_abort(long number)
{
	(void)number;
	abort();
}

/* ---- resources ---- */

/* `number` MiB, and really. */
static int do_touch(long number)
{
	size_t size = (size_t)number << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return say(-errno);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	return say(0);
}

/* `number` MiB of output without a line in it, as fast as it is taken. */
static int do_flood(long number)
{
	static char chunk[65536];

	memset(chunk, 'x', sizeof(chunk));
	for (long i = 0; i < number * 16; i++)
		for (size_t done = 0; done < sizeof(chunk);) {
			ssize_t size = write(i % 2 ? 1 : 2, chunk + done, sizeof(chunk) - done);
			if (size < 0)
				return 1;
			done += (size_t)size;
		}
	return 0;
}

static const struct {
	const char *name;
	int (*act)(long number);
} acts[] = {
#ifdef __x86_64__
	{ "int80", do_int80 },   { "int80_socket", do_int80_socket }, { "x32", do_x32 },
#endif
	{ "numbers", do_numbers }, { "whoami", do_whoami },   { "setuid", do_setuid },
	{ "crowd", do_crowd },     { "forks", do_forks },     { "relay", do_relay },
	{ "brother", do_brother }, { "vfork", do_vfork },     { "disguise", do_disguise },
	{ "spin", do_spin },       { "deaf_spin", do_deaf_spin }, { "stop", do_stop },
	{ "kill_self", do_kill_self }, { "recurse", do_recurse }, { "abort", do_abort },
	{ "touch", do_touch },     { "flood", do_flood },
};

int main(int argc, char **argv)
{
	long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	for (size_t i = 0; argc > 1 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[1]) == 0)
			return acts[i].act(number);
	fprintf(stderr, "native: no such act\n");
	return 2;
}
