#ifndef OE__SANDBOX_RUN_H
#define OE__SANDBOX_RUN_H

/* What other layers add to the sandbox for tools. */

#include "openevolve/sandbox.h"

/* Add to what its report says about a guarantee. Pointers that its JSON was lent by are stale after. */
int oe__sandbox_remark(oe_sandbox *sandbox, enum oe_guarantee guarantee, const char *text);

#endif /* OE__SANDBOX_RUN_H */
