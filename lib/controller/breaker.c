#include "controller/breaker.h"

#define FIRST_WAIT_NS (1 * (int64_t)1000000000)
#define WAIT_MAX_NS   (30 * (int64_t)1000000000)

void oe__breaker_init(struct oe__breaker *breaker, int64_t give_up_ns)
{
	*breaker = (struct oe__breaker){ .give_up_ns = give_up_ns };
}

bool oe__breaker_success(struct oe__breaker *breaker)
{
	bool was_down = breaker->state != OE__BREAKER_CLOSED;

	breaker->successes++;
	breaker->state = OE__BREAKER_CLOSED;
	return was_down;
}

bool oe__breaker_failure(struct oe__breaker *breaker, int64_t asked_at, int64_t asked_ns,
                         int64_t now_ns)
{
	if (breaker->state == OE__BREAKER_CLOSED) {
		if (breaker->successes > asked_at)
			return false;
		breaker->opened_ns = now_ns;
		breaker->wait_ns = FIRST_WAIT_NS;
	} else if (breaker->state == OE__BREAKER_OPEN || asked_ns <= breaker->opened_ns) {
		return true; /* one more of those that were out when it opened, and no probe */
	}
	breaker->state = OE__BREAKER_OPEN;
	breaker->probe_ns = now_ns + breaker->wait_ns;
	breaker->wait_ns = breaker->wait_ns < WAIT_MAX_NS / 2 ? breaker->wait_ns * 2 : WAIT_MAX_NS;
	return true;
}

bool oe__breaker_admit(struct oe__breaker *breaker, int64_t now_ns)
{
	if (breaker->state == OE__BREAKER_CLOSED)
		return true;
	if (breaker->state == OE__BREAKER_PROBING || now_ns < breaker->probe_ns)
		return false;
	breaker->state = OE__BREAKER_PROBING;
	return true;
}

void oe__breaker_withdraw(struct oe__breaker *breaker)
{
	if (breaker->state == OE__BREAKER_PROBING)
		breaker->state = OE__BREAKER_OPEN;
}

bool oe__breaker_gives_up(const struct oe__breaker *breaker, int64_t now_ns)
{
	return breaker->state != OE__BREAKER_CLOSED &&
	       now_ns - breaker->opened_ns >= breaker->give_up_ns;
}

int64_t oe__breaker_end(const struct oe__breaker *breaker)
{
	return breaker->state == OE__BREAKER_CLOSED ? INT64_MAX
	                                            : breaker->opened_ns + breaker->give_up_ns;
}

int64_t oe__breaker_delay(const struct oe__breaker *breaker, int64_t wanted_ns)
{
	if (breaker->state == OE__BREAKER_CLOSED)
		return wanted_ns;
	if (breaker->state == OE__BREAKER_PROBING)
		return INT64_MAX;
	return wanted_ns > breaker->probe_ns ? wanted_ns : breaker->probe_ns;
}
