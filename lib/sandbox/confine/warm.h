#ifndef OE__CONFINE_WARM_H
#define OE__CONFINE_WARM_H

/*
 * Putting a child of the fork server where it can do no harm. The server runs our code and libraries, with
 * one thread.
 *
 *     oe_warm_open(kit, group)         once, by the server
 *     oe_warm_begin(&init, &hold)      children go into a process namespace of their own from here ...
 *     fork()                           ... this one,
 *     oe_warm_end()                    ... to here
 *     oe_warm_separate()               in the child: files of its own, or ...
 *     oe_warm_separate_again()         ... those of the child before, if it has left nothing in them
 *     oe_warm_confine()                from here on it can only do its job
 *
 * An evaluator that is kept apart from its candidate forks it between the last two, in the same way:
 *
 *     oe_warm_nest(); oe_warm_begin(); fork(); oe_warm_end()
 *     oe_warm_separate_candidate(); oe_warm_confine()      in the candidate, which sees no evaluator
 *     oe_warm_hide(path)                                   in the evaluator, which sees no candidate
 *
 * Each gives 0, or minus an errno; oe_warm_step() then says what failed. Without oe_warm_open() nothing is
 * confined, and all of them do nothing.
 */

#include "plan.h"
#include "trace.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int oe_warm_open(int kit, int group);

/* What a child sees: its mounts, and what Landlock lets it do with them. */
struct files {
	int mounts, rules; /* -1: there are none */
};
#define NO_FILES ((struct files){ -1, -1 })

/* `init`: the first process of the namespace, which the caller has to wait for; when `hold` is written to
   or closed it ends whatever is left in it. Without namespaces both are -1. */
int oe_warm_begin(int *init, int *hold);
int oe_warm_end(void);
int oe_warm_separate(struct files *out);
int oe_warm_confine(void);

bool oe_warm_has_files(void); /* evaluations have some of their own */

/* What is known about the files of the children before, in memory that they share with the server until they
   have a job. */
struct kept {
	int64_t made_ns;
	bool exact;  /* each change shows                          */
	bool soiled; /* they may have been changed without a trace */
	struct trace then, now;
};

/* `files`: of the child before, if there are any; then what is used. `kept` is of the two of them. */
int oe_warm_separate_again(struct files *files, struct kept *kept);

/* Before the first line that is not ours: from here on, what is done leaves a trace, or does not count. */
void oe_warm_trust(struct kept *kept);

int oe_warm_nest(void);
int oe_warm_separate_candidate(void);
int oe_warm_hide(const char *path);

int oe_warm_step(void);

#endif /* OE__CONFINE_WARM_H */
