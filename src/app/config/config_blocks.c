/* Whole networks: which, and how they are asked. */
#include "app/config/config_reading.h"
#include "app/country_source.h"

#include "source/mrt/route_files.h"

#include <stdlib.h>
#include <string.h>

/* science.md, 1.2: a round takes ten minutes, an answer may take three seconds. Questions of a round come one
 * after the other, and all of them fit into what chance leaves of it. */
#define ROUND_USUAL (10 * NS_PER_MINUTE)
#define ROUND_LEAST NS_PER_S
#define ROUND_MOST NS_PER_HOUR
#define TIMEOUT_USUAL (3 * NS_PER_S)
#define TIMEOUT_LEAST (10 * NS_PER_MS)
#define TIMEOUT_MOST (10 * NS_PER_S)

/* The largest that is taken apart; a shorter one in a table is a default route, or a mistake. */
enum { BITS_LEAST = 8, BITS = 24, NAMED_MAX = 64 };

static int64_t longest_timeout(int64_t round_ns)
{
    return round_ns / 4 * 3 / TRINOCULAR_PROBES_MAX;
}

static void read_paths(struct reading *reading, const yaml_node_t *list, const char *what,
                       struct block_paths *out)
{
    const yaml_node_t *node;
    const char *text;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, what, &at))) {
        if (out->count == BLOCK_PATHS_MAX) {
            document_fault(&reading->document, node, "%s: more than %d files; expected fewer", what,
                           BLOCK_PATHS_MAX);
            return;
        }
        if (document_text(&reading->document, node, "the name of a file", CONFIG_PATH_LONGEST,
                          &text))
            out->list[out->count++] = config_keep_path(reading, text);
    }
}

static void read_times(struct reading *reading, const yaml_node_t *round,
                       const yaml_node_t *timeout, struct block_settings *out)
{
    struct document *document = &reading->document;
    char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX], c[DURATION_TEXT_MAX];
    if (round &&
        !document_duration(document, round, "round", ROUND_LEAST, ROUND_MOST, &out->round_ns))
        return;
    int64_t most = longest_timeout(out->round_ns);
    out->timeout_ns = most < TIMEOUT_USUAL ? most : TIMEOUT_USUAL;
    if (timeout &&
        document_duration(document, timeout, "timeout", TIMEOUT_LEAST, TIMEOUT_MOST,
                          &out->timeout_ns) &&
        out->timeout_ns > most)
        document_fault(
            document, timeout,
            "timeout %s is too long for a round of %s, in which %d questions may have to "
            "wait for it; expected at most %s",
            duration_format(out->timeout_ns, a), duration_format(out->round_ns, b),
            TRINOCULAR_PROBES_MAX, duration_format(most, c));
}

void config_read_block_settings(struct reading *reading, const yaml_node_t *node)
{
    struct blocks_config *blocks = &reading->config.blocks;
    const yaml_node_t *round = NULL, *timeout = NULL, *known = NULL, *countries = NULL,
                      *tables = NULL;
    const struct field fields[] = {{"round", &round},
                                   {"timeout", &timeout},
                                   {"known", &known},
                                   {"countries", &countries},
                                   {"tables", &tables}};
    blocks->settings = (struct block_settings){ROUND_USUAL, TIMEOUT_USUAL};
    if (!node || !document_fields(&reading->document, node, "blocks", fields, 5))
        return;
    read_times(reading, round, timeout, &blocks->settings);
    read_paths(reading, known, "known", &blocks->known);
    read_paths(reading, countries, "countries", &blocks->countries);
    read_paths(reading, tables, "tables", &blocks->tables);
}

/* ---- the networks of one subject ---- */

/* What is found, in any order and perhaps twice. */
struct gathering {
    struct reading *reading;
    const yaml_node_t *node; /* at hand */
    struct block_plan *list;
    size_t count, capacity;
    bool is_named;
    bool is_full;
    size_t seen, excluded; /* of the node at hand */
    uint32_t asns[NAMED_MAX];
    size_t asn_count;
};

static struct addr addr_of(uint32_t network)
{
    return (struct addr){
        {(uint8_t)(network >> 24), (uint8_t)(network >> 16), (uint8_t)(network >> 8), 0}, 4};
}

/* Excluded as a whole; or private or reserved, and not named. */
static bool is_left_out(const struct gathering *g, uint32_t network)
{
    const struct manners_options *manners = &g->reading->config.manners;
    struct addr addr = addr_of(network);
    const struct prefix *excluded = prefix_set_find(&manners->excluded, &addr);
    if (excluded)
        return excluded->bits <= BITS;
    return manners_judge(manners, &addr, g->is_named) != MANNERS_MAY;
}

static void gather(void *context, uint32_t network)
{
    struct gathering *g = context;
    g->seen++;
    if (is_left_out(g, network)) {
        g->excluded++;
        return;
    }
    if (g->count == 2 * BLOCKS_MAX) { /* some may be there twice */
        g->is_full = true;
        return;
    }
    g->list = mem_grow(g->list, &g->capacity, g->count + 1, sizeof *g->list);
    g->list[g->count++] = (struct block_plan){network, g->is_named};
}

static void gather_prefix(struct gathering *g, const struct prefix *prefix)
{
    const uint8_t *b = prefix->addr.bytes;
    uint32_t first = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8;
    uint32_t count = UINT32_C(1) << (BITS - prefix->bits);
    for (uint32_t i = 0; i < count; i++)
        gather(g, first + (i << 8));
}

/* Nobody in particular answers there: 0.0.0.0/8, and all from the multicast groups on. */
static bool has_hosts(const struct prefix *prefix)
{
    return prefix->addr.bytes[0] != 0 && prefix->addr.bytes[0] < 224;
}

static void read_prefix(struct gathering *g, const char *text)
{
    struct document *document = &g->reading->document;
    struct prefix prefix;
    if (!prefix_parse(text, strlen(text), &prefix))
        document_fault(document, g->node,
                       "blocks: '%.60s' is not a prefix; expected one, such as 192.0.2.0/24, "
                       "{country: CC} or {asn: NUMBER}",
                       text);
    else if (prefix.addr.family == 6)
        document_fault(document, g->node,
                       "blocks: %.60s is of IPv6, of whose networks nobody knows which addresses "
                       "ever answer; expected IPv4",
                       text);
    else if (prefix.bits > BITS || prefix.bits < BITS_LEAST || !has_hosts(&prefix))
        document_fault(document, g->node,
                       "blocks: found %.60s; expected a prefix of hosts from /%d to /%d", text,
                       BITS_LEAST, BITS);
    else
        gather_prefix(g, &prefix);
    if (g->seen && g->seen == g->excluded)
        document_fault(document, g->node, "blocks: all of %.60s is excluded", text);
}

static const struct countries *countries_of(struct gathering *g)
{
    struct reading *reading = g->reading;
    const struct block_paths *paths = &reading->config.blocks.countries;
    struct stream_faults faults = {0};
    struct why why;
    if (!paths->count)
        document_fault(&reading->document, g->node,
                       "a country is named, and no file that says which networks it has; expected "
                       "'blocks: {countries: [FILE]}', of a registry or MaxMind's");
    if (!paths->count || reading->countries || !reading->reads_files)
        return reading->countries;
    if (country_source_load(paths->list, paths->count, &faults, &reading->countries, &why))
        document_fault(&reading->document, g->node, "%s", why.text);
    return reading->countries;
}

static void read_country(struct gathering *g, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    struct country country;
    if (!text || !country_read(text, strlen(text), &country) || !country.code[0]) {
        document_fault(&g->reading->document, node,
                       "country: found %s; expected its two letters, such as \"KP\"",
                       document_show(node, shown));
        return;
    }
    const struct countries *countries = countries_of(g);
    if (!countries)
        return;
    countries_networks(countries, country, gather, g);
    if (!g->seen)
        document_fault(&g->reading->document, node, "country: %s has no network in these files",
                       country.code);
}

static void read_asn(struct gathering *g, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    uint32_t asn;
    if (!config_parse_asn(document_scalar(node), &asn))
        document_fault(&g->reading->document, node,
                       "asn: found %s; expected an AS number, such as 131279",
                       document_show(node, shown));
    else if (!g->reading->config.blocks.tables.count)
        document_fault(&g->reading->document, node,
                       "an AS is named, and no table that says which networks it has; expected "
                       "'blocks: {tables: [FILE]}', MRT table dumps");
    else if (g->asn_count == NAMED_MAX)
        document_fault(&g->reading->document, node, "asn: more than %d of one subject", NAMED_MAX);
    else
        g->asns[g->asn_count++] = asn;
}

static void read_block(struct gathering *g)
{
    const yaml_node_t *country = NULL, *asn = NULL;
    const struct field fields[] = {{"country", &country}, {"asn", &asn}};
    struct document *document = &g->reading->document;
    const char *text;
    g->seen = g->excluded = 0;
    g->is_named = !document_is_mapping(g->node);
    if (g->is_named) {
        if (document_text(document, g->node, "a prefix", PREFIX_TEXT_MAX, &text))
            read_prefix(g, text);
        return;
    }
    if (!document_fields(document, g->node, "blocks", fields, 2))
        return;
    if (!country == !asn)
        document_fault(document, g->node, "blocks: expected {country: CC} or {asn: NUMBER}");
    else if (country)
        read_country(g, country);
    else
        read_asn(g, asn);
}

static void take_route(void *context, const struct element *element)
{
    struct gathering *g = context;
    const struct prefix *prefix = &element->prefix;
    if (prefix->addr.family == 4 && prefix->bits >= BITS_LEAST && prefix->bits <= BITS)
        gather_prefix(g, prefix);
}

/* What the ASes of the list are the origin of, in one go through the tables. */
static void read_tables(struct gathering *g, const yaml_node_t *list)
{
    struct reading *reading = g->reading;
    const struct block_paths *tables = &reading->config.blocks.tables;
    struct element_filter filter = {
        .kinds = 1U << ELEMENT_TABLE, .family = 4, .origin_count = g->asn_count};
    struct route_files_options options = {.paths = tables->list,
                                          .path_count = tables->count,
                                          .filter = &filter,
                                          .take = take_route,
                                          .context = g};
    struct stream_faults faults = {0};
    struct route_files *files;
    struct why why;
    if (!g->asn_count || !reading->reads_files)
        return;
    memcpy(filter.origins, g->asns, sizeof g->asns);
    g->seen = g->excluded = 0;
    g->is_named = false;
    enum err err = route_files_open(&options, &faults, &files, &why);
    if (!err) {
        err = route_files_run(files, &why);
        route_files_free(files);
    }
    if (err)
        document_fault(&reading->document, list, "%s", why.text);
    else if (!g->seen)
        document_fault(&reading->document, list,
                       "asn: the tables have no network of IPv4 of these ASes");
}

static int compare_plans(const void *a, const void *b)
{
    const struct block_plan *x = a, *y = b;
    if (x->network != y->network)
        return x->network < y->network ? -1 : 1;
    return y->is_named - x->is_named; /* one that is named first */
}

/* Sorted, and each once: named if it was so anywhere. */
static size_t sort_plans(struct block_plan *list, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(list, count, sizeof *list, compare_plans);
    for (size_t i = 0; i < count; i++)
        if (!kept || list[kept - 1].network != list[i].network)
            list[kept++] = list[i];
    return kept;
}

static void add_blocks(struct gathering *g, const yaml_node_t *list)
{
    struct config *config = &g->reading->config;
    struct blocks_config *blocks = &config->blocks;
    char text[BLOCK_TARGET_MAX];
    size_t count = sort_plans(g->list, g->count);
    if (g->is_full || count + blocks->count > BLOCKS_MAX) {
        document_fault(&g->reading->document, list,
                       "blocks: more than %d networks in all; expected fewer", BLOCKS_MAX);
        return;
    }
    blocks->plan =
        mem_grow(blocks->plan, &blocks->capacity, blocks->count + count, sizeof *blocks->plan);
    for (size_t i = 0; i < count; i++) {
        const char *target = config_keep(g->reading, block_plan_target(&g->list[i], text));
        blocks->plan[blocks->count++] = g->list[i];
        config_add_member(g->reading, list, NAME_TARGET, target, blocks->settings.round_ns);
    }
}

void config_read_blocks(struct reading *reading, const yaml_node_t *list)
{
    struct gathering g = {.reading = reading};
    size_t at = 0;
    while ((g.node = document_next(&reading->document, list, "blocks", &at)))
        read_block(&g);
    read_tables(&g, list);
    if (g.count)
        add_blocks(&g, list);
    free(g.list);
}

void config_fill_in_blocks(struct reading *reading)
{
    struct blocks_config *blocks = &reading->config.blocks;
    blocks->count = sort_plans(blocks->plan, blocks->count); /* subjects may share some */
    countries_free(reading->countries);
}

double config_block_rate(const struct config *config)
{
    const struct blocks_config *blocks = &config->blocks;
    return (double)blocks->count * TRINOCULAR_PROBES_MAX * (double)NS_PER_S /
           (double)blocks->settings.round_ns;
}
