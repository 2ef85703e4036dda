#include "source/origins/geo.h"

#include "base/mem.h"
#include "sys/sockaddr.h"

#include <maxminddb.h>
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

static bool record_has_country(uint8_t type, MMDB_entry_s entry)
{
    return type == MMDB_RECORD_TYPE_DATA && country_of(entry).code[0];
}

/* Looks at the first of its networks. Nodes hold two records each, of which each leads on to
 * another node or to data. */
static bool has_countries(const MMDB_s *mmdb)
{
    enum { NODES_MAX = 20000, DEPTH = 256 };
    uint32_t waiting[DEPTH] = {0};
    size_t count = 1;
    for (size_t visited = 0; count && visited < NODES_MAX; visited++) {
        MMDB_search_node_s node;
        if (MMDB_read_node(mmdb, waiting[--count], &node) != MMDB_SUCCESS)
            continue;
        if (record_has_country(node.left_record_type, node.left_record_entry) ||
            record_has_country(node.right_record_type, node.right_record_entry))
            return true;
        if (node.right_record_type == MMDB_RECORD_TYPE_SEARCH_NODE && count < DEPTH)
            waiting[count++] = (uint32_t)node.right_record;
        if (node.left_record_type == MMDB_RECORD_TYPE_SEARCH_NODE && count < DEPTH)
            waiting[count++] = (uint32_t)node.left_record;
    }
    return false;
}

enum err geo_open(const char *path, struct geo **out, struct why *why)
{
    struct geo *geo = mem_new(1, sizeof *geo);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &geo->mmdb);
    if (status != MMDB_SUCCESS) {
        free(geo);
        return why_set(why, ERR_INPUT,
                       "%.300s: is neither a registry's delegated file nor a MaxMind database: %s",
                       path, MMDB_strerror(status));
    }
    if (!has_countries(&geo->mmdb)) {
        why_set(why, ERR_INPUT,
                "%.300s: this database (%.60s) does not say countries; give one that does, like "
                "GeoLite2-Country",
                path, geo->mmdb.metadata.database_type);
        geo_free(geo);
        return ERR_INPUT;
    }
    *out = geo;
    return ERR_OK;
}

void geo_free(struct geo *geo)
{
    if (!geo)
        return;
    MMDB_close(&geo->mmdb);
    free(geo);
}

/* In a database of both families, IPv4 lies at ::/96. */
static unsigned bits_of(const MMDB_s *mmdb, const struct addr *addr, unsigned netmask)
{
    unsigned above = addr->family == 4 && mmdb->metadata.ip_version == 6 ? 96 : 0;
    return netmask > above ? netmask - above : 0;
}

struct country geo_find(const struct geo *geo, const struct addr *addr, unsigned *bits)
{
    struct sockaddr_storage wanted;
    int status;
    sockaddr_from(addr, 0, &wanted);
    MMDB_lookup_result_s result =
        MMDB_lookup_sockaddr(&geo->mmdb, (struct sockaddr *)&wanted, &status);
    if (bits)
        *bits = bits_of(&geo->mmdb, addr, result.netmask);
    return status == MMDB_SUCCESS && result.found_entry ? country_of(result.entry) : country_none();
}
