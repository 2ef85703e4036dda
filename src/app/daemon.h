/* `lastlight run`: probes on the event loop of this thread, and writes and judges on a second one.
 */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "app/config/config.h"

/* Runs until it is told to stop. Takes over the configuration, which SIGHUP replaces. `journal`
 * overrules the configuration's, NULL: it does not. Returns the exit status. */
int daemon_run(struct config *config, const char *journal);

#endif
