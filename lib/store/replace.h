#ifndef OE__STORE_REPLACE_H
#define OE__STORE_REPLACE_H

/* What a new checkpoint may take the place of: nothing that would be missed. */

#include "openevolve/common.h"

/*
 * May a checkpoint be written to `final`, whatever is there now? If it is another checkpoint, nothing but
 * that, and none that a run began with; an empty directory; or nothing. `run` is the directory of the run
 * that it is written of, which must not be in there; or NULL.
 *
 * OE_ERR_INVALID: something else is there, and the error says what. OE_ERR_STATE: a run is in the way.
 */
int oe__checkpoint_may_replace(const char *final, const char *run, oe_error *err);

#endif /* OE__STORE_REPLACE_H */
