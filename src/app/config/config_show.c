/* What a configuration comes to, for --check-config. */
#include "app/config/config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double config_rate(const struct config *config)
{
    double rate = 0;
    for (size_t i = 0; i < config->plan_count; i++)
        rate += config->plan[i].count * (double)NS_PER_S / (double)config->plan[i].interval_ns;
    return rate;
}

static size_t text_count(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->plan_count; i++)
        count += config->plan[i].expect_text != NULL;
    return count;
}

struct tally {
    size_t targets, prefixes, asns, countries, zones, networks;
};

static struct tally tally_of(const struct subject_spec *subject)
{
    struct tally tally = {0};
    for (size_t i = 0; i < subject->member_count; i++) {
        enum name_kind kind = subject->members[i].kind;
        bool is_network = strncmp(subject->members[i].text, "block:", 6) == 0;
        tally.targets += kind == NAME_TARGET && !is_network;
        tally.networks += kind == NAME_TARGET && is_network;
        tally.prefixes += kind == NAME_PREFIX;
        tally.asns += kind == NAME_ASN;
        tally.countries += kind == NAME_COUNTRY;
        tally.zones += kind == NAME_ZONE;
    }
    return tally;
}

static void add_count(struct buffer *out, bool *is_first, size_t count, const char *one,
                      const char *many)
{
    if (!count)
        return;
    buffer_printf(out, "%s%zu %s", *is_first ? "" : ", ", count, count == 1 ? one : many);
    *is_first = false;
}

static void describe_subject(const struct subject_spec *subject, struct buffer *out)
{
    struct tally tally = tally_of(subject);
    bool is_first = true;
    buffer_printf(out, "  %s%s%s%s: ", subject->name, subject->title ? " (" : "",
                  subject->title ? subject->title : "", subject->title ? ")" : "");
    add_count(out, &is_first, tally.targets, "target", "targets");
    add_count(out, &is_first, tally.networks, "whole network", "whole networks");
    add_count(out, &is_first, tally.prefixes, "prefix", "prefixes");
    add_count(out, &is_first, tally.asns, "AS", "ASes");
    add_count(out, &is_first, tally.countries, "country", "countries");
    add_count(out, &is_first, tally.zones, "zone", "zones");
    buffer_puts(out, "\n");
}

static size_t signed_count(const struct bgp_config *bgp)
{
    size_t count = 0;
    for (size_t i = 0; i < bgp->peer_count; i++)
        count += bgp->peers[i].md5 != NULL;
    return count;
}

static void describe_ris_live(const struct ris_live_config *ris, struct buffer *out)
{
    if (!ris->is_wanted)
        return;
    buffer_printf(out, "; live routes from RIS Live%s%s, of ", ris->url ? " at " : "",
                  ris->url ? ris->url : "");
    for (size_t i = 0; i < ris->host_count; i++)
        buffer_printf(out, "%s%s", i ? ", " : "", ris->hosts[i]);
    if (!ris->host_count)
        buffer_puts(out, "all collectors");
}

static void describe_live(const struct config *config, struct buffer *out)
{
    const struct bgp_config *bgp = &config->bgp;
    if (config->bmp)
        buffer_printf(out, "; live routes by BMP at %s%s%s", config->bmp,
                      config->bmp_table == BMP_TABLES ? "" : ", of ",
                      config->bmp_table == BMP_TABLES ? "" : bmp_table_name(config->bmp_table));
    if (bgp->listen)
        buffer_printf(out, "; live routes by BGP at %s, as AS%u, from %zu peer%s", bgp->listen,
                      bgp->asn, bgp->peer_count, bgp->peer_count == 1 ? "" : "s");
    if (bgp->listen && signed_count(bgp))
        buffer_printf(out, ", %zu with MD5 signatures", signed_count(bgp));
    describe_ris_live(&config->ris_live, out);
    if (config->table.is_wanted)
        buffer_puts(out, "; the whole table, in bins of five minutes");
    if (config->table.country_count)
        buffer_printf(out, ", with the countries of %zu file%s or folder%s",
                      config->table.country_count, config->table.country_count == 1 ? "" : "s",
                      config->table.country_count == 1 ? "" : "s");
}

static void describe_blocks(const struct config *config, struct buffer *out)
{
    char round[DURATION_TEXT_MAX];
    if (config->blocks.count)
        buffer_printf(out, "; %zu whole network%s in rounds of %s, up to %.3g probes a second more",
                      config->blocks.count, config->blocks.count == 1 ? "" : "s",
                      duration_format(config->blocks.settings.round_ns, round),
                      config_block_rate(config));
}

static void describe_span(const struct archive_span *span, struct buffer *out)
{
    char from[UTC_TEXT_MAX], until[UTC_TEXT_MAX];
    if (span->collector)
        buffer_printf(out, "; archives of %s from %s until %s%s%s%s", span->collector,
                      utc_format(span->from, from), utc_format(span->until, until),
                      span->with_table ? ", with the table before" : "",
                      span->site ? ", from " : "", span->site ? span->site : "");
}

static void describe_text(const struct config *config, struct buffer *out)
{
    size_t controls = config->control_count, targets = config->plan_count - controls;
    size_t texts = text_count(config);
    buffer_printf(out, "%s: no errors. It would watch, from vantage %s:\n", config->path,
                  config->vantage);
    for (size_t i = 0; i < config->subject_count; i++)
        describe_subject(&config->subjects[i], out);
    buffer_printf(out, "%zu target%s and %zu control%s, %.3g probes a second", targets,
                  targets == 1 ? "" : "s", controls, controls == 1 ? "" : "s", config_rate(config));
    describe_blocks(config, out);
    if (texts)
        buffer_printf(out, "; %zu page%s searched for a text", texts, texts == 1 ? "" : "s");
    if (config->archive_count)
        buffer_printf(out, "; %zu archive%s of routes", config->archive_count,
                      config->archive_count == 1 ? "" : "s");
    describe_span(&config->archive_span, out);
    describe_live(config, out);
    buffer_printf(out, "\njournal: %s\n", config->journal);
    for (size_t i = 0; i < config->warning_count; i++)
        buffer_printf(out, "%s\n", config->warnings[i]);
}

static json_t *subject_json(const struct subject_spec *subject)
{
    struct tally tally = tally_of(subject);
    return json_pack("{s:s, s:s*, s:I, s:I, s:I, s:I, s:I, s:I}", "name", subject->name, "title",
                     subject->title, "targets", (json_int_t)tally.targets, "blocks",
                     (json_int_t)tally.networks, "prefixes", (json_int_t)tally.prefixes, "asns",
                     (json_int_t)tally.asns, "countries", (json_int_t)tally.countries, "zones",
                     (json_int_t)tally.zones);
}

static json_t *bgp_json(const struct bgp_config *bgp)
{
    char address[ADDR_TEXT_MAX], id[ADDR_TEXT_MAX];
    json_t *peers = json_array();
    for (size_t i = 0; i < bgp->peer_count; i++) {
        const struct bgp_peer_options *peer = &bgp->peers[i];
        json_t *asn = peer->asn ? json_integer(peer->asn) : json_null();
        json_array_append_new(peers, json_pack("{s:s, s:o, s:b}", "address",
                                               addr_format(&peer->address, address), "asn", asn,
                                               "md5", peer->md5 != NULL));
    }
    return json_pack("{s:s, s:I, s:s, s:I, s:s, s:o}", "listen", bgp->listen, "asn",
                     (json_int_t)bgp->asn, "id", addr_format(&bgp->id, id), "hold_s",
                     (json_int_t)bgp->hold_s, "collector", bgp->collector, "peers", peers);
}

static json_t *blocks_json(const struct config *config)
{
    const struct blocks_config *blocks = &config->blocks;
    return json_pack("{s:I, s:f, s:f, s:f}", "networks", (json_int_t)blocks->count, "round_s",
                     (double)blocks->settings.round_ns / (double)NS_PER_S, "timeout_s",
                     (double)blocks->settings.timeout_ns / (double)NS_PER_S,
                     "most_probes_per_second", config_block_rate(config));
}

/* NULL if there is none. */
static json_t *span_json(const struct archive_span *span)
{
    char from[UTC_TEXT_MAX], until[UTC_TEXT_MAX];
    if (!span->collector)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:b, s:s*}", "collector", span->collector, "from",
                     utc_format(span->from, from), "until", utc_format(span->until, until), "rib",
                     span->with_table, "site", span->site);
}

static json_t *ris_live_json(const struct ris_live_config *ris)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < ris->host_count; i++)
        json_array_append_new(hosts, json_string(ris->hosts[i]));
    return json_pack("{s:s, s:s, s:o}", "url", ris->url ? ris->url : RIS_LIVE_URL, "client",
                     ris->client, "hosts", hosts);
}

static json_t *table_json(const struct table_config *table)
{
    json_t *countries = json_array();
    for (size_t i = 0; i < table->country_count; i++)
        json_array_append_new(countries, json_string(table->countries[i]));
    return json_pack("{s:o}", "countries", countries);
}

static void describe_json(const struct config *config, struct buffer *out)
{
    bool has_table = config->bmp && config->bmp_table != BMP_TABLES;
    json_t *bgp = config->bgp.listen ? bgp_json(&config->bgp) : json_null();
    json_t *ris = config->ris_live.is_wanted ? ris_live_json(&config->ris_live) : json_null();
    json_t *table = config->table.is_wanted ? table_json(&config->table) : json_null();
    json_t *blocks = config->blocks.count ? blocks_json(config) : json_null();
    json_t *subjects = json_array(), *warnings = json_array();
    for (size_t i = 0; i < config->subject_count; i++)
        json_array_append_new(subjects, subject_json(&config->subjects[i]));
    for (size_t i = 0; i < config->warning_count; i++)
        json_array_append_new(warnings, json_string(config->warnings[i]));
    json_t *whole = json_pack(
        "{s:s, s:b, s:s, s:I, s:I, s:I, s:f, s:I, s:o*, s:s?, s:s?, s:o, s:o, s:o, s:o, s:s, s:o, "
        "s:o}",
        "config", config->path, "valid", 1, "vantage", config->vantage, "targets",
        (json_int_t)(config->plan_count - config->control_count), "controls",
        (json_int_t)config->control_count, "texts", (json_int_t)text_count(config),
        "probes_per_second", config_rate(config), "archives", (json_int_t)config->archive_count,
        "archive_span", span_json(&config->archive_span), "bmp", config->bmp, "bmp_table",
        has_table ? bmp_table_name(config->bmp_table) : NULL, "bgp", bgp, "ris_live", ris,
        "whole_table", table, "blocks", blocks, "journal", config->journal, "subjects", subjects,
        "warnings", warnings);
    char *line = whole ? json_dumps(whole, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (line)
        buffer_printf(out, "%s\n", line);
    free(line);
    json_decref(whole);
}

void config_describe(const struct config *config, bool is_json, struct buffer *out)
{
    if (is_json)
        describe_json(config, out);
    else
        describe_text(config, out);
}
