#ifndef OE_TESTS_SIM_FINGERPRINT_H
#define OE_TESTS_SIM_FINGERPRINT_H

/* One number that two hubs share if they will decide alike: everything that their decisions depend on,
   and nothing of where it lies in memory. */

#include <stdint.h>

#include "openevolve/hub.h"

uint64_t fingerprint(const oe_hub *hub);

#endif /* OE_TESTS_SIM_FINGERPRINT_H */
