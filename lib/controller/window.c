#include "controller/window.h"

#define RAMP_NS (1 * (int64_t)1000000000)

void oe__window_init(struct oe__window *window, int64_t llm_max, int64_t evaluations_max)
{
	*window = (struct oe__window){
		.llm_max = llm_max,
		.evaluations_max = evaluations_max,
		.waiting_max = llm_max + 2 * evaluations_max,
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

bool oe__window_admits(const struct oe__window *window, int64_t asking, int64_t waiting,
                       int64_t now_ns)
{
	if (asking >= window->llm_max || waiting >= window->waiting_max)
		return false;
	return !ramping(window) || now_ns >= window->next_ns;
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

int64_t oe__window_next(const struct oe__window *window, int64_t asking, int64_t waiting)
{
	if (!ramping(window) || asking >= window->llm_max || waiting >= window->waiting_max)
		return INT64_MAX;
	return window->next_ns;
}
