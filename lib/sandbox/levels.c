#include "sandbox/levels.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"

#define BIT(act) ((uint64_t)1 << (act))

const char *oe__step_name(uint32_t step)
{
	static const char *const names[] = {
		[OE__STEP_FORK] = "start a process",
		[OE__STEP_NAMESPACES] = "make the namespaces",
		[OE__STEP_MAPS] = "map the user into its namespace",
		[OE__STEP_NETWORK] = "set up the network",
		[OE__STEP_ROOT] = "make the root directory",
		[OE__STEP_PROC] = "mount /proc",
		[OE__STEP_SCRATCH] = "mount the scratch directories",
		[OE__STEP_IDENTITY] = "become another user",
		[OE__STEP_GROUP] = "join the control group",
		[OE__STEP_DIRECTORY] = "enter the working directory",
		[OE__STEP_FDS] = "place the descriptors",
		[OE__STEP_LIMITS] = "set the limits",
		[OE__STEP_PRIVILEGES] = "drop the privileges",
		[OE__STEP_LANDLOCK] = "restrict itself with Landlock",
		[OE__STEP_FILTER] = "install the system call filter",
		[OE__STEP_EXEC] = "execute the program",
		[OE__STEP_FIND] = "find processes in /proc",
	};

	return step < OE__COUNT(names) && names[step] ? names[step] : "start";
}

/* A guarantee that acts speak about: which of them were tried, which succeeded. */
struct line {
	enum oe_guarantee guarantee;
	uint64_t acts;
	const char *mechanism[3]; /* with namespaces; with Landlock; with neither. NULL: none    */
	const char *partial[3];   /* why it is less than enforced although all acts failed; NULL */
};

#define OTHERS "it counts all processes of the user, also those that come and go outside"
#define ALSO_LANDLOCK "mount namespace, Landlock"
static const struct line lines[] = {
	{ OE_GUARANTEE_FS_READ,
	  BIT(OE__ACT_READ),
	  { ALSO_LANDLOCK, "Landlock", NULL },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_FS_WRITE,
	  BIT(OE__ACT_WRITE),
	  { ALSO_LANDLOCK, "Landlock", NULL },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_FS_META,
	  BIT(OE__ACT_META) | BIT(OE__ACT_STAT),
	  { "mount namespace", "Landlock", NULL },
	  { NULL, "Landlock does not cover modes, times and attributes, nor whether a file is there", NULL } },
	{ OE_GUARANTEE_NET_INET,
	  BIT(OE__ACT_TCP) | BIT(OE__ACT_UDP),
	  { "network namespace", "system call filter", "system call filter" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_NET_UNIX,
	  BIT(OE__ACT_UNIX_PATH) | BIT(OE__ACT_UNIX_ABSTRACT),
	  { "mount and network namespaces, Landlock", "system call filter", "system call filter" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_NET_OTHER,
	  BIT(OE__ACT_SOCKET_OTHER),
	  { "system call filter", "system call filter", "system call filter" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_PROC_SIGNAL,
	  BIT(OE__ACT_SIGNAL) | BIT(OE__ACT_PRLIMIT),
	  { "process namespace", "Landlock, system call filter", "system call filter" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_PROC_SEE,
	  BIT(OE__ACT_SEE) | BIT(OE__ACT_PTRACE),
	  { "process namespace", "Landlock", NULL },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_TREE_KILL,
	  BIT(OE__ACT_OUTLIVE),
	  { "process namespace", "subreaper", "subreaper" },
	  { NULL, "a process that forks all the time may escape a sweep for a while",
	    "a process that forks all the time may escape a sweep for a while" } },
	{ OE_GUARANTEE_PROCESSES,
	  BIT(OE__ACT_PROCESSES),
	  { "RLIMIT_NPROC in a user namespace", "RLIMIT_NPROC", "RLIMIT_NPROC" },
	  { NULL, OTHERS, OTHERS } },
	{ OE_GUARANTEE_DISK,
	  BIT(OE__ACT_DISK),
	  { "tmpfs of limited size", NULL, NULL },
	  { NULL, "its scratch directory is one of the host's", "its scratch directory is one of the host's" } },
	{ OE_GUARANTEE_SYSCALLS,
	  BIT(OE__ACT_FOREIGN_ABI) | BIT(OE__ACT_UNKNOWN_CALL) | BIT(OE__ACT_UNSHARE) |
	      BIT(OE__ACT_PTRACE) | BIT(OE__ACT_KEYS),
	  { "system call filter", "system call filter", "system call filter" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_PRIVILEGES,
	  BIT(OE__ACT_PRIVILEGES),
	  { "no_new_privs, no capabilities", "no_new_privs, no capabilities",
	    "no_new_privs, no capabilities" },
	  { NULL, NULL, NULL } },
	{ OE_GUARANTEE_TERMINAL,
	  BIT(OE__ACT_TERMINAL),
	  { "system call filter, session", "system call filter, session", "system call filter, session" },
	  { NULL, NULL, "terminals of the user can be opened by their names" } },
	{ OE_GUARANTEE_IPC,
	  BIT(OE__ACT_IPC) | BIT(OE__ACT_KEYS),
	  { "IPC namespace, system call filter", "system call filter", "system call filter" },
	  { NULL, NULL, "files in /dev/shm are everybody's" } },
};

static const char *act_name(uint64_t acts)
{
	static const char *const names[] = {
		[OE__ACT_READ] = "read a file of the host",
		[OE__ACT_WRITE] = "write a file of the host",
		[OE__ACT_META] = "change the mode or the times of a file of the host",
		[OE__ACT_STAT] = "see whether a file is there",
		[OE__ACT_TCP] = "connect by TCP",
		[OE__ACT_UDP] = "send by UDP",
		[OE__ACT_UNIX_PATH] = "connect to a socket file",
		[OE__ACT_UNIX_ABSTRACT] = "connect to an abstract socket",
		[OE__ACT_SOCKET_OTHER] = "make a socket of another family",
		[OE__ACT_SIGNAL] = "signal a process outside",
		[OE__ACT_PRLIMIT] = "look at the limits of a process outside",
		[OE__ACT_SEE] = "read the command line of a process outside",
		[OE__ACT_OUTLIVE] = "outlive its tree",
		[OE__ACT_MEMORY_PROCESS] = "take more memory",
		[OE__ACT_PROCESSES] = "start more processes",
		[OE__ACT_DISK] = "write more than its scratch holds",
		[OE__ACT_FOREIGN_ABI] = "make a call of another architecture",
		[OE__ACT_UNKNOWN_CALL] = "make a call that is not allowed",
		[OE__ACT_UNSHARE] = "make a user namespace",
		[OE__ACT_PTRACE] = "trace processes",
		[OE__ACT_PRIVILEGES] = "keep or gain privileges",
		[OE__ACT_TERMINAL] = "type into a terminal",
		[OE__ACT_IPC] = "make shared memory of System V",
		[OE__ACT_KEYS] = "use the kernel's keys",
		[OE__ACT_CPU] = "use more CPU time",
	};

	for (size_t i = 0; i < OE__COUNT(names); i++)
		if (acts & BIT(i) && names[i])
			return names[i];
	return "do it";
}

/* Which column of a line. */
static int column(const struct oe__findings *findings)
{
	return findings->tier >= 2 ? 0 : findings->tier == 1 ? 1 : 2;
}

static void set_line(struct oe__sandbox_report *report, const struct line *line,
                     const struct oe__findings *findings)
{
	int at = column(findings);
	uint64_t done = line->acts & findings->done;
	const char *mechanism = line->mechanism[at] ? line->mechanism[at] : "";
	const char *partial = line->partial[at];

	enum oe_guarantee_level level = OE_LEVEL_ENFORCED;

	if ((line->acts & findings->tried) == 0 || done == line->acts || !*mechanism)
		level = OE_LEVEL_NONE;
	else if (done || partial)
		level = OE_LEVEL_PARTIAL;
	oe__sandbox_report_set(report, line->guarantee, level, level == OE_LEVEL_NONE ? "" : mechanism,
	                       partial ? partial : "");
	if (done)
		oe__sandbox_report_add_reason(report, line->guarantee, "the self-test could %s",
		                              act_name(done));
	else if (level == OE_LEVEL_NONE && !partial)
		oe__sandbox_report_add_reason(report, line->guarantee, "nothing here can enforce it");
}

static void set_network(struct oe__sandbox_report *report, const oe_sandbox_policy *policy,
                        const struct oe__findings *findings)
{
	if (policy->network != OE_NETWORK_HOST)
		return;
	oe__sandbox_report_set(report, OE_GUARANTEE_NET_INET, OE_LEVEL_NOT_REQUESTED, "",
	                       "the policy gives it the network of the machine");
	if (findings->tier >= 2 && findings->landlock < 6)
		oe__sandbox_report_weaken(report, OE_GUARANTEE_NET_UNIX, OE_LEVEL_PARTIAL,
		                          "abstract sockets belong to the network of the machine");
}

static void set_limits(struct oe__sandbox_report *report, const oe_sandbox_policy *policy,
                       const struct oe__findings *findings)
{
	static const char none[] = "the policy gives no limit";

	if (policy->memory_bytes == 0) {
		oe__sandbox_report_set(report, OE_GUARANTEE_MEM_PROCESS, OE_LEVEL_NOT_REQUESTED, "", none);
		oe__sandbox_report_set(report, OE_GUARANTEE_MEM_TOTAL, OE_LEVEL_NOT_REQUESTED, "", none);
	} else {
		bool held = findings->tried & BIT(OE__ACT_MEMORY_PROCESS) &&
		            !(findings->done & BIT(OE__ACT_MEMORY_PROCESS));
		oe__sandbox_report_set(report, OE_GUARANTEE_MEM_PROCESS,
		                       held ? OE_LEVEL_ENFORCED : OE_LEVEL_NONE, held ? "RLIMIT_AS" : "",
		                       held ? "" : "the self-test could take more memory");
		if (findings->tier >= 3)
			oe__sandbox_report_set(report, OE_GUARANTEE_MEM_TOTAL, OE_LEVEL_ENFORCED,
			                       findings->cgroup == 1 ? "control group, version 1"
			                                             : "control group, version 2",
			                       "");
		else
			oe__sandbox_report_set(report, OE_GUARANTEE_MEM_TOTAL, OE_LEVEL_PARTIAL,
			                       "sampled every 20 ms", "no control group may be made here");
	}
	if (policy->cpu_ms == 0)
		oe__sandbox_report_set(report, OE_GUARANTEE_CPU, OE_LEVEL_NOT_REQUESTED, "", none);
	else if (findings->done & BIT(OE__ACT_CPU))
		oe__sandbox_report_set(report, OE_GUARANTEE_CPU, OE_LEVEL_NONE, "",
		                       "the self-test could raise its limit");
	else
		oe__sandbox_report_set(report, OE_GUARANTEE_CPU, OE_LEVEL_PARTIAL,
		                       "RLIMIT_CPU, sampled every 20 ms",
		                       "children that nobody waits for are not counted when they end");
	if (policy->processes == 0)
		oe__sandbox_report_set(report, OE_GUARANTEE_PROCESSES, OE_LEVEL_NOT_REQUESTED, "", none);
	if (policy->scratch_bytes == 0)
		oe__sandbox_report_set(report, OE_GUARANTEE_DISK, OE_LEVEL_NOT_REQUESTED, "", none);
}

/* What the host's side does by itself, in every tier. */
static void set_own(struct oe__sandbox_report *report, const oe_sandbox_policy *policy)
{
	oe__sandbox_report_set(report, OE_GUARANTEE_WALL, OE_LEVEL_ENFORCED, "deadline of the host", "");
	if (policy->output_bytes > 0)
		oe__sandbox_report_set(report, OE_GUARANTEE_OUTPUT, OE_LEVEL_ENFORCED,
		                       "head and tail are kept", "");
	else
		oe__sandbox_report_set(report, OE_GUARANTEE_OUTPUT, OE_LEVEL_NOT_REQUESTED, "",
		                       "the policy gives no limit");
	oe__sandbox_report_set(report, OE_GUARANTEE_SCORE, OE_LEVEL_NONE, "",
	                       "the program runs inside of its evaluator");
}

void oe__levels_set(struct oe__sandbox_report *report, const oe_sandbox_policy *policy,
                    const struct oe__findings *findings)
{
	report->tier = findings->tier;
	for (size_t i = 0; i < OE__COUNT(lines); i++)
		set_line(report, &lines[i], findings);
	set_own(report, policy);
	set_network(report, policy, findings);
	set_limits(report, policy, findings);
	if (findings->tier >= 1 && findings->landlock > 0)
		oe__sandbox_report_add_mechanism(report, OE_GUARANTEE_FS_WRITE, "ABI %d",
		                                 findings->landlock);
	bool sees = findings->done & (BIT(OE__ACT_SEE) | BIT(OE__ACT_PTRACE));
	oe__sandbox_report_set(report, OE_GUARANTEE_SECRETS,
	                       sees ? OE_LEVEL_PARTIAL : OE_LEVEL_ENFORCED,
	                       "the environment is an allow list, and nothing else is inherited",
	                       sees ? "processes of the same user can be looked at" : "");
	for (int tier = 2; tier > findings->tier; tier--)
		oe__sandbox_report_add_reason(report, OE_GUARANTEE_FS_META, "tier %d: cannot %s: %s", tier,
		                              oe__step_name(findings->step[tier]),
		                              oe__errno_text(findings->status[tier]));
	/* Mounts and Landlock before ABI 9 leave socket files to who can see them; an overlay does not. */
	bool seen = (policy->readable && policy->readable[0]) || (policy->writable && policy->writable[0]) ||
	            (!policy->overlay && policy->directories && policy->directories[0]);
	if (findings->tier >= 2 && findings->landlock < 9 && seen)
		oe__sandbox_report_weaken(report, OE_GUARANTEE_NET_UNIX, OE_LEVEL_PARTIAL,
		                          "a socket file in a directory that the policy shows can be connected to");
	if (findings->tier < 2 && policy->masked && policy->masked[0])
		oe__sandbox_report_weaken(report, OE_GUARANTEE_FS_READ, OE_LEVEL_PARTIAL,
		                          "without namespaces %s cannot be masked", policy->masked[0]);
	if (policy->writable && policy->writable[0])
		oe__sandbox_report_weaken(report, OE_GUARANTEE_FS_WRITE, OE_LEVEL_PARTIAL,
		                          "the policy lets it write into %s", policy->writable[0]);
}

void oe__levels_unconfined(struct oe__sandbox_report *report, const oe_sandbox_policy *policy)
{
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
		oe__sandbox_report_set(report, (enum oe_guarantee)i, OE_LEVEL_NONE, "",
		                       "the sandbox is switched off");
	set_own(report, policy);
	oe__sandbox_report_set(report, OE_GUARANTEE_TREE_KILL, OE_LEVEL_PARTIAL, "subreaper",
	                       "a process that forks all the time may escape a sweep for a while");
	if (policy->memory_bytes > 0)
		oe__sandbox_report_set(report, OE_GUARANTEE_MEM_PROCESS, OE_LEVEL_PARTIAL, "RLIMIT_AS",
		                       "the sandbox is switched off");
	oe__sandbox_report_set(report, OE_GUARANTEE_SECRETS, OE_LEVEL_PARTIAL,
	                       "the environment is an allow list", "the sandbox is switched off");
}
