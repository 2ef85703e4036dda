/* Where routes come from: archives, and those who tell them live. */
#include "app/config_reading.h"

#include <stdlib.h>
#include <string.h>

/* "ADDRESS:PORT", "[ADDRESS]:PORT" or ":PORT". */
static bool parse_endpoint(const char *text, struct addr *addr, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool has_brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
    struct addr found = {0};
    char *end;
    unsigned long number =
        colon && colon[1] >= '1' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;
    if (!number || number > UINT16_MAX || *end)
        return false;
    if (n && !addr_parse(text + has_brackets, n - 2 * has_brackets, &found))
        return false;
    if (n && has_brackets != (found.family == 6))
        return false;
    *addr = found;
    *port = (uint16_t)number;
    return true;
}

static void read_bmp(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    const char *text;
    if (!document_text(&reading->document, node, "where to listen for BMP", CONFIG_PATH_LONGEST,
                       &text))
        return;
    if (parse_endpoint(text, &config->bmp_address, &config->bmp_port))
        config->bmp = config_keep(reading, text);
    else
        document_fault(&reading->document, node,
                       "bmp: found '%.60s'; expected ADDRESS:PORT, [ADDRESS]:PORT or :PORT", text);
}

void config_read_routes(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    const yaml_node_t *collector = NULL, *archives = NULL, *bmp = NULL, *archive;
    const struct field fields[] = {
        {"collector", &collector}, {"archives", &archives}, {"bmp", &bmp}};
    const char *text;
    size_t at = 0;
    if (!document_fields(&reading->document, node, "routes", fields, 3))
        return;
    if (bmp)
        read_bmp(reading, bmp);
    if (collector && document_text(&reading->document, collector, "the name of the collector",
                                   CONFIG_NAME_MAX, &text))
        config->collector = config_keep(reading, text);
    while ((archive = document_next(&reading->document, archives, "archives", &at))) {
        if (!document_text(&reading->document, archive, "a file or folder", CONFIG_PATH_LONGEST,
                           &text))
            continue;
        config->archives = mem_grow(config->archives, &config->archive_capacity,
                                    config->archive_count + 1, sizeof *config->archives);
        config->archives[config->archive_count++] = config_keep_path(reading, text);
    }
}

/* What only the whole file shows. */
void config_check_routes(struct reading *reading, const yaml_node_t *node)
{
    const struct config *config = &reading->config;
    if (config->bmp && !config->watch.prefix_count && !config->watch.asn_count)
        config_warn(reading, node,
                    "no subject has prefixes or asns: no route that is heard at bmp is kept");
}

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
    return config_is_same_text(a->bmp, b->bmp) && config_is_same_text(a->collector, b->collector);
}
