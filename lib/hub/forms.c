#include "hub/forms.h"

#include <assert.h>
#include <stddef.h>

struct oe__form_link *oe__forms_first(const struct oe__forms *forms, uint64_t form)
{
	return form ? oe__map_get(&forms->chains, &form, sizeof(form)) : NULL;
}

void oe__forms_add(struct oe__forms *forms, struct oe__form_link *link, uint64_t form)
{
	struct oe__form_link *first = oe__forms_first(forms, form);

	*link = (struct oe__form_link){ .before = link };
	if (form == 0)
		return;
	if (first) {
		link->before = first->before;
		link->before->next = link;
		first->before = link;
	} else if (oe__map_put(&forms->chains, &form, sizeof(form), link) < 0) {
		return;
	}
	link->form = form;
}

void oe__forms_remove(struct oe__forms *forms, struct oe__form_link *link)
{
	uint64_t form = link->form;
	struct oe__form_link *first = oe__forms_first(forms, form);

	if (!first)
		return;
	if (link != first) {
		link->before->next = link->next;
		(link->next ? link->next : first)->before = link->before;
	} else if (link->next) {
		link->next->before = link->before;
		/* The key is there: replacing its value cannot fail. */
		int status = oe__map_put(&forms->chains, &form, sizeof(form), link->next);
		assert(status == 0);
		(void)status;
	} else {
		oe__map_remove(&forms->chains, &form, sizeof(form));
	}
	*link = (struct oe__form_link){ 0 };
}

void oe__forms_done(struct oe__forms *forms)
{
	oe__map_done(&forms->chains);
}
