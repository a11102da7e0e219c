#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

/*
 * Signals of a running evolution. The handlers do nothing but call oe_controller_stop(), which is
 * made for it, and count: the third Ctrl-C works even if everything else hangs.
 */

#include <stdbool.h>

#include "openevolve/openevolve.h"

/* From now on SIGUSR1 and SIGUSR2 are kept for the run that is about to begin: opening it may take its time,
   and who asks for a checkpoint does not want to end it. */
void signals_expect(void);

/* From now on the first SIGINT, SIGTERM or SIGHUP is OE_STOP_CANCEL, the second OE_STOP_KILL, the
   third _exit(). One controller at a time. */
void signals_begin(oe_controller *controller);

/* Handlers stay, but the controller is forgotten: call before it is freed. */
void signals_end(void);

/* How many stops were asked for, and the signal that came first; 0 if none. */
int signals_stops(void);
int signals_first(void);

/* True once after SIGUSR1: a checkpoint is wanted. */
bool signals_checkpoint(void);

/* True once after SIGUSR2: somebody wants to know how it stands. */
bool signals_status(void);

/* True once after the process was stopped and continued: the screen is not as it was. */
bool signals_continued(void);

/* Terminal whose cursor is hidden and must be shown again, however this process ends; -1: none. */
void signals_keep_cursor(int fd);

#endif /* CLI_SIGNALS_H */
