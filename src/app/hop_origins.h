/* Of which AS the routers on a way are, for traces: by the database that the configuration or the command line
 * names, if one does. */
#ifndef APP_HOP_ORIGINS_H
#define APP_HOP_ORIGINS_H

#include "source/origins/asn_db.h"
#include "source/probe/origin_finder.h"

/* Zeroed: nobody knows. Must stay where it is while a prober has its finder. */
struct hop_origins {
    struct asn_db *db;
};

/* In place of what was open before, which stays if the new one cannot be used. `path` NULL: nobody knows. */
enum err hop_origins_open(struct hop_origins *origins, const char *path, struct why *why);
void hop_origins_done(struct hop_origins *origins);
struct origin_finder hop_origins_finder(struct hop_origins *origins);

#endif
