#include "source/origins/asn_db.h"

#include "base/mem.h"
#include "source/origins/mmdb.h"

#include <stdlib.h>

struct asn_db {
    MMDB_s mmdb;
};

static uint32_t asn_of(MMDB_entry_s entry)
{
    static const char *const path[] = {"autonomous_system_number", NULL};
    MMDB_entry_data_s found;
    if (MMDB_aget_value(&entry, &found, path) != MMDB_SUCCESS || !found.has_data)
        return 0;
    return found.type == MMDB_DATA_TYPE_UINT32   ? found.uint32
           : found.type == MMDB_DATA_TYPE_UINT16 ? found.uint16
                                                 : 0;
}

static bool says_asn(MMDB_entry_s entry)
{
    return asn_of(entry) != 0;
}

enum err asn_db_open(const char *path, struct asn_db **out, struct why *why)
{
    static const struct mmdb_kind kind = {
        says_asn, "is no MaxMind database",
        "does not say AS numbers; give one that does, like GeoLite2-ASN"};
    struct asn_db *db = mem_new(1, sizeof *db);
    enum err err = mmdb_open(path, &kind, &db->mmdb, why);
    if (err)
        free(db);
    else
        *out = db;
    return err;
}

void asn_db_free(struct asn_db *db)
{
    if (!db)
        return;
    MMDB_close(&db->mmdb);
    free(db);
}

uint32_t asn_db_find(const struct asn_db *db, const struct addr *addr)
{
    MMDB_entry_s entry;
    return mmdb_find(&db->mmdb, addr, &entry, NULL) ? asn_of(entry) : 0;
}
