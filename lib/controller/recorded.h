#ifndef OE__CONTROLLER_RECORDED_H
#define OE__CONTROLLER_RECORDED_H

/* The configuration of a run, as its database has it. */

#include "openevolve/config.h"
#include "store/database.h"

/* OE_ERR_FORMAT: it is missing, or damaged. */
int oe__recorded_config(struct oe__database *database, oe_config **out, oe_error *err);

/* From its text. OE_ERR_FORMAT, with the line that is wrong. */
int oe__recorded_config_read(const char *text, oe_config **out, oe_error *err);

#endif /* OE__CONTROLLER_RECORDED_H */
