#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "openevolve/sandbox.h"

/* The kernel's interface; headers of the systems that we build on are older than what we use of it. */
struct ruleset {
	uint64_t files, network, scopes;
};
struct __attribute__((packed)) beneath {
	uint64_t allowed;
	int32_t parent;
};
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIRECTORY = 1 << 3,
	ALL_V1 = (1 << 13) - 1,
	REFER = 1 << 13,        /* ABI 2 */
	TRUNCATE = 1 << 14,     /* ABI 3 */
	IOCTL_DEVICE = 1 << 15, /* ABI 5 */
	TCP_BOTH = 3,           /* ABI 4 */
	SCOPES = 3              /* ABI 6: abstract sockets, signals */
};

#define READING    (EXECUTE | READ_FILE | READ_DIRECTORY)
#define FILE_ONLY  (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE)

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
	return abi > 0 ? (int)abi : 0;
}

static uint64_t handled(int abi)
{
	return (uint64_t)ALL_V1 | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0) |
	       (abi >= 5 ? IOCTL_DEVICE : 0);
}

/* What is not there needs no rule. */
static bool allow(int rules, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat info;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES;
	if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
		rights &= (uint64_t)FILE_ONLY;
	struct beneath rule = { .allowed = rights, .parent = fd };
	long status = syscall(SYS_landlock_add_rule, rules, 1, &rule, 0);
	int code = errno;
	close(fd);
	errno = code;
	return status == 0;
}

/* Where /proc is the machine's: what tells about no process but the caller. */
static bool allow_proc(int rules)
{
	static const char *const files[] = { "/proc/self",        "/proc/cpuinfo", "/proc/meminfo",
		                                 "/proc/stat",        "/proc/uptime",  "/proc/loadavg",
		                                 "/proc/filesystems", "/proc/version", "/proc/sys/kernel/osrelease" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!allow(rules, files[i], READING))
			return false;
	return true;
}

static bool allow_mounts(int rules, const struct oe__plan *plan)
{
	uint64_t all = handled(plan->head.landlock) & ~(uint64_t)IOCTL_DEVICE;
	bool roots = plan->head.tier >= 2; /* reading is a matter of mounts there */

	if (roots ? !allow(rules, "/", READING) : !allow_proc(rules))
		return false;
	for (size_t i = 0; i < plan->head.mount_count; i++) {
		const struct oe__mount *mount = &plan->mounts[i];
		uint64_t rights = READING;

		if (mount->kind == OE__MOUNT_LINK || mount->kind == OE__MOUNT_MASK ||
		    (mount->kind == OE__MOUNT_SCRATCH && !roots))
			continue;
		if (mount->kind == OE__MOUNT_WRITE || (roots && mount->kind == OE__MOUNT_SCRATCH) ||
		    (roots && mount->kind == OE__MOUNT_OVERLAY))
			rights = all;
		else if (mount->kind == OE__MOUNT_DEVICE)
			rights = READ_FILE | WRITE_FILE;
		else if (roots)
			continue;
		if (!allow(rules, mount->path, rights & handled(plan->head.landlock)))
			return false;
	}
	return true;
}

int landlock_rules(const struct oe__plan *plan)
{
	int abi = plan->head.landlock;
	struct ruleset ruleset = { .files = handled(abi), .scopes = SCOPES };
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;

	if (plan->head.network == OE_NETWORK_NONE)
		ruleset.network = TCP_BOTH;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (rules < 0 || allow_mounts(rules, plan))
		return rules;
	int code = errno;
	close(rules);
	errno = code;
	return -1;
}

bool landlock_restrict(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
