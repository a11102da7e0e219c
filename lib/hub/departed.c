/*
 * Programs that left a short while ago. See departed.h.
 */

#include "hub/departed.h"

#include "base/alloc.h"
#include "program/form.h"

static const uint8_t *hash_of(const struct oe__departure *departure)
{
	return departure->program->source->hash;
}

void oe__departed_add(struct oe__departed *departed, oe_program *program, int64_t joined,
					  int64_t left)
{
	struct oe__departure *departure = joined < left ? oe__calloc(1, sizeof(*departure)) : NULL;

	if (!departure)
		return;
	*departure = (struct oe__departure){ .program = program, .joined = joined, .left = left };
	departure->earlier = oe__map_get(&departed->contents, hash_of(departure), OE__SHA256_SIZE);
	if (oe__map_put(&departed->contents, hash_of(departure), OE__SHA256_SIZE, departure) < 0) {
		oe__free(departure);
		return;
	}
	oe_program_ref(program);
	if (departure->earlier)
		departure->earlier->later = departure;
	*(departed->newest ? &departed->newest->next : &departed->oldest) = departure;
	departed->newest = departure;
}

oe_program *oe__departed_find(const struct oe__departed *departed,
							  const uint8_t hash[OE__SHA256_SIZE], int64_t when)
{
	const struct oe__departure *departure =
		oe__map_get(&departed->contents, hash, OE__SHA256_SIZE);

	for (; departure; departure = departure->earlier)
		if (departure->joined <= when && when < departure->left)
			return departure->program;
	return NULL;
}

static void enter_forms(struct oe__departed *departed)
{
	struct oe__departure *departure =
		departed->form_newest ? departed->form_newest->next : departed->oldest;

	for (; departure; departure = departure->next) {
		oe__forms_add(&departed->forms, &departure->form, oe__form(departure->program));
		departed->form_newest = departure;
	}
}

oe_program *oe__departed_find_equivalent(struct oe__departed *departed, const oe_program *program,
										 int64_t when)
{
	enter_forms(departed);
	struct oe__form_link *link = oe__forms_first(&departed->forms, oe__form(program));
	for (; link; link = link->next) {
		const struct oe__departure *departure =
			OE__CONTAINER(link, struct oe__departure, form);
		if (departure->joined <= when && when < departure->left &&
			oe__form_same(departure->program, program))
			return departure->program;
	}
	return NULL;
}

/* The oldest of all is the earliest of its content. */
static void forget_oldest(struct oe__departed *departed)
{
	struct oe__departure *departure = departed->oldest;

	departed->oldest = departure->next;
	if (!departed->oldest)
		departed->newest = NULL;
	if (departed->form_newest == departure)
		departed->form_newest = NULL;
	oe__forms_remove(&departed->forms, &departure->form);
	if (departure->later)
		departure->later->earlier = NULL;
	else
		oe__map_remove(&departed->contents, hash_of(departure), OE__SHA256_SIZE);
	oe_program_unref(departure->program);
	oe__free(departure);
}

void oe__departed_forget(struct oe__departed *departed, int64_t when)
{
	while (departed->oldest && departed->oldest->left <= when)
		forget_oldest(departed);
}

void oe__departed_done(struct oe__departed *departed)
{
	oe__departed_forget(departed, INT64_MAX);
	oe__map_done(&departed->contents);
	oe__forms_done(&departed->forms);
}
