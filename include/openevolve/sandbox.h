#ifndef OPENEVOLVE_SANDBOX_H
#define OPENEVOLVE_SANDBOX_H

/**
 * @file
 * The sandbox: programs that nobody has read, run so that they can do no harm, and an honest word
 * about how far that holds on this machine.
 *
 * It needs no root, no daemon and no container engine. What the kernel allows decides the tier:
 *
 *     T3  as T2, and memory and processes of a whole tree are limited by control groups
 *     T2  namespaces: a file system, process table and network of its own; Landlock; seccomp
 *     T1  no namespaces: Landlock and seccomp
 *     T0  seccomp and resource limits
 *
 * A tier says how; the report says what: one line per guarantee, with its level, the mechanism, and
 * the reason if it is less than enforced. Levels are not looked up but found: before anything is run,
 * a child tries the forbidden acts. What a policy requires and the machine cannot give is an error,
 * never a silent step down.
 *
 * The evaluators of this library use it by themselves ("sandbox.*"); this interface is for tools and
 * for evaluators of your own.
 *
 * One sandbox, one thread at a time.
 */

#include "openevolve/common.h"
#include "openevolve/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A process of its own that starts the confined ones, and what it can guarantee. */
typedef struct oe_sandbox oe_sandbox;

/** How one command ended. Reference-free: release with oe_sandbox_result_free(). */
typedef struct oe_sandbox_result oe_sandbox_result;

/** What is promised about a confined program. Values are part of the ABI. */
enum oe_guarantee {
	OE_GUARANTEE_FS_READ = 0,      /**< it reads only what the policy names                     */
	OE_GUARANTEE_FS_WRITE = 1,     /**< it changes no file outside of its scratch               */
	OE_GUARANTEE_FS_META = 2,      /**< nor modes, times, attributes; nor sees what is there    */
	OE_GUARANTEE_NET_INET = 3,     /**< no TCP, UDP, ICMP beyond the policy's network           */
	OE_GUARANTEE_NET_UNIX = 4,     /**< no sockets of other programs on this machine            */
	OE_GUARANTEE_NET_OTHER = 5,    /**< no vsock, netlink, packet, Bluetooth, ... sockets       */
	OE_GUARANTEE_PROC_SIGNAL = 6,  /**< no signal, limit or priority of a process outside       */
	OE_GUARANTEE_PROC_SEE = 7,     /**< nor their command lines, environments, memory           */
	OE_GUARANTEE_TREE_KILL = 8,    /**< nothing that it started lives on                        */
	OE_GUARANTEE_MEM_TOTAL = 9,    /**< memory of all its processes together                    */
	OE_GUARANTEE_MEM_PROCESS = 10, /**< memory of each process                                  */
	OE_GUARANTEE_CPU = 11,         /**< CPU time of all its processes together                  */
	OE_GUARANTEE_WALL = 12,        /**< time on the clock                                       */
	OE_GUARANTEE_OUTPUT = 13,      /**< what is kept of stdout and stderr                       */
	OE_GUARANTEE_PROCESSES = 14,   /**< how many processes and threads                          */
	OE_GUARANTEE_DISK = 15,        /**< bytes and files that it writes                          */
	OE_GUARANTEE_SYSCALLS = 16,    /**< dangerous, foreign and unknown system calls are refused */
	OE_GUARANTEE_PRIVILEGES = 17,  /**< it gains none: no set-user-ID program, no capability    */
	OE_GUARANTEE_TERMINAL = 18,    /**< it cannot type into the terminal                        */
	OE_GUARANTEE_IPC = 19,         /**< no shared memory, queues, keys with others              */
	OE_GUARANTEE_SECRETS = 20,     /**< environment and memory of the caller stay there         */
	OE_GUARANTEE_SCORE = 21,       /**< it cannot give itself a score                           */
	OE_GUARANTEE_COUNT = 22        /**< how many there are */
};

/** How far a guarantee holds. */
enum oe_guarantee_level {
	OE_LEVEL_NONE = 0,         /**< it does not                                     */
	OE_LEVEL_PARTIAL = 1,      /**< with the exceptions that the reason names       */
	OE_LEVEL_ENFORCED = 2,     /**< the self-test tried, and was refused            */
	OE_LEVEL_NOT_REQUESTED = 3 /**< the policy does not ask for it (no limit given) */
};

/** One line of the report. Strings live as long as the sandbox. Append-only. */
typedef struct oe_guarantee_info {
	size_t struct_size;
	int32_t guarantee;     /**< enum oe_guarantee       */
	int32_t level;         /**< enum oe_guarantee_level */
	const char *name;      /**< stable: "fs_read"       */
	const char *mechanism; /**< "mount namespace, Landlock ABI 7", or "" */
	const char *reason;    /**< why it is less than enforced, or ""      */
} oe_guarantee_info;

/** Network of confined programs. */
enum oe_network {
	OE_NETWORK_NONE = 0,     /**< no interface that leads anywhere   */
	OE_NETWORK_LOOPBACK = 1, /**< 127.0.0.1 of its own, alone        */
	OE_NETWORK_HOST = 2      /**< that of the machine: no protection */
};

/** How hard to try. */
enum oe_sandbox_mode {
	OE_SANDBOX_AUTO = 0,   /**< the best that the machine allows                               */
	OE_SANDBOX_STRICT = 1, /**< everything but OE_GUARANTEE_SCORE and the totals is required   */
	OE_SANDBOX_NONE = 2    /**< no confinement, only limits, deadlines and the killing of trees */
};

/** Which system calls are left. */
enum oe_sandbox_profile {
	OE_PROFILE_DEFAULT = 0, /**< what language runtimes and numerical libraries need           */
	OE_PROFILE_STRICT = 1   /**< no new executable code either: no W+X memory, memfd, sockets */
};

/** What confined programs may do. 0 in a number: no limit. Lists are NULL-terminated, may be NULL,
 *  and are copied. Append-only; start from OE_SANDBOX_POLICY_INIT. */
typedef struct oe_sandbox_policy {
	size_t struct_size;
	int32_t mode;    /**< enum oe_sandbox_mode    */
	int32_t profile; /**< enum oe_sandbox_profile */
	int32_t network; /**< enum oe_network         */
	int32_t overlay; /**< nonzero: writes in `directories` work, and vanish; else they are refused  */
	uint64_t require;             /**< bits 1 << enum oe_guarantee that must be enforced            */
	uint64_t memory_bytes;        /**< of a tree, and of each process                               */
	uint64_t cpu_ms;              /**< of a tree, and of each process (there: in whole seconds)     */
	uint64_t processes;           /**< and threads, of a tree                                       */
	uint64_t descriptors;         /**< of a process                                                 */
	uint64_t file_bytes;          /**< of a file                                                    */
	uint64_t scratch_bytes;       /**< of /tmp, /dev/shm, HOME and the overlays together            */
	uint64_t scratch_files;       /**< likewise                                                     */
	uint64_t output_bytes;        /**< kept of stdout and stderr together; the middle is cut        */
	const char *const *readable;  /**< files and directories to see, besides the system's           */
	const char *const *writable;  /**< directories of the host to write into: no protection there   */
	const char *const *directories; /**< to see, and to write into as `overlay` says                */
	const char *temporary;        /**< where the host's side keeps its files; NULL: /tmp            */
	const char *const *toolchain; /**< to see, too: parts of an interpreter or a compiler           */
	const char *const *masked;    /**< empty, although they lie in what is shown: secrets; tier 2 up */
} oe_sandbox_policy;

/** The defaults. */
#define OE_SANDBOX_POLICY_INIT \
	{ sizeof(oe_sandbox_policy), OE_SANDBOX_AUTO, OE_PROFILE_DEFAULT, OE_NETWORK_NONE, 1, 0, 0, 0, \
	  128, 256, 0, (uint64_t)1 << 30, 100000, (uint64_t)1 << 20, NULL, NULL, NULL, NULL, NULL, NULL }

/** One command to run. Append-only; zero what you do not set. */
typedef struct oe_sandbox_command {
	size_t struct_size;
	const char *const *arguments; /**< NULL-terminated; the first is looked up in PATH       */
	const char *const *variables; /**< "NAME=value", NULL-terminated: the whole environment; NULL:
	                                   just PATH, HOME=/tmp, TMPDIR=/tmp and LANG            */
	const char *directory;        /**< NULL: /tmp, which is private                          */
	int64_t timeout_ms;           /**< from its start; 0: none                               */
} oe_sandbox_command;

/**
 * Start a sandbox: probe the machine, try the forbidden acts, and compare with what is required.
 *
 * @param policy NULL: the defaults.
 * @retval OE_ERR_SANDBOX a required guarantee cannot be given; the message names it, and why.
 */
OE_API OE_NODISCARD int oe_sandbox_new(const oe_sandbox_policy *policy, oe_sandbox **out,
                                       oe_error *err);

/** Kill everything that runs in it, wait until it is gone, free. Accepts NULL. */
OE_API void oe_sandbox_free(oe_sandbox *sandbox);

/** The tier: 0 to 3; -1 with OE_SANDBOX_NONE. */
OE_API int oe_sandbox_tier(const oe_sandbox *sandbox);

/**
 * A line of the report.
 *
 * @param info its `struct_size` is set by the caller.
 * @return 1, or 0 past the last one.
 */
OE_API int oe_sandbox_guarantee_at(const oe_sandbox *sandbox, size_t index, oe_guarantee_info *info);

/** The report as JSON: {"schema":"oe.sandbox/1","tier":...,"guarantees":[...]}. Borrowed; as old as
 *  the sandbox. */
OE_API const char *oe_sandbox_report_json(const oe_sandbox *sandbox);

/** Stable name of a guarantee ("fs_read"), of a level ("enforced"); "unknown" for other values. */
OE_API const char *oe_guarantee_name(int guarantee);
OE_API const char *oe_guarantee_level_name(int level);

/** Run one command to its end, on the cold path. Blocks.
 *  @return 0 however the command ended; a negative status if it could not be tried. */
OE_API OE_NODISCARD int oe_sandbox_run(oe_sandbox *sandbox, const oe_sandbox_command *command,
                                       oe_sandbox_result **out, oe_error *err);

/** Accepts NULL. */
OE_API void oe_sandbox_result_free(oe_sandbox_result *result);

/** enum oe_verdict: OK if it left with status 0. */
OE_API int oe_sandbox_result_verdict(const oe_sandbox_result *result);
/** The verdict in one sentence; "" for OK. */
OE_API const char *oe_sandbox_result_message(const oe_sandbox_result *result);
/** Exit status, or minus the signal that ended it. */
OE_API int oe_sandbox_result_status(const oe_sandbox_result *result);
/** stdout and stderr, in the order of writing; the middle of too much is left out, with a note.
 *  Valid UTF-8. */
OE_API const char *oe_sandbox_result_output(const oe_sandbox_result *result, size_t *size);
/** @param usage its `struct_size` is set by the caller. */
OE_API void oe_sandbox_result_usage(const oe_sandbox_result *result, oe_usage *usage);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_SANDBOX_H */
