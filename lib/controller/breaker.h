#ifndef OE__CONTROLLER_BREAKER_H
#define OE__CONTROLLER_BREAKER_H

/*
 * The circuit breaker before the LLM: while the provider is down nothing is asked but one probe at
 * a time, further and further apart. A pure state machine; the caller brings the time.
 * (Nygard: Release It!, 2007, "Circuit Breaker".)
 */

#include <stdbool.h>
#include <stdint.h>

enum oe__breaker_state {
	OE__BREAKER_CLOSED, /* all is well                          */
	OE__BREAKER_OPEN,   /* down: wait until `probe_ns`          */
	OE__BREAKER_PROBING /* one question is out to find out more */
};

struct oe__breaker {
	enum oe__breaker_state state;
	int64_t give_up_ns;   /* stay down for so long: the run stops */
	int64_t opened_ns;    /* since when it is down                */
	int64_t probe_ns;     /* when the next probe may go           */
	int64_t wait_ns;      /* until the probe after it             */
	int64_t successes;    /* ever                                 */
};

void oe__breaker_init(struct oe__breaker *breaker, int64_t give_up_ns);

/* An answer came: closed. @return true if it was not before. */
bool oe__breaker_success(struct oe__breaker *breaker);

/* A question asked after `asked_at` successes, at `asked_ns`, failed for a reason that concerns the
   provider. @return true if the provider counts as down: the question must wait. False if others were
   answered meanwhile: it is this question that fails. */
bool oe__breaker_failure(struct oe__breaker *breaker, int64_t asked_at, int64_t asked_ns,
                         int64_t now_ns);

/* May a question go out now? Takes the probe's place if one is due. */
bool oe__breaker_admit(struct oe__breaker *breaker, int64_t now_ns);

/* The probe was withdrawn without an answer. */
void oe__breaker_withdraw(struct oe__breaker *breaker);

bool oe__breaker_gives_up(const struct oe__breaker *breaker, int64_t now_ns);

/* When it gives up, if it stays down; INT64_MAX while it is not. */
int64_t oe__breaker_end(const struct oe__breaker *breaker);

/* When a question may go out that could go at `wanted_ns` for all others; INT64_MAX: time alone does
   not help. */
int64_t oe__breaker_delay(const struct oe__breaker *breaker, int64_t wanted_ns);

#endif /* OE__CONTROLLER_BREAKER_H */
