#ifndef CLI_REPORT_H
#define CLI_REPORT_H

/* Things that several commands print for people, on standard output. */

#include "openevolve/openevolve.h"

/* Verdict, metrics, artifacts, timings. */
void report_evaluation(const oe_evaluation *evaluation);

/* The models that a configuration resolves to. Returns an exit status. */
int report_models(oe_config *config);

#endif /* CLI_REPORT_H */
