#include "controller/rules.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"

int oe__rules_init(struct oe__rules *rules, const oe_config *config)
{
	const char *metric = oe__config_string(config, "early_stopping_metric");

	*rules = (struct oe__rules){
		.has_target = !oe__config_is_null(config, "target_score"),
		.patience = oe__config_is_null(config, "early_stopping_patience")
		                ? 0
		                : oe__config_int(config, "early_stopping_patience"),
		.improvement_min = oe__config_real(config, "convergence_threshold"),
		.metric = oe__strdup(metric), /* a resumed run changes the configuration yet */
		.best = -INFINITY,
		.time_ns = -1,
	};
	if (rules->patience <= 0) {
		rules->has_goal = !oe__config_is_null(config, "early_stopping_patience");
		rules->patience = 0;
	}
	if (rules->has_target)
		rules->target = oe__config_real(config, "target_score");
	if (!oe__config_is_null(config, "max_time"))
		rules->time_ns = (int64_t)(oe__config_real(config, "max_time") * 1e9);
	return metric && !rules->metric ? OE_ERR_NOMEM : 0;
}

void oe__rules_done(struct oe__rules *rules)
{
	oe__free(rules->metric);
	rules->metric = NULL;
}

/* The watched metric, or the fitness where it is missing: "combined_score" always is the fitness. */
static double score_of(const struct oe__rules *rules, const oe_program *program)
{
	if (rules->metric && strcmp(rules->metric, "combined_score") != 0 && program->evaluation) {
		const struct oe__metric *metric = oe__evaluation_metric(program->evaluation, rules->metric);
		if (metric && isfinite(metric->value))
			return metric->value;
	}
	return program->fitness;
}

void oe__rules_see(struct oe__rules *rules, const oe_program *program, bool initial)
{
	double score = score_of(rules, program);

	if (rules->has_target && program->fitness >= rules->target)
		rules->reached = true;
	if (rules->has_goal && score == rules->improvement_min)
		rules->reached = true;
	/* The threshold is what counts as an improvement at all; the first score always does. */
	if (!(score - rules->best < rules->improvement_min)) {
		rules->best = score;
		rules->since_best = 0;
	} else if (!initial) {
		rules->since_best++;
	}
}

int oe__rules_check(const struct oe__rules *rules, int64_t elapsed_ns)
{
	if (rules->reached)
		return OE_REASON_TARGET;
	if (rules->patience > 0 && rules->since_best >= rules->patience)
		return OE_REASON_PATIENCE;
	if (rules->time_ns >= 0 && elapsed_ns >= rules->time_ns)
		return OE_REASON_TIME;
	return OE_REASON_NONE;
}
