/* Which input is this? A replay that was cut off goes on where it was, and one that is complete is
 * not done twice: so the journal must recognise the same input when it comes again, wherever the
 * files lie by then. */
#ifndef APP_IDENTITY_H
#define APP_IDENTITY_H

#include "app/config/config.h"
#include "base/buffer.h"
#include "model/subject.h"
#include "source/replay.h"

/* Adds "replay NAME #HASH" over the names, sizes and beginnings of all files, also of those that say whose
 * country is which where the whole table is kept, and over what is watched. Adds nothing if there is standard input
 * among the paths: it cannot be known again. */
enum err identity_of_replay(const struct replay_options *options,
                            const struct subject_spec *subjects, size_t subject_count,
                            const struct table_config *table, struct buffer *out, struct why *why);

#endif
