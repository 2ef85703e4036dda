/* Zones, which are members of their subject and targets. */
#include "app/config/config_reading.h"

#include <string.h>

enum { ZONE_LONGEST = 254, ANCHOR_LONGEST = 2000 };

/* A look at a zone takes some dozen questions to others' servers, and what it shows changes slowly: it is
 * done every five minutes, each with all the time that a probe may take. */
#define ZONE_INTERVAL_NS (5 * NS_PER_MINUTE)
#define ZONE_TIMEOUT_NS (10 * NS_PER_S)

struct zone_nodes {
    const yaml_node_t *zone, *interval, *timeout, *via, *resolver, *anchors;
};

static bool is_zone(const char *text)
{
    size_t n = strlen(text), label = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (c == '.' ? label == 0 && n > 1 : !is_plain)
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return n > 0;
}

/* Zones are kept in small letters and with the dot at their end. NULL, with a fault, if it is none. */
static const char *read_name(struct reading *reading, const yaml_node_t *node)
{
    const char *text;
    if (!document_text(&reading->document, node, "the name of a zone", ZONE_LONGEST - 1, &text))
        return NULL;
    char *zone = arena_alloc(&reading->config.arena, ZONE_LONGEST + 1);
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        zone[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    if (!is_zone(zone)) {
        document_fault(
            &reading->document, node,
            "'%.60s' is not the name of a zone; expected labels with dots between, such as kp.",
            text);
        return NULL;
    }
    if (zone[n - 1] != '.')
        zone[n] = '.';
    return zone;
}

static bool read_address(struct reading *reading, const yaml_node_t *node, const char *key,
                         struct addr *out)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    if (text && addr_parse(text, strlen(text), out)) {
        bool is_excluded = manners_judge(&reading->config.manners, out, true) == MANNERS_EXCLUDED;
        if (is_excluded)
            document_fault(&reading->document, node, "%s: %s is excluded", key, text);
        return !is_excluded;
    }
    document_fault(&reading->document, node, "%s: found %s; expected an address", key,
                   document_show(node, shown));
    return false;
}

static void read_via(struct reading *reading, const yaml_node_t *list, struct zone_settings *out)
{
    const yaml_node_t *node;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, "via", &at))) {
        if (out->via_count == ZONE_VIA_MAX) {
            document_fault(&reading->document, node, "via: more than %d addresses; expected fewer",
                           ZONE_VIA_MAX);
            return;
        }
        out->via_count += read_address(reading, node, "via", &out->via[out->via_count]);
    }
}

/* What they are worth is known once the zone is: see zone_check(). */
static void read_anchors(struct reading *reading, const yaml_node_t *list,
                         struct zone_settings *out)
{
    const yaml_node_t *node;
    const char *text;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, "trust_anchors", &at))) {
        if (out->anchor_count == ZONE_ANCHORS_MAX) {
            document_fault(&reading->document, node,
                           "trust_anchors: more than %d records; expected fewer", ZONE_ANCHORS_MAX);
            return;
        }
        if (document_text(&reading->document, node, "a DS or DNSKEY record", ANCHOR_LONGEST, &text))
            out->anchors[out->anchor_count++] = config_keep(reading, text);
    }
}

/* NULL if there are none. */
static const struct zone_settings *read_settings(struct reading *reading,
                                                 const struct zone_nodes *nodes)
{
    struct zone_settings *settings = arena_alloc(&reading->config.arena, sizeof *settings);
    read_via(reading, nodes->via, settings);
    read_anchors(reading, nodes->anchors, settings);
    if (nodes->resolver)
        read_address(reading, nodes->resolver, "resolver", &settings->resolver);
    return nodes->via || nodes->anchors || nodes->resolver ? settings : NULL;
}

static bool take_zone(struct reading *reading, const yaml_node_t *node, struct zone_nodes *out)
{
    const struct field fields[] = {{"zone", &out->zone},         {"interval", &out->interval},
                                   {"timeout", &out->timeout},   {"via", &out->via},
                                   {"resolver", &out->resolver}, {"trust_anchors", &out->anchors}};
    if (!document_is_mapping(node)) {
        out->zone = node;
        return true;
    }
    if (!document_fields(&reading->document, node, "a zone", fields, 6))
        return false;
    if (!out->zone)
        document_fault(&reading->document, node,
                       "found settings without a zone; expected 'zone: ...'");
    return out->zone != NULL;
}

void config_read_zone(struct reading *reading, const yaml_node_t *node)
{
    struct zone_nodes nodes = {0};
    struct pace pace = {.interval_ns = ZONE_INTERVAL_NS, .timeout_ns = ZONE_TIMEOUT_NS, .count = 1};
    struct target target;
    const char *name = take_zone(reading, node, &nodes) ? read_name(reading, nodes.zone) : NULL;
    if (!name)
        return;
    const char *text = arena_printf(&reading->config.arena, "zone:%s", name);
    config_read_pace(reading, nodes.interval, nodes.timeout, NULL, &pace);
    struct probe_plan plan = {.target = text,
                              .interval_ns = pace.interval_ns,
                              .timeout_ns = pace.timeout_ns,
                              .count = 1,
                              .zone = read_settings(reading, &nodes)};
    config_add_member(reading, nodes.zone, NAME_ZONE, name, 0);
    bool is_shared =
        !document_is_mapping(node) && registry_find(reading->seen, NAME_TARGET, text, strlen(text));
    if (target_parse(text, strlen(text), &target, NULL))
        return;
    if (!is_shared && config_is_new(reading, nodes.zone, NAME_TARGET, text, "target"))
        config_add_plan(reading, nodes.zone, &plan, &target);
    config_add_member(reading, nodes.zone, NAME_TARGET, text, pace.interval_ns);
}
