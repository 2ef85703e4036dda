/* Where routes come from: archives (config_archives.c), and those who tell them live. */
#include "app/config/config_reading.h"

#include "base/endpoint.h"
#include "sys/input.h"
#include "sys/net.h"

#include <string.h>

#define HOLD_LEAST (3 * NS_PER_S) /* RFC 4271, 4.2 */
#define HOLD_MOST NS_PER_HOUR
#define HOLD_DEFAULT (90 * NS_PER_S) /* RFC 4271, 10 */

/* Where to listen, as it is written; NULL, with a fault, if that is nowhere. */
static const char *read_endpoint(struct reading *reading, const yaml_node_t *node, const char *what,
                                 struct addr *addr, uint16_t *port)
{
    const char *text;
    struct endpoint found;
    if (!document_text(&reading->document, node, "where to listen", CONFIG_PATH_LONGEST, &text))
        return NULL;
    if (endpoint_parse(text, strlen(text), &found) && found.port &&
        !found.host_size == !found.addr.family) {
        *addr = found.addr;
        *port = found.port;
        return config_keep(reading, text);
    }
    document_fault(&reading->document, node,
                   "%s: found '%.60s'; expected ADDRESS:PORT, [ADDRESS]:PORT or :PORT", what, text);
    return NULL;
}

static const char *read_collector(struct reading *reading, const yaml_node_t *node)
{
    const char *text;
    bool is_good = document_text(&reading->document, node, "the name of the collector",
                                 CONFIG_NAME_MAX, &text);
    return is_good ? config_keep(reading, text) : NULL;
}

/* ---- BMP ---- */

static void read_table(struct reading *reading, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    struct buffer names = {0};
    int last = BMP_TABLES - 1;
    for (int i = 0; i < BMP_TABLES; i++) {
        const char *name = bmp_table_name((enum bmp_table)i);
        if (text && strcmp(text, name) == 0)
            reading->config.bmp_table = (enum bmp_table)i;
        buffer_printf(&names, "%s%s", i == 0 ? "" : i == last ? " or " : ", ", name);
    }
    if (reading->config.bmp_table == BMP_TABLES)
        document_fault(&reading->document, node, "table: found %s; expected %s",
                       document_show(node, shown), names.bytes);
    buffer_done(&names);
}

static void read_bmp(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    const yaml_node_t *listen = node, *table = NULL;
    const struct field fields[] = {{"listen", &listen}, {"table", &table}};
    if (document_is_mapping(node)) { /* else only where to listen */
        listen = NULL;
        if (!document_fields(&reading->document, node, "bmp", fields, 2))
            return;
    }
    if (listen)
        config->bmp =
            read_endpoint(reading, listen, "bmp", &config->bmp_address, &config->bmp_port);
    else
        document_fault(&reading->document, node, "bmp has no 'listen'; expected an ADDRESS:PORT");
    if (table)
        read_table(reading, table);
}

/* ---- BGP ---- */

/* RFC 6793, 9; 7300; 7607: numbers that are no AS. */
static bool read_asn(struct reading *reading, const yaml_node_t *node, uint32_t *out)
{
    char shown[DOCUMENT_SHOWN_MAX];
    uint32_t asn = 0;
    bool is_good =
        config_parse_asn(document_scalar(node), &asn) && asn != UINT16_MAX && asn != BGP_AS_TRANS;
    if (is_good)
        *out = asn;
    else
        document_fault(&reading->document, node,
                       "asn: found %s; expected an AS number, such as 64512",
                       document_show(node, shown));
    return is_good;
}

static void read_id(struct reading *reading, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    static const struct addr zero = {.family = 4};
    const char *text = document_scalar(node);
    struct addr id;
    if (text && addr_parse(text, strlen(text), &id) && id.family == 4 &&
        addr_compare(&id, &zero) != 0)
        reading->config.bgp.id = id;
    else
        document_fault(&reading->document, node,
                       "id: found %s; expected an IPv4 address that no router here has as its "
                       "identifier",
                       document_show(node, shown));
}

/* What a file holds, without the end of its line; NULL with a fault. */
static const char *load_key(struct reading *reading, const yaml_node_t *node, const char *path)
{
    struct input *input;
    struct why why;
    char bytes[NET_MD5_KEY_MAX + 3];
    size_t size = 0, n = 1;
    enum err err = input_open(path, &input, &why);
    if (err) {
        document_fault(&reading->document, node, "md5: %s", why.text);
        return NULL;
    }
    while (!err && n && size < sizeof bytes) {
        err = input_read(input, bytes + size, sizeof bytes - size, &n, &why);
        size += err ? 0 : n;
    }
    input_close(input);
    if (err)
        document_fault(&reading->document, node, "md5: %s", why.text);
    size -= size && bytes[size - 1] == '\n';
    size -= size && bytes[size - 1] == '\r';
    return err ? NULL : arena_copy(&reading->config.arena, bytes, size);
}

/* Never shown, not even in faults. */
static const char *read_key(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *file = NULL;
    const struct field fields[] = {{"file", &file}};
    const char *key = document_scalar(node), *path;
    if (document_is_mapping(node)) {
        if (!document_fields(&reading->document, node, "md5", fields, 1) || !file ||
            !document_text(&reading->document, file, "the file of a key", CONFIG_PATH_LONGEST,
                           &path))
            return NULL;
        if (!reading->reads_files)
            return "";
        key = load_key(reading, file, config_keep_path(reading, path));
        if (!key)
            return NULL;
    }
    size_t n = key ? strlen(key) : 0;
    if (n && n <= NET_MD5_KEY_MAX)
        return config_keep(reading, key);
    document_fault(&reading->document, node,
                   "md5: found %zu bytes; expected a key of 1 to %d, or {file: PATH}", n,
                   NET_MD5_KEY_MAX);
    return NULL;
}

static bool read_address(struct reading *reading, const yaml_node_t *node, struct addr *out)
{
    char shown[DOCUMENT_SHOWN_MAX], text[ADDR_TEXT_MAX];
    const char *written = document_scalar(node);
    struct addr addr;
    bool is_link_local = false;
    bool is_good = written && addr_parse(written, strlen(written), &addr);
    if (is_good)
        is_link_local = addr_is_link_local(&addr);
    if (!is_good || is_link_local) {
        document_fault(&reading->document, node,
                       "address: found %s; expected an IPv4 or IPv6 address%s",
                       document_show(node, shown), is_link_local ? " that is not link-local" : "");
        return false;
    }
    if (!config_is_new(reading, node, NAME_ADDRESS, addr_format(&addr, text), "BGP peer"))
        return false;
    *out = addr;
    return true;
}

static void read_peer(struct reading *reading, const yaml_node_t *node)
{
    struct bgp_config *bgp = &reading->config.bgp;
    struct bgp_peer_options peer = {0};
    const yaml_node_t *address = NULL, *asn = NULL, *md5 = NULL;
    const struct field fields[] = {{"address", &address}, {"asn", &asn}, {"md5", &md5}};
    if (!document_fields(&reading->document, node, "a peer", fields, 3))
        return;
    if (!address)
        document_fault(&reading->document, node,
                       "found a peer without an address; expected 'address: ...'");
    if (asn)
        read_asn(reading, asn, &peer.asn);
    if (md5)
        peer.md5 = read_key(reading, md5);
    if (!address || !read_address(reading, address, &peer.address))
        return;
    if (bgp->peer_count == BGP_PEERS_MAX) {
        document_fault(&reading->document, node, "more than %d BGP peers; expected fewer",
                       BGP_PEERS_MAX);
        return;
    }
    bgp->peers = mem_grow(bgp->peers, &bgp->peer_capacity, bgp->peer_count + 1, sizeof *bgp->peers);
    bgp->peers[bgp->peer_count++] = peer;
}

static void read_peers(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *peer;
    size_t at = 0;
    while ((peer = document_next(&reading->document, node, "peers", &at)))
        read_peer(reading, peer);
    if (at == 0)
        document_fault(&reading->document, node, "peers: the list is empty; expected at least one");
}

static void read_bgp(struct reading *reading, const yaml_node_t *node)
{
    struct bgp_config *bgp = &reading->config.bgp;
    const yaml_node_t *listen = NULL, *asn = NULL, *id = NULL, *hold = NULL, *collector = NULL,
                      *peers = NULL;
    const struct field fields[] = {{"listen", &listen}, {"asn", &asn},
                                   {"id", &id},         {"hold", &hold},
                                   {"peers", &peers},   {"collector", &collector}};
    int64_t hold_ns = HOLD_DEFAULT;
    if (!document_fields(&reading->document, node, "bgp", fields, 6))
        return;
    if (!listen || !asn || !peers)
        document_fault(&reading->document, node, "bgp has no '%s'; expected listen, asn and peers",
                       !listen ? "listen"
                       : !asn  ? "asn"
                               : "peers");
    if (listen)
        bgp->listen = read_endpoint(reading, listen, "bgp", &bgp->address, &bgp->port);
    if (asn)
        read_asn(reading, asn, &bgp->asn);
    if (id)
        read_id(reading, id);
    else if (bgp->address.family == 4)
        bgp->id = bgp->address;
    else if (bgp->listen)
        document_fault(&reading->document, node,
                       "bgp has no 'id', and does not listen at an IPv4 address, which would be "
                       "taken for it");
    if (hold)
        document_duration(&reading->document, hold, "hold", HOLD_LEAST, HOLD_MOST, &hold_ns);
    bgp->hold_s = (uint16_t)(hold_ns / NS_PER_S);
    if (collector)
        bgp->collector = read_collector(reading, collector);
    if (peers)
        read_peers(reading, peers);
}

/* ---- all of it ---- */

void config_read_routes(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    const yaml_node_t *collector = NULL, *archives = NULL, *bmp = NULL, *bgp = NULL,
                      *ris_live = NULL, *table = NULL;
    const struct field fields[] = {
        {"collector", &collector}, {"archives", &archives}, {"bmp", &bmp}, {"bgp", &bgp},
        {"ris_live", &ris_live},   {"whole_table", &table}};
    config->bmp_table = BMP_TABLES;
    if (!document_fields(&reading->document, node, "routes", fields, 6))
        return;
    if (bmp)
        read_bmp(reading, bmp);
    if (bgp)
        read_bgp(reading, bgp);
    if (ris_live)
        config_read_ris_live(reading, ris_live);
    if (table)
        config_read_table(reading, table);
    if (collector)
        config->collector = read_collector(reading, collector);
    if (archives)
        config_read_archives(reading, archives);
}

void config_check_routes(struct reading *reading, const yaml_node_t *node)
{
    const struct config *config = &reading->config;
    const char *place = config->bmp                  ? "bmp"
                        : config->bgp.listen         ? "bgp"
                        : config->ris_live.is_wanted ? "ris_live"
                                                     : NULL;
    bool is_kept = config->watch.prefix_count || config->watch.asn_count || config->table.is_wanted;
    if (place && !is_kept)
        config_warn(reading, node,
                    "no subject has prefixes or asns: no route that is heard at %s is kept", place);
    if (config->bmp && config->collector && config->bgp.collector &&
        strcmp(config->collector, config->bgp.collector) == 0)
        document_fault(&reading->document, node,
                       "bmp and bgp have the same collector, %s; expected two names: each is in a "
                       "gap when its own routers are away",
                       config->collector);
    config_check_ris_live(reading, node);
}

void config_fill_in_routes(struct reading *reading)
{
    struct config *config = &reading->config;
    if (config->bgp.listen && !config->bgp.collector)
        config->bgp.collector = arena_printf(&config->arena, "%s-bgp", config->vantage);
    config_fill_in_ris_live(reading);
}

/* ---- what is the same ---- */

bool config_is_same_text(const char *a, const char *b)
{
    return !a == !b && (!a || strcmp(a, b) == 0);
}

bool config_has_same_watch(const struct config *a, const struct config *b)
{
    const struct watch *x = &a->watch, *y = &b->watch;
    if (x->prefix_count != y->prefix_count || x->asn_count != y->asn_count)
        return false;
    for (size_t i = 0; i < x->prefix_count; i++)
        if (prefix_compare(&x->prefixes[i], &y->prefixes[i]) != 0)
            return false;
    return !x->asn_count || memcmp(x->asns, y->asns, x->asn_count * sizeof *x->asns) == 0;
}

bool config_has_same_bmp(const struct config *a, const struct config *b)
{
    return config_is_same_text(a->bmp, b->bmp) && config_is_same_text(a->collector, b->collector) &&
           a->bmp_table == b->bmp_table;
}

bool config_has_same_bgp(const struct config *a, const struct config *b)
{
    const struct bgp_config *x = &a->bgp, *y = &b->bgp;
    if (!config_is_same_text(x->listen, y->listen) || x->asn != y->asn ||
        addr_compare(&x->id, &y->id) != 0 || x->hold_s != y->hold_s ||
        !config_is_same_text(x->collector, y->collector) || x->peer_count != y->peer_count)
        return false;
    for (size_t i = 0; i < x->peer_count; i++)
        if (addr_compare(&x->peers[i].address, &y->peers[i].address) != 0 ||
            x->peers[i].asn != y->peers[i].asn ||
            !config_is_same_text(x->peers[i].md5, y->peers[i].md5))
            return false;
    return true;
}
