/* What --rpki names, as a table: a validator's file, or a validator that is asked by RTR, once, for the
 * table that it has now. */
#ifndef APP_RPKI_SOURCE_H
#define APP_RPKI_SOURCE_H

#include "source/origins/rpki.h"

#define RPKI_RTR "rtr:" /* before HOST, HOST:PORT or [ADDRESS]:PORT */
/* A full table comes within seconds; a validator that has just started may have none for longer. */
#define RPKI_PATIENCE_NS (60 * NS_PER_S)

struct rpki_source;

/* NULL, with why, if there is no such file or no table came in time; what went wrong on the way is told. */
struct rpki_source *rpki_source_open(const char *text, struct stream_faults *faults,
                                     struct why *why);
void rpki_source_close(struct rpki_source *source);
const struct rpki *rpki_source_rpki(const struct rpki_source *source);
/* When the validator said so; 0 if its file does not tell. */
struct utc rpki_source_made(const struct rpki_source *source);

#endif
