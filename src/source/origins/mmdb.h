/* A file in MaxMind's format (MMDB, version 2) that says what it is wanted for. Read by libmaxminddb, which maps it.
 * For geo.c and asn_db.c. */
#ifndef SOURCE_ORIGINS_MMDB_H
#define SOURCE_ORIGINS_MMDB_H

#include "base/addr.h"
#include "base/err.h"

#include <maxminddb.h>

struct mmdb_kind {
    bool (*says)(MMDB_entry_s entry); /* whether an entry holds what is wanted */
    const char *no_file;              /* "is no MaxMind database": what is told of other files */
    const char *no_kind;              /* "does not say countries; give one that does, like ..." */
};

/* A file that is no such database, or of which the first networks do not say it, is refused. */
enum err mmdb_open(const char *path, const struct mmdb_kind *kind, MMDB_s *out, struct why *why);

/* False if it knows nothing of the address. *bits (may be NULL): of the prefix of which it says so. */
bool mmdb_find(const MMDB_s *mmdb, const struct addr *addr, MMDB_entry_s *out, unsigned *bits);

#endif
