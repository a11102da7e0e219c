#include "controller/window.h"

#include <math.h>

#define RAMP_NS   (1 * (int64_t)1000000000)
#define MARGIN    1.5        /* averages are not what every program takes              */
#define SPARE     2          /* programs that wait for each slot, so that none is idle */
#define WEIGHT    (1.0 / 16) /* of the newest in an average                            */
#define YIELD_MIN 0.02

void oe__window_init(struct oe__window *window, int64_t llm_max, int64_t evaluations_max)
{
	*window = (struct oe__window){
		.llm_max = llm_max,
		.evaluations_max = evaluations_max,
		.making_ns = -1,
		.evaluating_ns = -1,
		.yield = 1,
	};
}

void oe__window_restart(struct oe__window *window)
{
	window->spread = 0;
	window->next_ns = 0;
}

static bool ramping(const struct oe__window *window)
{
	return window->spread < window->llm_max;
}

static int64_t gap_ns(const struct oe__window *window)
{
	int64_t over_ns = window->latency_ns > 0 && window->latency_ns < RAMP_NS ? window->latency_ns
	                                                                         : RAMP_NS;
	return over_ns / window->llm_max;
}

int64_t oe__window_ahead_max(const struct oe__window *window)
{
	int64_t spare = SPARE * window->evaluations_max;
	int64_t all = 2 * window->llm_max + spare;

	/* As long as nobody knows, each call may be used once. */
	if (window->making_ns < 0 || window->evaluating_ns < 0)
		return window->llm_max;
	double yield = window->yield > YIELD_MIN ? window->yield : YIELD_MIN;
	double evaluating_ns = window->evaluating_ns > 1 ? window->evaluating_ns : 1;
	double used_up =
		(double)window->evaluations_max * window->making_ns / (evaluating_ns * yield);
	if (MARGIN * used_up >= (double)window->llm_max) /* calls are what is scarce */
		return all;
	return (int64_t)ceil(MARGIN * used_up) + spare;
}

bool oe__window_admits(const struct oe__window *window, int64_t asking, int64_t ahead,
                       int64_t now_ns)
{
	if (asking >= window->llm_max || ahead >= oe__window_ahead_max(window))
		return false;
	return !ramping(window) || now_ns >= window->next_ns;
}

static void take_in(double *average, double value)
{
	*average = *average < 0 ? value : *average + WEIGHT * (value - *average);
}

void oe__window_made(struct oe__window *window, int64_t making_ns, bool evaluated)
{
	take_in(&window->making_ns, (double)making_ns);
	take_in(&window->yield, evaluated ? 1 : 0);
}

void oe__window_evaluated(struct oe__window *window, int64_t evaluating_ns)
{
	take_in(&window->evaluating_ns, (double)evaluating_ns);
}

void oe__window_issued(struct oe__window *window, int64_t now_ns)
{
	if (!ramping(window))
		return;
	window->spread++;
	/* From where it should have been, not from where it was: wake-ups that are late do not add up. */
	int64_t from_ns = now_ns - window->next_ns < RAMP_NS ? window->next_ns : now_ns;
	window->next_ns = from_ns + gap_ns(window);
}

void oe__window_answered(struct oe__window *window, int64_t latency_ns)
{
	if (window->latency_ns > 0)
		return;
	window->latency_ns = latency_ns > 0 ? latency_ns : 1;
	/* The wait that was planned while the latency was unknown may be far too long. */
	window->next_ns = 0;
}

int64_t oe__window_next(const struct oe__window *window, int64_t asking, int64_t ahead)
{
	if (!ramping(window) || asking >= window->llm_max || ahead >= oe__window_ahead_max(window))
		return INT64_MAX;
	return window->next_ns;
}
