#include "sandbox/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "sandbox/confine/plan.h"

/* What programs of any language expect of a system, and nothing that tells about its users. */
static const char *const system_paths[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store",
	"/etc/alternatives", "/etc/ca-certificates", "/etc/fonts", "/etc/java-17-openjdk", "/etc/ld.so.cache",
	"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/locale.alias", "/etc/locale.conf", "/etc/localtime",
	"/etc/magic", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/os-release", "/etc/pki", "/etc/protocols",
	"/etc/services", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/timezone", "/etc/R",
};
static const char *const network_paths[] = { "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf" };
static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
	                                   "/dev/urandom" };
static const char *const links[][2] = { { "/dev/fd", "/proc/self/fd" },
	                                    { "/dev/stdin", "/proc/self/fd/0" },
	                                    { "/dev/stdout", "/proc/self/fd/1" },
	                                    { "/dev/stderr", "/proc/self/fd/2" },
	                                    { "/var/tmp", "/tmp" } };
static const char *const scratch[] = { "/tmp", "/dev/shm" };

struct entry {
	char kind;
	char *path, *source;
};

struct entries {
	struct entry *list;
	size_t count, capacity;
	int status; /* sticks */
};

static void entries_done(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		oe__free(entries->list[i].path);
		oe__free(entries->list[i].source);
	}
	oe__free(entries->list);
}
OE__AUTO_VALUE(entries, struct entries, entries_done)

/* A path that is there twice keeps what was said first. */
static void add(struct entries *entries, char kind, const char *path, const char *source)
{
	void *list = entries->list;

	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->list[i].path, path) == 0)
			return;
	if (entries->status < 0)
		return;
	entries->status = oe__grow(&list, &entries->capacity, entries->count + 1, sizeof(*entries->list));
	entries->list = list;
	if (entries->status < 0)
		return;
	struct entry entry = { kind, oe__strdup(path), oe__strdup(source) };
	if (!entry.path || !entry.source) {
		oe__free(entry.path);
		oe__free(entry.source);
		entries->status = OE_ERR_NOMEM;
		return;
	}
	entries->list[entries->count++] = entry;
}

/* A link of the system (/bin on many) is a link inside, too. */
static void add_system(struct entries *entries, const char *path)
{
	char target[4096];
	struct stat info;

	if (lstat(path, &info) < 0)
		return;
	ssize_t size = S_ISLNK(info.st_mode) ? readlink(path, target, sizeof(target) - 1) : -1;
	if (size <= 0) {
		add(entries, OE__MOUNT_SYSTEM, path, "");
		return;
	}
	target[size] = '\0';
	/* Of /etc: what it leads to may be elsewhere, and is a file or a small directory. */
	if (oe__has_prefix(path, "/etc/"))
		add(entries, OE__MOUNT_SYSTEM, path, "");
	else
		add(entries, OE__MOUNT_LINK, path, target);
}

/* Under the name that it is known by, and under the one without links: programs use both. */
static void add_own(struct entries *entries, char kind, const char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		OE__AUTO(string) char *absolute = oe__path_absolute(paths[i]);
		OE__AUTO(string) char *real = absolute ? oe__path_real(absolute) : NULL;

		if (!absolute)
			entries->status = OE_ERR_NOMEM;
		else if (real)
			add(entries, kind, real, "");
		if (absolute && real && strcmp(real, absolute) != 0)
			add(entries, kind, absolute, real);
	}
}

static void add_all(struct entries *entries, const oe_sandbox_policy *policy)
{
	char own = policy->overlay ? OE__MOUNT_OVERLAY : OE__MOUNT_READ;

	add_own(entries, OE__MOUNT_WRITE, policy->writable);
	add_own(entries, own, policy->directories);
	add_own(entries, OE__MOUNT_READ, policy->readable);
	add_own(entries, OE__MOUNT_MASK, policy->masked); /* but for what is to be readable by name */
	add_own(entries, OE__MOUNT_READ, policy->toolchain);
	for (size_t i = 0; i < OE__COUNT(system_paths); i++)
		add_system(entries, system_paths[i]);
	for (size_t i = 0; policy->network == OE_NETWORK_HOST && i < OE__COUNT(network_paths); i++)
		add_system(entries, network_paths[i]);
	for (size_t i = 0; i < OE__COUNT(devices); i++)
		add(entries, OE__MOUNT_DEVICE, devices[i], "");
	for (size_t i = 0; i < OE__COUNT(links); i++)
		add(entries, OE__MOUNT_LINK, links[i][0], links[i][1]);
	for (size_t i = 0; i < OE__COUNT(scratch); i++)
		add(entries, OE__MOUNT_SCRATCH, scratch[i], "");
}

/* ---- order ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static bool is_below(const char *path, const char *parent)
{
	size_t size = strlen(parent);
	return strncmp(path, parent, size) == 0 && path[size] == '/';
}

/* Shown already, in the same way, by what is above it? */
static bool is_shown(const struct entries *entries, size_t index)
{
	const struct entry *entry = &entries->list[index];
	const struct entry *above = NULL;

	if (!strchr("rs", entry->kind) || *entry->source)
		return false;
	for (size_t i = 0; i < index; i++)
		if (is_below(entry->path, entries->list[i].path))
			above = &entries->list[i]; /* the nearest comes last */
	return above && strchr("rs", above->kind) && !*above->source;
}

static void append_string(struct oe__buffer *out, const char *text)
{
	oe__buffer_append(out, text, strlen(text) + 1);
}

struct oe__limits oe__policy_limits(const oe_sandbox_policy *policy)
{
	return (struct oe__limits){
		.memory_bytes = policy->memory_bytes,
		.cpu_seconds = policy->cpu_ms > 0 ? (policy->cpu_ms + 999) / 1000 : 0,
		.file_bytes = policy->file_bytes,
		.processes = policy->processes,
		.descriptors = policy->descriptors,
	};
}

int oe__policy_packet(const oe_sandbox_policy *policy, const char *const *helpers,
                      struct oe__buffer *out)
{
	OE__AUTO(entries) struct entries entries = { 0 };
	struct oe__policy_head head = {
		.tier = -1,
		.mode = policy->mode,
		.profile = policy->profile,
		.network = policy->network,
		.scratch_bytes = policy->scratch_bytes,
		.scratch_files = policy->scratch_files,
		.memory_total = policy->memory_bytes,
		.cpu_total_ms = policy->cpu_ms,
		.limits = oe__policy_limits(policy),
	};

	for (size_t i = 0; helpers && helpers[i]; i += 2)
		add(&entries, OE__MOUNT_READ, helpers[i + 1], helpers[i]); /* perhaps the owner's alone */
	add_all(&entries, policy);
	if (entries.status < 0)
		return entries.status;
	qsort(entries.list, entries.count, sizeof(*entries.list), by_path);
	for (size_t i = 0; i < entries.count; i++)
		head.mount_count += !is_shown(&entries, i);
	oe__buffer_append(out, &head, sizeof(head));
	for (size_t i = 0; i < entries.count; i++) {
		const char kind[2] = { entries.list[i].kind, '\0' };
		if (is_shown(&entries, i))
			continue;
		append_string(out, kind);
		append_string(out, entries.list[i].path);
		append_string(out, entries.list[i].source);
	}
	return out->status < 0 ? out->status : head.mount_count > OE__MOUNTS_MAX / 2 ? OE_ERR_LIMIT : 0;
}
