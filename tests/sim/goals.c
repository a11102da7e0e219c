#include "goals.h"

#include <math.h>

#include "openevolve/controller.h"
#include "world.h"

#define IMPROVEMENT 0.001 /* "convergence_threshold" as it is by itself */

static struct {
	struct limits limits;
	double best; /* that counted as an improvement */
	int64_t since_best;
	bool reached, missed;
} goals;

void goals_begin(const struct limits *limits)
{
	goals.limits = *limits;
	goals.best = -INFINITY;
	goals.since_best = 0;
	goals.reached = goals.missed = false;
}

void goals_see(double score, bool initial)
{
	goals.reached |= score >= (double)goals.limits.target_percent / 100;
	if (goals.best == -INFINITY || score >= goals.best + IMPROVEMENT) {
		goals.best = score;
		goals.since_best = 0;
	} else if (!initial) {
		goals.since_best++;
	}
	goals.missed |= goals.since_best >= goals.limits.patience;
}

int goals_reason(void)
{
	if (goals.reached)
		return OE_REASON_TARGET;
	return goals.since_best >= goals.limits.patience ? OE_REASON_PATIENCE : OE_REASON_NONE;
}

bool goals_were_missed(void)
{
	return goals.missed;
}

void goals_compare(const struct oe__rules *rules)
{
	if (rules->best != goals.best || rules->since_best != goals.since_best)
		violated("the run knows of a best of %.17g and %lld programs since, and it was %.17g and %lld",
		         rules->best, (long long)rules->since_best, goals.best, (long long)goals.since_best);
	if (rules->reached != goals.reached)
		violated("the run has %sreached its target, and says otherwise", goals.reached ? "" : "not ");
}
