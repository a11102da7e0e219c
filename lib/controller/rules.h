#ifndef OE__CONTROLLER_RULES_H
#define OE__CONTROLLER_RULES_H

/*
 * The rules that end a run: target, patience, time. Pure; looked at after each commit, and by the
 * clock for the time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/config.h"
#include "openevolve/controller.h"
#include "program/program.h"

struct oe__rules {
	bool has_target;
	double target;
	int64_t patience; /* iterations without improvement; 0: never */
	bool has_goal;    /* no patience: it ends when `metric` equals `improvement_min` */
	double improvement_min;
	char *metric;    /* "early_stopping_metric" */
	int64_t time_ns;    /* of the session; negative: any */

	double best;        /* of `metric` */
	int64_t since_best; /* children since it improved */
	bool reached;       /* the target, or the goal */
};

int oe__rules_init(struct oe__rules *rules, const oe_config *config);
void oe__rules_done(struct oe__rules *rules);

/* A program joined: an initial one sets the mark and can reach the target, but is no trial. */
void oe__rules_see(struct oe__rules *rules, const oe_program *program, bool initial);

/* enum oe_stop_reason that ends the run now, or OE_REASON_NONE. */
int oe__rules_check(const struct oe__rules *rules, int64_t elapsed_ns);

#endif /* OE__CONTROLLER_RULES_H */
