#ifndef OE__SANDBOX_REPORT_H
#define OE__SANDBOX_REPORT_H

/*
 * What is promised about confined programs, as data: a level, the mechanisms and the reasons of each
 * guarantee. The probe fills it in; it is compared with what is required, and written as JSON.
 * A guarantee that nobody speaks about is not given. Memory that is not there shows when it is
 * written. One thread at a time; then frozen.
 */

#include <stdint.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "base/json.h"
#include "openevolve/sandbox.h"

struct oe__guarantee {
	int level; /* enum oe_guarantee_level */
	struct oe__buffer mechanism, reason;
};

struct oe__sandbox_report {
	int mode;              /* enum oe_sandbox_mode                                   */
	int tier;              /* 0 to 3; -1: nothing is confined                        */
	const char *isolation; /* "shared", "split": static; NULL where it says nothing  */
	struct oe__guarantee guarantees[OE_GUARANTEE_COUNT];
};

void oe__sandbox_report_init(struct oe__sandbox_report *report, int mode);
void oe__sandbox_report_done(struct oe__sandbox_report *report); /* zeroed is fine */

/* Say all about one guarantee, in place of what was said before; "" is nothing. */
void oe__sandbox_report_set(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                            enum oe_guarantee_level level, const char *mechanism,
                            const char *reason);

/* One more mechanism that stands behind it: "a, b". */
void oe__sandbox_report_add_mechanism(struct oe__sandbox_report *report,
                                      enum oe_guarantee guarantee, const char *format, ...)
	OE__PRINTF(3, 4);

/* One more remark: "a; b". */
void oe__sandbox_report_add_reason(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                                   const char *format, ...) OE__PRINTF(3, 4);

/* An act that should have failed went well: the level falls to this one, if it is above, and the
   reason says why. What was not asked for stays so. */
void oe__sandbox_report_weaken(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                               enum oe_guarantee_level level, const char *format, ...)
	OE__PRINTF(4, 5);

/* Compare with the bits of `require`; in strict mode also with everything that a machine can be
   expected to give, as far as the policy asks for it.
   OE_ERR_SANDBOX: the message names the first guarantee that is missing, how many others are, and
   why. */
int oe__sandbox_report_check(const struct oe__sandbox_report *report, uint64_t require,
                             oe_error *err);

/* Line `index` into `info`, as far as its struct_size goes. @return 1, or 0 past the last one. */
int oe__sandbox_report_at(const struct oe__sandbox_report *report, size_t index,
                          oe_guarantee_info *info);

/* {"schema": "oe.sandbox/1", "mode": ..., "tier": ..., "isolation": ..., "guarantees": [...]} */
int oe__sandbox_report_write(const struct oe__sandbox_report *report, struct oe__buffer *out);

/* Value of a name, or -1. */
int oe__guarantee_of(const char *name);

OE__AUTO_VALUE(sandbox_report, struct oe__sandbox_report, oe__sandbox_report_done)

#endif /* OE__SANDBOX_REPORT_H */
