#include "source/origins/geo.h"

#include "base/mem.h"
#include "source/origins/mmdb.h"

#include <stdlib.h>

struct geo {
    MMDB_s mmdb;
};

/* In the order in which they are asked for: where it is used, else where its holder is
 * registered. */
static const char *const country_paths[][3] = {{"country", "iso_code", NULL},
                                               {"registered_country", "iso_code", NULL}};
enum { COUNTRY_PATHS = sizeof country_paths / sizeof *country_paths };

static struct country country_of(MMDB_entry_s entry)
{
    struct country country = country_none();
    for (size_t i = 0; i < COUNTRY_PATHS && !country.code[0]; i++) {
        MMDB_entry_data_s found;
        if (MMDB_aget_value(&entry, &found, country_paths[i]) == MMDB_SUCCESS && found.has_data &&
            found.type == MMDB_DATA_TYPE_UTF8_STRING)
            country_read(found.utf8_string, found.data_size, &country);
    }
    return country;
}

static bool says_country(MMDB_entry_s entry)
{
    return country_of(entry).code[0];
}

enum err geo_open(const char *path, struct geo **out, struct why *why)
{
    static const struct mmdb_kind kind = {
        says_country, "is neither a registry's delegated file nor a MaxMind database",
        "does not say countries; give one that does, like GeoLite2-Country"};
    struct geo *geo = mem_new(1, sizeof *geo);
    enum err err = mmdb_open(path, &kind, &geo->mmdb, why);
    if (err)
        free(geo);
    else
        *out = geo;
    return err;
}

void geo_free(struct geo *geo)
{
    if (!geo)
        return;
    MMDB_close(&geo->mmdb);
    free(geo);
}

struct country geo_find(const struct geo *geo, const struct addr *addr, unsigned *bits)
{
    MMDB_entry_s entry;
    return mmdb_find(&geo->mmdb, addr, &entry, bits) ? country_of(entry) : country_none();
}
