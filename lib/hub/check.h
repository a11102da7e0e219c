#ifndef OE__HUB_CHECK_H
#define OE__HUB_CHECK_H

/* For the invariants of a hub, which are many. */

#include "hub/hub_internal.h"

#define HOLD(condition, sentence)                                                                  \
	do {                                                                                           \
		if (!(condition))                                                                          \
			return sentence;                                                                       \
	} while (0)

/* Those of iterations that end in turn. */
const char *oe__hub_check_turns(const oe_hub *hub);

#endif /* OE__HUB_CHECK_H */
