/* Which programs are there already, by the look of them: what the run knows of that is held against it. */

#include <string.h>

#include "books.h"
#include "controller/controller_internal.h"
#include "hub/hub_internal.h"
#include "script.h"
#include "world.h"

struct likeness {
	bool same, equivalent; /* to the byte; but for remarks and white space */
};

static void compare(const oe_program *there, const oe_program *program, uint64_t form,
                    struct likeness *found)
{
	found->same |= memcmp(there->source->hash, program->source->hash, OE__SHA256_SIZE) == 0;
	found->equivalent |= script_form(there->source->text) == form;
}

/* In 'ordered' those count that were there when the sample was drawn. */
static struct likeness look(const oe_hub *hub, const oe_iteration *iteration,
                            const oe_program *program)
{
	bool ordered = hub->settings.semantics == OE__SEMANTICS_ORDERED;
	int64_t view = ordered ? oe__ordered_view(hub, iteration->number) : INT64_MAX;
	uint64_t form = script_form(program->source->text);
	struct likeness found = { false, false };

	for (const struct oe__member *member = hub->oldest; member; member = member->newer)
		if (member->joined <= view)
			compare(member->program, program, form, &found);
	const struct oe__departure *gone = ordered ? hub->ordered.departed.oldest : NULL;
	for (; gone; gone = gone->next)
		if (gone->joined <= view && view < gone->left)
			compare(gone->program, program, form, &found);
	return found;
}

/* It is about to be evaluated. */
void __real_oe__controller_enqueue(oe_controller *controller, struct oe__flight *flight);
void __wrap_oe__controller_enqueue(oe_controller *controller, struct oe__flight *flight);
void __wrap_oe__controller_enqueue(oe_controller *controller, struct oe__flight *flight)
{
	const struct oe__job *job = &flight->job;

	if (!world.dead && job->iteration && flight->repeats == 0) {
		struct likeness found = look(controller->hub, job->iteration, job->candidate);
		if (found.same || (found.equivalent && books.tokens))
			violated("number %lld is evaluated, and %s program is there",
			         (long long)job->iteration->number, found.same ? "the same" : "an equivalent");
	}
	__real_oe__controller_enqueue(controller, flight);
}

/* It is not, as another one is there. */
void __real_oe__job_fail(struct oe__job *job, int outcome, const char *message);
void __wrap_oe__job_fail(struct oe__job *job, int outcome, const char *message);
void __wrap_oe__job_fail(struct oe__job *job, int outcome, const char *message)
{
	const struct oe__flight *flight = OE__CONTAINER(job, struct oe__flight, job);
	bool equivalent = outcome == OE_OUTCOME_EQUIVALENT;

	if (!world.dead && (equivalent || outcome == OE_OUTCOME_DUPLICATE)) {
		struct likeness found = look(flight->controller->hub, job->iteration, job->candidate);
		if (equivalent ? found.same || !found.equivalent || !books.tokens : !found.same)
			violated("number %lld is said to be %s", (long long)job->iteration->number,
			         oe_outcome_name(outcome));
	}
	__real_oe__job_fail(job, outcome, message);
}
