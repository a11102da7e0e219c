#ifndef OE__SANDBOX_LEVELS_H
#define OE__SANDBOX_LEVELS_H

/* From what the self-test found to what is promised. */

#include "sandbox/protocol.h"
#include "sandbox/report.h"

/* Fill in a report. `policy` says what is asked for. */
void oe__levels_set(struct oe__sandbox_report *report, const oe_sandbox_policy *policy,
                    const struct oe__findings *findings);

/* With nothing confined: what deadlines and limits still give. */
void oe__levels_unconfined(struct oe__sandbox_report *report, const oe_sandbox_policy *policy);

/* What a step was to do, for messages: "make the namespaces". */
const char *oe__step_name(uint32_t step);

#endif /* OE__SANDBOX_LEVELS_H */
