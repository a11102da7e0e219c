#ifndef OE__SANDBOX_PROTOCOL_H
#define OE__SANDBOX_PROTOCOL_H

/*
 * What the host and the spawner say to each other, over a SEQPACKET socket: one message, one packet.
 * Both are built from the same tree, on the same machine: plain structs.
 */

#include <stdint.h>
#include <sys/resource.h>

enum { /* descriptors of the spawner as it starts */
	OE__SPAWNER_SOCKET = 3,
	OE__SPAWNER_HOST = 4 /* pidfd of the host */
};

enum oe__request_type {
	OE__REQUEST_START = 1,  /* a tree: strings and descriptors follow               */
	OE__REQUEST_KILL = 2,   /* all of it                                            */
	OE__REQUEST_SWEEP = 3,  /* all of it but its keeper and the process `keep`      */
	OE__REQUEST_POLICY = 4, /* once: struct oe__policy_head and its mounts follow   */
	OE__REQUEST_PROBE = 5,  /* try the forbidden acts; answered by one oe__findings */
	OE__REQUEST_MEMORY = 6  /* peak of the tree's control group, and start it anew  */
};

#define OE__MESSAGE_MAX ((size_t)192 * 1024) /* fits the default send buffer of a socket */
#define OE__FDS_MAX     8

/* Limits of each process of a tree; 0: as the host has it. */
struct oe__limits {
	uint64_t memory_bytes; /* RLIMIT_AS     */
	uint64_t cpu_seconds;  /* RLIMIT_CPU    */
	uint64_t file_bytes;   /* RLIMIT_FSIZE  */
	uint64_t processes;    /* RLIMIT_NPROC  */
	uint64_t descriptors;  /* RLIMIT_NOFILE */
};

/* How a tree is started. */
enum oe__start_flag {
	OE__START_CONFINED = 1, /* as the policy says; else only with the limits of the request */
	OE__START_WARM = 2      /* a fork server: it confines its children itself. Two more descriptors
	                           follow those that are passed: the kit, and the control group's (or
	                           /dev/null) */
};

struct oe__request {
	uint32_t type;
	uint32_t flags;
	uint32_t argument_count; /* of START: then as many strings ...                  */
	uint32_t variable_count; /* ... and these, then the working directory, ...      */
	uint32_t mount_count;    /* ... and what only this tree sees: see plan.h        */
	uint32_t fd_count;       /* passed along; they become 0, 1, 2, ... of the child */
	uint64_t tree;
	int32_t keep;
	struct oe__limits limits;
};

enum oe__report_type {
	OE__REPORT_STARTED = 1,  /* keeper and child                             */
	OE__REPORT_FAILED = 2,   /* `status` is an errno, `step` what failed: no tree */
	OE__REPORT_EXITED = 3,   /* the child: `status` as of waitpid(), `usage` */
	OE__REPORT_DEAD = 4,     /* nothing of the tree is left; `count` outlived the child */
	OE__REPORT_SWEPT = 5,    /* `count` processes were killed                */
	OE__REPORT_LOST = 6,     /* made by the client: the spawner is gone      */
	OE__REPORT_EXCEEDED = 7, /* `status` is an enum oe__total: the tree has more than it may */
	OE__REPORT_MEMORY = 8    /* `memory_peak`, and `count` kills for want of memory */
};

/* Totals of a tree that are watched over. */
enum oe__total {
	OE__TOTAL_MEMORY = 1,
	OE__TOTAL_CPU = 2
};

struct oe__report {
	uint32_t type;
	int32_t status;
	uint64_t tree;
	int32_t keeper, child;
	uint32_t count;
	uint32_t step;          /* enum oe__step, of FAILED                  */
	double cpu_ms;          /* of EXITED, with what the child waited for */
	int64_t memory_peak;    /* bytes, of the largest process             */
};

/* ---- between the host and a fork server, over its own SEQPACKET socket: see confine/serve.c ---- */

#define OE__JOB_MAX ((size_t)256 * 1024) /* text of one job */

enum oe__warm_type {
	OE__WARM_READY = 1,  /* server: once; `status` is what it has preloaded, as its argument    */
	OE__WARM_SPARE = 2,  /* server: with the socket for its job, a pidfd of it, and one of the first
	                        process of its namespace if it has one                              */
	OE__WARM_EXITED = 3, /* server: `status` as of waitpid(), or -1: it knows nothing of it; and what
	                        it took. `strays` of -1: what it left is being ended, and told about
	                        by a CLEARED                                                        */
	OE__WARM_GIVEN = 4,  /* host: the spare has its job                                         */
	OE__WARM_NEXT = 5,   /* host: nothing is left of the evaluation; fork the next spare (where
	                        evaluations have no process namespace; else the server knows)        */
	OE__WARM_CLEARED = 6 /* server: what it left has ended: `strays` of them, and what they took */
};

struct oe__warm_message {
	uint32_t type;
	int32_t status;
	int64_t number; /* of the spare */
	int64_t strays, memory;
	double cpu_ms;
};

/* ---- how confinement goes ---- */

/* What a process does on its way into confinement; named in errors and in the report. */
enum oe__step {
	OE__STEP_FORK = 0,
	OE__STEP_NAMESPACES,
	OE__STEP_MAPS,
	OE__STEP_NETWORK,
	OE__STEP_ROOT,
	OE__STEP_PROC,
	OE__STEP_SCRATCH,
	OE__STEP_IDENTITY,
	OE__STEP_GROUP,
	OE__STEP_DIRECTORY,
	OE__STEP_FDS,
	OE__STEP_LIMITS,
	OE__STEP_PRIVILEGES,
	OE__STEP_LANDLOCK,
	OE__STEP_FILTER,
	OE__STEP_EXEC,
	OE__STEP_FIND,
	OE__STEP_COUNT
};

/* The forbidden acts of the self-test, one bit each; a set bit in `done` means that it succeeded. */
enum oe__act {
	OE__ACT_READ = 0,
	OE__ACT_WRITE,
	OE__ACT_META,
	OE__ACT_STAT,
	OE__ACT_TCP,
	OE__ACT_UDP,
	OE__ACT_UNIX_PATH,
	OE__ACT_UNIX_ABSTRACT,
	OE__ACT_SOCKET_OTHER,
	OE__ACT_SIGNAL,
	OE__ACT_PRLIMIT,
	OE__ACT_SEE,
	OE__ACT_OUTLIVE,
	OE__ACT_MEMORY_PROCESS,
	OE__ACT_MEMORY_TOTAL,
	OE__ACT_PROCESSES,
	OE__ACT_DISK,
	OE__ACT_FOREIGN_ABI,
	OE__ACT_UNKNOWN_CALL,
	OE__ACT_UNSHARE,
	OE__ACT_PTRACE,
	OE__ACT_PRIVILEGES,
	OE__ACT_TERMINAL,
	OE__ACT_IPC,
	OE__ACT_KEYS,
	OE__ACT_CPU,
	OE__ACT_COUNT
};

/* The answer to PROBE. */
struct oe__findings {
	uint32_t type; /* OE__REQUEST_PROBE */
	int32_t tier;
	int32_t landlock; /* its ABI; 0: none */
	int32_t cgroup;   /* version of the memory controller used; 0: none */
	uint32_t root;    /* the spawner is: children get another user */
	uint32_t proc;    /* there is a fresh /proc */
	uint32_t step[4];  /* per tier: what failed there ...  */
	int32_t status[4]; /* ... and its errno; 0: it works  */
	uint64_t tried, done; /* bits of enum oe__act */
};

#endif /* OE__SANDBOX_PROTOCOL_H */
