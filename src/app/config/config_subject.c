/* Subjects, their members, and targets. */
#include "app/config/config_reading.h"

#include "source/origins/country.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_LONGEST = 400 };

static bool has_room(struct reading *reading, const yaml_node_t *node, size_t count)
{
    if (count < CONFIG_TARGETS_MAX)
        return true;
    if (count == CONFIG_TARGETS_MAX)
        document_fault(&reading->document, node, "more than %d targets or members; expected fewer",
                       CONFIG_TARGETS_MAX);
    return false;
}

void config_add_member(struct reading *reading, const yaml_node_t *node, enum name_kind kind,
                       const char *text, int64_t interval_ns)
{
    if (!has_room(reading, node, reading->member_count))
        return;
    reading->members = mem_grow(reading->members, &reading->member_capacity,
                                reading->member_count + 1, sizeof *reading->members);
    reading->members[reading->member_count++] = (struct member_spec){kind, text, interval_ns};
}

void config_add_plan(struct reading *reading, const yaml_node_t *node,
                     const struct probe_plan *plan, const struct target *target)
{
    struct config *config = &reading->config;
    struct why why;
    if (prober_check(plan, &why)) { /* the prober would refuse the whole plan */
        document_fault(&reading->document, node, "%s", why.text);
        return;
    }
    if (!config_may_ask(reading, node, target) || !has_room(reading, node, config->plan_count))
        return;
    config->plan = mem_grow(config->plan, &config->plan_capacity, config->plan_count + 1,
                            sizeof *config->plan);
    config->plan[config->plan_count++] = *plan;
    config->control_count += plan->is_control && target->kind != TARGET_SELF;
}

/* Its parts in the file; everything but `target` may be missing. */
struct target_nodes {
    const yaml_node_t *target, *interval, *timeout, *count, *expect, *text, *follow, *addresses;
};

static bool take_target(struct reading *reading, const yaml_node_t *node, struct target_nodes *out)
{
    const struct field fields[] = {{"target", &out->target},   {"interval", &out->interval},
                                   {"timeout", &out->timeout}, {"count", &out->count},
                                   {"expect", &out->expect},   {"text", &out->text},
                                   {"follow", &out->follow},   {"addresses", &out->addresses}};
    if (!document_is_mapping(node)) {
        out->target = node;
        return true;
    }
    if (!document_fields(&reading->document, node, "a target", fields, 8))
        return false;
    if (!out->target)
        document_fault(&reading->document, node,
                       "found settings without a target; expected 'target: ...'");
    return out->target != NULL;
}

/* Settings that are without meaning for the kind are more likely a mistake than not. */
static bool fits_kind(struct reading *reading, const yaml_node_t *node, const char *key,
                      const char *kinds, bool is_of_them, const struct target *target)
{
    if (node && !is_of_them)
        document_fault(&reading->document, node,
                       "%s is for %s targets, this one is of kind %s; expected none", key, kinds,
                       target_kind_name((enum target_kind)target->kind));
    return node && is_of_them;
}

/* Which addresses of a name are asked. */
static void read_addresses(struct reading *reading, const yaml_node_t *node,
                           const struct target *target, struct probe_plan *plan)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    if (target->addr.family)
        document_fault(&reading->document, node,
                       "addresses is for targets that name a host; expected none");
    else if (text && strcmp(text, "ipv4") == 0)
        plan->family = 4;
    else if (text && strcmp(text, "ipv6") == 0)
        plan->family = 6;
    else if (text && strcmp(text, "all") == 0)
        plan->all_addresses = true;
    else
        document_fault(&reading->document, node, "addresses: found %s; expected ipv4, ipv6 or all",
                       document_show(node, shown));
}

/* What only some kinds have. */
static void read_kind(struct reading *reading, const struct target_nodes *nodes,
                      const struct target *target, struct probe_plan *plan)
{
    static const char web[] = "http and https";
    bool is_web = target->kind == TARGET_HTTP || target->kind == TARGET_HTTPS;
    uint32_t status = 0;
    const char *text;
    fits_kind(reading, nodes->count, "count", "icmp", target->kind == TARGET_ICMP, target);
    if (fits_kind(reading, nodes->expect, "expect", web, is_web, target))
        document_number(&reading->document, nodes->expect, "expect", 100, 599, &status);
    if (fits_kind(reading, nodes->text, "text", web, is_web, target) &&
        document_text(&reading->document, nodes->text, "a text of the page", PROBER_TEXT_MAX,
                      &text))
        plan->expect_text = config_keep(reading, text);
    plan->expect_status = (int)status;
    if (fits_kind(reading, nodes->follow, "follow", web, is_web, target))
        document_number(&reading->document, nodes->follow, "follow", 0, PROBER_REDIRECTS_MAX,
                        &plan->redirects);
    if (nodes->addresses)
        read_addresses(reading, nodes->addresses, target, plan);
}

void config_read_target(struct reading *reading, const yaml_node_t *node, bool is_control)
{
    struct target_nodes nodes = {0};
    struct target target;
    struct why why;
    const char *text;
    if (!take_target(reading, node, &nodes) ||
        !document_text(&reading->document, nodes.target, "a target", TARGET_TEXT_MAX, &text))
        return;
    if (target_parse(text, strlen(text), &target, &why)) {
        document_fault(&reading->document, nodes.target, "%s", why.text);
        return;
    }
    struct pace pace = reading->defaults;
    config_read_pace(reading, nodes.interval, nodes.timeout, nodes.count, &pace);
    struct probe_plan plan = {.target = config_keep(reading, text),
                              .is_control = is_control,
                              .interval_ns = pace.interval_ns,
                              .timeout_ns = pace.timeout_ns,
                              .count = target.kind == TARGET_ICMP ? pace.count : 1};
    read_kind(reading, &nodes, &target, &plan);
    if (!config_is_new(reading, nodes.target, NAME_TARGET, text, "target"))
        return;
    config_add_plan(reading, nodes.target, &plan, &target);
    if (!is_control)
        config_add_member(reading, nodes.target, NAME_TARGET, plan.target, pace.interval_ns);
}

/* "+09:00", "-03:30" or "UTC". */
static void read_timezone(struct reading *reading, const yaml_node_t *node, int *offset_s)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    unsigned hours = 0, minutes = 0;
    int used = 0;
    if (text && strcmp(text, "UTC") == 0)
        return;
    if (text && strlen(text) == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
        strspn(text + 1, "0123456789:") == 5 &&
        sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &used) == 2 && used == 5 && hours <= 14 &&
        minutes < 60) {
        int seconds = (int)(hours * 3600 + minutes * 60);
        *offset_s = text[0] == '-' ? -seconds : seconds;
        return;
    }
    document_fault(&reading->document, node,
                   "timezone: found %s; expected the difference to UTC, such as \"+09:00\", or UTC",
                   document_show(node, shown));
}

/* What the writer of something that is not quite a prefix may have meant; "" if nothing comes to
 * mind. */
static const char *meant(const char *text, char out[PREFIX_TEXT_MAX + 24])
{
    struct addr addr;
    char prefix_text[PREFIX_TEXT_MAX];
    size_t n = strcspn(text, "/");
    out[0] = '\0';
    if (!addr_parse(text, n, &addr))
        return out;
    unsigned long bits = text[n] ? strtoul(text + n + 1, NULL, 10) : addr_bits(&addr);
    if (bits > addr_bits(&addr))
        return out;
    struct prefix prefix = prefix_of(&addr, (unsigned)bits);
    snprintf(out, PREFIX_TEXT_MAX + 24, "; did you mean %s?", prefix_format(&prefix, prefix_text));
    return out;
}

static void read_prefix(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    struct prefix prefix;
    const char *text;
    char hint[PREFIX_TEXT_MAX + 24], canonical[PREFIX_TEXT_MAX];
    if (!document_text(&reading->document, node, "a prefix", PREFIX_TEXT_MAX, &text))
        return;
    if (!prefix_parse(text, strlen(text), &prefix)) {
        document_fault(
            &reading->document, node,
            "'%.60s' is not a prefix; expected ADDRESS/BITS with all further bits zero%s", text,
            meant(text, hint));
        return;
    }
    prefix_format(&prefix, canonical);
    if (!config_is_new(reading, node, NAME_PREFIX, canonical, "prefix"))
        return;
    config->prefixes = mem_grow(config->prefixes, &config->prefix_capacity,
                                config->watch.prefix_count + 1, sizeof *config->prefixes);
    config->prefixes[config->watch.prefix_count++] = prefix;
    config_add_member(reading, node, NAME_PREFIX, config_keep(reading, canonical), 0);
}

bool config_parse_asn(const char *text, uint32_t *asn)
{
    if (text && (text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
        text += 2;
    size_t digits = text ? strspn(text, "0123456789") : 0;
    unsigned long long number = digits && digits <= 10 ? strtoull(text, NULL, 10) : 0;
    if (!number || text[digits] || number >= UINT32_MAX)
        return false;
    *asn = (uint32_t)number;
    return true;
}

static void read_asn(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    char shown[DOCUMENT_SHOWN_MAX];
    uint32_t asn;
    if (!config_parse_asn(document_scalar(node), &asn)) {
        document_fault(&reading->document, node,
                       "asns: found %s; expected an AS number, such as 131279",
                       document_show(node, shown));
        return;
    }
    config->asns = mem_grow(config->asns, &config->asn_capacity, config->watch.asn_count + 1,
                            sizeof *config->asns);
    config->asns[config->watch.asn_count++] = asn;
    config_add_member(reading, node, NAME_ASN, arena_printf(&config->arena, "%u", asn), 0);
}

/* NO is Norway here, and not what YAML may take it for. */
static void read_country(struct reading *reading, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    struct country country;
    if (text && country_read(text, strlen(text), &country) && country.code[0])
        config_add_member(reading, node, NAME_COUNTRY, config_keep(reading, country.code), 0);
    else
        document_fault(&reading->document, node,
                       "countries: found %s; expected the two letters of ISO 3166-1, such as KP",
                       document_show(node, shown));
}

static void read_each(struct reading *reading, const yaml_node_t *list, const char *what,
                      void (*read)(struct reading *, const yaml_node_t *))
{
    const yaml_node_t *node;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, what, &at)))
        read(reading, node);
}

static void read_subject_target(struct reading *reading, const yaml_node_t *node)
{
    config_read_target(reading, node, false);
}

static void read_name(struct reading *reading, const yaml_node_t *subject, const yaml_node_t *node,
                      struct subject_spec *spec)
{
    const char *text;
    if (!node)
        document_fault(&reading->document, subject,
                       "found a subject without a name; expected 'name: ...'");
    else if (document_text(&reading->document, node, "the name of a subject", CONFIG_NAME_MAX,
                           &text) &&
             config_is_new(reading, node, NAME_SUBJECT, text, "subject"))
        spec->name = config_keep(reading, text);
}

static void add_subject(struct reading *reading, struct subject_spec *spec)
{
    struct config *config = &reading->config;
    size_t bytes = reading->member_count * sizeof *reading->members;
    struct member_spec *members = arena_alloc(&config->arena, bytes ? bytes : 1);
    if (bytes)
        memcpy(members, reading->members, bytes);
    spec->members = members;
    spec->member_count = reading->member_count;
    config->subjects = mem_grow(config->subjects, &config->subject_capacity,
                                config->subject_count + 1, sizeof *config->subjects);
    config->subjects[config->subject_count++] = *spec;
}

void config_read_subject(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *name = NULL, *title = NULL, *timezone = NULL, *zones = NULL,
                      *prefixes = NULL, *asns = NULL, *countries = NULL, *targets = NULL,
                      *blocks = NULL;
    const struct field fields[] = {
        {"name", &name},     {"title", &title},         {"timezone", &timezone},
        {"zones", &zones},   {"prefixes", &prefixes},   {"asns", &asns},
        {"blocks", &blocks}, {"countries", &countries}, {"targets", &targets}};
    struct subject_spec spec = {0};
    const char *text;
    unsigned faults = reading->document.fault_count;
    if (!document_fields(&reading->document, node, "a subject", fields, 9))
        return;
    reading->member_count = 0;
    read_name(reading, node, name, &spec);
    if (title && document_text(&reading->document, title, "a title", TITLE_LONGEST, &text))
        spec.title = config_keep(reading, text);
    if (timezone)
        read_timezone(reading, timezone, &spec.utc_offset_s);
    read_each(reading, zones, "zones", config_read_zone);
    read_each(reading, prefixes, "prefixes", read_prefix);
    read_each(reading, asns, "asns", read_asn);
    read_each(reading, countries, "countries", read_country);
    read_each(reading, targets, "targets", read_subject_target);
    if (blocks)
        config_read_blocks(reading, blocks);
    if (!reading->member_count && faults == reading->document.fault_count)
        document_fault(&reading->document, node,
                       "found a subject that watches nothing; expected targets, prefixes, asns, "
                       "countries, zones or blocks");
    add_subject(reading, &spec);
}
