#ifndef CLI_STARTER_H
#define CLI_STARTER_H

/* The files that `oe init` writes, embedded from starter/. */
extern const char starter_initial_program_py[], starter_evaluator_py[], starter_config_yaml[];

#endif /* CLI_STARTER_H */
