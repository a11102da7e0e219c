#ifndef OE__EVALUATOR_PYTHON_H
#define OE__EVALUATOR_PYTHON_H

/*
 * OpenEvolve's evaluator.py protocol, from warm fork servers: see python/forkserver.py. A pool has a
 * server per slot and runs one evaluation at a time on each; evaluators made from it call one
 * function of the file each. Everything happens on the reactor.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "evaluator/policy.h"
#include "openevolve/evaluator.h"
#include "sandbox/protocol.h"

struct oe__python_options {
	const char *interpreter; /* looked up in the PATH of `variables`                     */
	const char *evaluator;   /* absolute path                                            */
	const char *directory;   /* where evaluations run                                    */
	const char *suffix;      /* of program files, with its dot                           */
	const char *preload;     /* "libs" or "none"                                         */
	const char *keywords;    /* of evaluate(): an object of JSON, or NULL                */
	const char *temporary;   /* where the scratch directory goes                         */
	const char *const *variables; /* the whole environment, NULL-terminated              */
	bool split; /* candidates are processes of their own, called through openevolve.candidate */
	int32_t slots;
	size_t output_max; /* bytes of output that are kept                            */
	struct oe__limits limits;
	struct oe__policy *policy; /* moved into the pool; NULL: nothing is confined            */
};

struct oe__python_pool;

/* Copies the options, but for the policy. */
int oe__python_pool_new(const struct oe__python_options *options, oe_scheduler *scheduler,
                        struct oe__python_pool **out, oe_error *err);
struct oe__python_pool *oe__python_pool_ref(struct oe__python_pool *pool);
void oe__python_pool_unref(struct oe__python_pool *pool);

/* Bits of the functions that the evaluator defines. */
enum {
	OE__PYTHON_EVALUATE = 1,
	OE__PYTHON_STAGE1 = 2,
	OE__PYTHON_STAGE2 = 4,
	OE__PYTHON_STAGE3 = 8
};

/* Import the evaluator once, in a child, and see. Waits; not on a thread of the scheduler.
   OE_ERR_EVALUATOR: it cannot be loaded, or does not load within `timeout_ms`. */
int oe__python_pool_probe(struct oe__python_pool *pool, int64_t timeout_ms, unsigned *functions,
                          oe_error *err);

/* What confines its evaluations, as JSON, once it was probed; NULL before. As old as the pool. */
const char *oe__python_pool_report(const struct oe__python_pool *pool);

/* An evaluator that calls `function` with the path of the program. References the pool. */
int oe__python_evaluator_new(struct oe__python_pool *pool, const char *function,
                             oe_evaluator **out, oe_error *err);

OE__AUTO_POINTER(python_pool, struct oe__python_pool *, oe__python_pool_unref)

#endif /* OE__EVALUATOR_PYTHON_H */
