/*
 * Programs that are the same but for comments and white space: oe_hub_find_equivalent().
 *
 * To tell the form of a program takes a while, and most members are never compared with anything: those of
 * a run that is played again come by the ten thousand. So they are entered, in the order in which they
 * joined, when somebody asks.
 */

#include "hub/hub_internal.h"
#include "program/form.h"

static struct oe__member *member_of(struct oe__form_link *link)
{
	return OE__CONTAINER(link, struct oe__member, form);
}

void oe__hub_tell_forms(oe_hub *hub)
{
	struct oe__member *member = hub->form_newest ? hub->form_newest->newer : hub->oldest;

	for (; member; member = member->newer) {
		oe__forms_add(&hub->forms, &member->form, oe__form(member->program));
		hub->form_newest = member;
	}
}

void oe__hub_forget_form(oe_hub *hub, struct oe__member *member)
{
	if (hub->form_newest == member)
		hub->form_newest = member->older;
	oe__forms_remove(&hub->forms, &member->form);
}

oe_program *oe_hub_find_equivalent(oe_hub *hub, const oe_iteration *iteration,
								   const oe_program *program)
{
	uint64_t form = hub && program ? oe__form(program) : 0;
	bool in_order = form && iteration && hub->settings.semantics == OE__SEMANTICS_ORDERED;
	int64_t view = in_order ? oe__ordered_view(hub, iteration->number) : INT64_MAX;

	if (form == 0)
		return NULL;
	oe__hub_tell_forms(hub);
	for (struct oe__form_link *link = oe__forms_first(&hub->forms, form); link; link = link->next) {
		const struct oe__member *member = member_of(link);
		if (member->joined <= view && oe__form_same(member->program, program))
			return member->program;
	}
	return in_order ? oe__departed_find_equivalent(&hub->ordered.departed, program, view) : NULL;
}
