/* SIGINT and SIGTERM for a command that follows what comes in until somebody ends it: the first one is only
 * noted, so that what was made so far can be finished; the second ends the program at once, as
 * always. */
#ifndef SYS_INTERRUPT_H
#define SYS_INTERRUPT_H

#include <stdbool.h>

/* From now on, for the whole program. A signal that is ignored stays so. */
void interrupt_catch(void);
/* Never before interrupt_catch(). */
bool interrupt_came(void);
/* Waits until `fd` has something to read, or has ended. False: it was interrupted, now or before. */
bool interrupt_wait(int fd);

#endif
