#include "app/hop_origins.h"

#include <stddef.h>

enum err hop_origins_open(struct hop_origins *origins, const char *path, struct why *why)
{
    struct asn_db *db = NULL;
    enum err err = path ? asn_db_open(path, &db, why) : ERR_OK;
    if (err)
        return err;
    asn_db_free(origins->db);
    origins->db = db;
    return ERR_OK;
}

void hop_origins_done(struct hop_origins *origins)
{
    asn_db_free(origins->db);
    origins->db = NULL;
}

static uint32_t find(void *context, const struct addr *addr)
{
    const struct hop_origins *origins = context;
    return origins->db ? asn_db_find(origins->db, addr) : 0;
}

struct origin_finder hop_origins_finder(struct hop_origins *origins)
{
    return (struct origin_finder){find, origins};
}
