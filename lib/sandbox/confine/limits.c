#include "limits.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not above what is allowed already: nobody may raise that. */
static bool limit(int which, uint64_t value)
{
	struct rlimit now;

	if (value == 0)
		return true;
	if (getrlimit((__rlimit_resource_t)which, &now) < 0)
		return false;
	if (value > now.rlim_max)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	return setrlimit((__rlimit_resource_t)which, &now) == 0;
}

/* With a signal that says what it is for, and a second later one that cannot be ignored. */
static bool limit_cpu(uint64_t seconds)
{
	struct rlimit both;

	if (seconds == 0)
		return true;
	if (!limit(RLIMIT_CPU, seconds + 1) || getrlimit(RLIMIT_CPU, &both) < 0)
		return false;
	both.rlim_cur = seconds < both.rlim_max ? seconds : both.rlim_max;
	return setrlimit(RLIMIT_CPU, &both) == 0;
}

bool limits_set(const struct oe__limits *limits)
{
	struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_MSGQUEUE, &none) == 0 &&
	       setrlimit(RLIMIT_NICE, &none) == 0 && setrlimit(RLIMIT_RTPRIO, &none) == 0 &&
	       setrlimit(RLIMIT_MEMLOCK, &none) == 0 &&
	       limit(RLIMIT_AS, limits->memory_bytes) && limit_cpu(limits->cpu_seconds) &&
	       limit(RLIMIT_FSIZE, limits->file_bytes) && limit(RLIMIT_NPROC, limits->processes) &&
	       limit(RLIMIT_NOFILE, limits->descriptors);
}

static bool set_capabilities(uint32_t bits)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { bits, bits, bits }, { 0, 0, 0 } };

	return syscall(SYS_capset, &header, data) == 0;
}

bool privileges_drop(void)
{
	/* Without the right to do so there is nothing to drop, either. */
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break; /* past the last one */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_capabilities(0) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* An overlay has a directory of mode 0 that whoever mounts it has to get into, and entering mounts is entering
   a root. All of it is worth something in the caller's own user namespace only. */
bool privileges_keep_mounting(void)
{
	static const unsigned kept[] = { CAP_SYS_ADMIN, CAP_DAC_OVERRIDE, CAP_SYS_CHROOT };

	if (!set_capabilities(1u << CAP_SYS_ADMIN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_SYS_CHROOT))
		return false;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) < 0)
			return false;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool privileges_become(uint32_t uid)
{
	return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
	       setresuid(uid, uid, uid) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}
