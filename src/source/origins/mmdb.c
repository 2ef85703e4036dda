#include "source/origins/mmdb.h"

#include "sys/sockaddr.h"

/* Looks at the first of its networks. Nodes hold two records each, of which each leads on to
 * another node or to data. */
static bool says(const MMDB_s *mmdb, const struct mmdb_kind *kind)
{
    enum { NODES_MAX = 20000, DEPTH = 256 };
    uint32_t waiting[DEPTH] = {0};
    size_t count = 1;
    for (size_t visited = 0; count && visited < NODES_MAX; visited++) {
        MMDB_search_node_s node;
        if (MMDB_read_node(mmdb, waiting[--count], &node) != MMDB_SUCCESS)
            continue;
        if ((node.left_record_type == MMDB_RECORD_TYPE_DATA &&
             kind->says(node.left_record_entry)) ||
            (node.right_record_type == MMDB_RECORD_TYPE_DATA &&
             kind->says(node.right_record_entry)))
            return true;
        if (node.right_record_type == MMDB_RECORD_TYPE_SEARCH_NODE && count < DEPTH)
            waiting[count++] = (uint32_t)node.right_record;
        if (node.left_record_type == MMDB_RECORD_TYPE_SEARCH_NODE && count < DEPTH)
            waiting[count++] = (uint32_t)node.left_record;
    }
    return false;
}

enum err mmdb_open(const char *path, const struct mmdb_kind *kind, MMDB_s *out, struct why *why)
{
    int status = MMDB_open(path, MMDB_MODE_MMAP, out);
    if (status != MMDB_SUCCESS)
        return why_set(why, ERR_INPUT, "%.300s: %s: %s", path, kind->no_file,
                       MMDB_strerror(status));
    if (says(out, kind))
        return ERR_OK;
    why_set(why, ERR_INPUT, "%.300s: this database (%.60s) %s", path, out->metadata.database_type,
            kind->no_kind);
    MMDB_close(out);
    return ERR_INPUT;
}

/* In a database of both families, IPv4 lies at ::/96. */
static unsigned bits_of(const MMDB_s *mmdb, const struct addr *addr, unsigned netmask)
{
    unsigned above = addr->family == 4 && mmdb->metadata.ip_version == 6 ? 96 : 0;
    return netmask > above ? netmask - above : 0;
}

bool mmdb_find(const MMDB_s *mmdb, const struct addr *addr, MMDB_entry_s *out, unsigned *bits)
{
    struct sockaddr_storage wanted;
    int status;
    sockaddr_from(addr, 0, &wanted);
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(mmdb, (struct sockaddr *)&wanted, &status);
    *out = result.entry;
    if (bits)
        *bits = bits_of(mmdb, addr, result.netmask);
    return status == MMDB_SUCCESS && result.found_entry;
}
