#ifndef OE__HUB_FORMS_H
#define OE__HUB_FORMS_H

/*
 * Programs by their form (program/form.h). Those of one form are a chain, in the order in which they were
 * added. The links are part of what is found. Owner thread.
 */

#include <stdint.h>

#include "base/map.h"

struct oe__form_link {
	uint64_t form; /* 0: it is in no chain */
	struct oe__form_link *next;
	struct oe__form_link *before; /* of the first: the last */
};

struct oe__forms {
	struct oe__map chains; /* form to its first link */
};

/* A form of 0 is that of nothing: it is not added. Without memory it is not found. */
void oe__forms_add(struct oe__forms *forms, struct oe__form_link *link, uint64_t form);
void oe__forms_remove(struct oe__forms *forms, struct oe__form_link *link);
struct oe__form_link *oe__forms_first(const struct oe__forms *forms, uint64_t form);
void oe__forms_done(struct oe__forms *forms);

#endif /* OE__HUB_FORMS_H */
