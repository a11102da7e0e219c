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
	OE__REQUEST_START = 1, /* a tree: strings and descriptors follow               */
	OE__REQUEST_KILL = 2,  /* all of it                                            */
	OE__REQUEST_SWEEP = 3  /* all of it but its keeper and the process `keep`      */
};

#define OE__MESSAGE_MAX ((size_t)192 * 1024) /* fits the default send buffer of a socket */
#define OE__FDS_MAX     8

/* Limits of each process of a tree; 0: as the host has it. */
struct oe__limits {
	uint64_t memory_bytes;  /* RLIMIT_AS     */
	uint64_t cpu_seconds;   /* RLIMIT_CPU    */
	uint64_t file_bytes;    /* RLIMIT_FSIZE  */
	uint64_t processes;     /* RLIMIT_NPROC  */
	uint64_t descriptors;   /* RLIMIT_NOFILE */
};

struct oe__request {
	uint32_t type;
	uint32_t argument_count; /* of START: then as many strings ...                  */
	uint32_t variable_count; /* ... and these, then the working directory           */
	uint32_t fd_count;       /* passed along; they become 0, 1, 2, ... of the child */
	uint64_t tree;
	int32_t keep;
	struct oe__limits limits;
};

enum oe__report_type {
	OE__REPORT_STARTED = 1, /* keeper and child                             */
	OE__REPORT_FAILED = 2,  /* `status` is an errno: no tree                */
	OE__REPORT_EXITED = 3,  /* the child: `status` as of waitpid(), `usage` */
	OE__REPORT_DEAD = 4,    /* nothing of the tree is left                  */
	OE__REPORT_SWEPT = 5,   /* `count` processes were killed                */
	OE__REPORT_LOST = 6     /* made by the client: the spawner is gone      */
};

struct oe__report {
	uint32_t type;
	int32_t status;
	uint64_t tree;
	int32_t keeper, child;
	uint32_t count;
	double cpu_ms;          /* of EXITED, with what the child waited for */
	int64_t memory_peak;    /* bytes, of the largest process             */
};

#endif /* OE__SANDBOX_PROTOCOL_H */
