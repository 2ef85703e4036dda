/* The two forms of a validator's file, each read into a table of VRPs. For rpki.c; and for tests,
 * which give bytes. */
#ifndef SOURCE_ORIGINS_RPKI_READ_H
#define SOURCE_ORIGINS_RPKI_READ_H

#include "base/utc.h"
#include "source/origins/text.h"
#include "source/origins/vrps.h"

/* What an entry says, as text: views. */
struct rpki_entry {
    struct reader asn;      /* "AS64500" or "64500" */
    struct reader prefix;   /* "192.0.2.0/24" */
    struct reader max_bits; /* "24"; empty: not said */
};

/* Adds what the entry number `number` of the text says, or reports what is wrong with it. False if
 * the table is full. */
bool rpki_entry_add(struct text *text, uint64_t number, const struct rpki_entry *entry,
                    struct vrps *vrps);

/* The text must not have been read from, only peeked into. *made: when it was written, if it says
 * so. The table is not sealed. */
enum err rpki_read(struct text *text, struct vrps *vrps, struct utc *made, struct why *why);
enum err rpki_json_read(struct text *text, struct vrps *vrps, struct utc *made, struct why *why);
enum err rpki_csv_read(struct text *text, struct vrps *vrps, struct why *why);

#endif
