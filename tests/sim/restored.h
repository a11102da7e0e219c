#ifndef OE_TESTS_SIM_RESTORED_H
#define OE_TESTS_SIM_RESTORED_H

/* A run that begins with a checkpoint has what that has. */

#include <stdbool.h>

#include "openevolve/hub.h"
#include "openevolve/population.h"

/* `same`: with islands, cells and an archive of the same kind. */
void restored_check(oe_hub *hub, const oe_population *from, bool same);

#endif /* OE_TESTS_SIM_RESTORED_H */
