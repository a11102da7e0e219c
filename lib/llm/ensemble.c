/*
 * An ensemble: a member is drawn by weight from the request's own stream, so the choice does not
 * depend on what else is under way. It is an oe_llm like any other, and passes the answer on.
 */

#include "llm/ensemble.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "llm/relay.h"

struct ensemble {
	struct member {
		oe_llm *llm;
		double weight;
	} *members;
	size_t count, capacity;
	double total;
};

static oe_llm *draw(const struct ensemble *ensemble, struct oe__rng *rng)
{
	double at = oe__rng_real(rng) * ensemble->total, sum = 0;
	size_t i = 0;

	/* Added up as the total was, so the last sum is the total, which `at` is below. */
	for (; i + 1 < ensemble->count; i++) {
		sum += ensemble->members[i].weight;
		if (at < sum)
			break;
	}
	return ensemble->members[i].llm;
}

static void answered(struct oe__relay *relay)
{
	oe__relay_pass(relay);
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
                 oe_error *err)
{
	struct ensemble *ensemble = self;
	oe_llm_request passed = *request;
	struct oe__rng rng;

	if (ensemble->count == 0 || !(ensemble->total > 0))
		return oe__error(err, OE_ERR_LLM, "the ensemble has no member with a weight");
	oe__rng_init(&rng, request->seed, "ensemble", 0, 0);
	oe_llm *member = draw(ensemble, &rng);
	/* A stream of its own: an ensemble in an ensemble must not draw the same number again. */
	passed.seed = oe__rng_next(&rng);
	return oe__relay_begin(member, &passed, completion, answered, NULL, err);
}

static void ensemble_free(void *self)
{
	struct ensemble *ensemble = self;

	for (size_t i = 0; i < ensemble->count; i++)
		oe_llm_unref(ensemble->members[i].llm);
	oe__free(ensemble->members);
	oe__free(ensemble);
}

static const oe_llm_vtable ensemble_vtable = {
	.struct_size = sizeof(oe_llm_vtable),
	.name = "ensemble",
	.start = start,
	.cancel = oe__relay_cancel,
	.free = ensemble_free,
};

int oe_llm_ensemble_new(oe_llm **out)
{
	struct ensemble *ensemble = oe__calloc(1, sizeof(*ensemble));
	if (!ensemble)
		return OE_ERR_NOMEM;
	int status = oe__llm_new(&ensemble_vtable, ensemble, out);
	if (status < 0)
		oe__free(ensemble);
	else
		oe__llm_set_unmetered(*out);
	return status;
}

int oe_llm_ensemble_add(oe_llm *llm, oe_llm *member, double weight)
{
	struct ensemble *ensemble = llm ? oe__llm_self(llm, &ensemble_vtable) : NULL;

	if (!ensemble || !member || member == llm || !(weight >= 0) ||
	    !isfinite(ensemble->total + weight))
		return OE_ERR_INVALID;
	void *members = ensemble->members;
	int status = oe__grow(&members, &ensemble->capacity, ensemble->count + 1,
	                      sizeof(*ensemble->members));
	ensemble->members = members;
	if (status < 0)
		return status;
	ensemble->members[ensemble->count++] =
		(struct member){ .llm = oe_llm_ref(member), .weight = weight };
	ensemble->total += weight;
	return 0;
}

oe_llm *oe__ensemble_member(oe_llm *llm, size_t index, double *share)
{
	const struct ensemble *ensemble = oe__llm_self(llm, &ensemble_vtable);

	*share = 1;
	if (!ensemble)
		return index == 0 ? llm : NULL;
	if (index >= ensemble->count)
		return NULL;
	*share = ensemble->total > 0 ? ensemble->members[index].weight / ensemble->total : 0;
	return ensemble->members[index].llm;
}
