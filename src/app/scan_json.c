#include "app/scan_report.h"

#include "out/json.h"

enum { PREFIXES = 100 };

static json_t *text_or_null(const char *text)
{
    return json_text(text && *text ? text : NULL);
}

static json_t *prefix_json(const struct prefix *prefix)
{
    char text[PREFIX_TEXT_MAX];
    return json_text(prefix_format(prefix, text));
}

static json_t *count_json(uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *asn_json(uint32_t asn)
{
    return asn ? count_json(asn) : json_null();
}

static json_t *seconds_json(int64_t ns)
{
    return ns < 0 ? json_null() : json_number((double)ns / (double)NS_PER_S);
}

static json_t *hops_json(double hops)
{
    return hops > 0 ? json_number(hops) : json_null();
}

static json_t *prefixes_json(const struct scan_event *event)
{
    json_t *list = json_array();
    for (size_t i = 0; i < event->prefix_count && i < PREFIXES; i++)
        json_array_append_new(list, prefix_json(&event->prefixes[i]));
    return list;
}

static json_t *upstreams_json(const struct scan_event *event)
{
    json_t *list = json_array();
    for (size_t i = 0; i < event->upstream_count; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "asn", count_json(event->upstreams[i].asn));
        json_object_set_new(row, "prefixes", count_json(event->upstreams[i].peers));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *rpki_json(const struct scan_event *event)
{
    json_t *row = json_object();
    for (int i = 0; i < RPKI_STATE_COUNT; i++)
        if (event->rpki[i])
            json_object_set_new(row, rpki_state_name((enum rpki_state)i),
                                count_json(event->rpki[i]));
    return row;
}

static void set_subject(json_t *row, const struct scan_event *event)
{
    json_object_set_new(row, "type", json_text(scan_kind_name(event->kind)));
    json_object_set_new(row, "family", count_json(event->family));
    json_object_set_new(row, "asn", asn_json(event->asn));
    json_object_set_new(row, "country", text_or_null(event->country.code));
    if (event->is_country) {
        json_object_set_new(row, "ases", count_json(event->ases));
        json_object_set_new(row, "known_ases", count_json(event->known_ases));
        json_object_set_new(row, "known_blocks", count_json(event->known_blocks));
    }
    if (event->other)
        json_object_set_new(row, "new_origin", count_json(event->other));
    json_object_set_new(row, "prefix_count", count_json(event->prefix_count));
    json_object_set_new(row, "prefixes", prefixes_json(event));
    json_object_set_new(row, "known_prefixes", count_json(event->known_prefixes));
    if (event->kind == SCAN_MORE_SPECIFIC)
        json_object_set_new(row, "within", prefix_json(&event->cover));
    json_object_set_new(row, "blocks", count_json(event->blocks));
}

static void set_course(json_t *row, const struct scan_event *event)
{
    json_object_set_new(row, "began", json_interval(&event->began));
    json_object_set_new(row, "ended", json_interval(&event->ended));
    json_object_set_new(row, "open_prefixes", count_json(event->open));
    json_object_set_new(row, "partly_back", count_json(event->partly));
    json_object_set_new(row, "lacking", count_json(event->lacking));
    json_object_set_new(row, "lacking_of", count_json(event->lacking_of));
    json_object_set_new(row, "unseen", json_boolean(event->is_unseen));
    json_object_set_new(row, "seconds", seconds_json(event->longest_ns));
    json_object_set_new(row, "peers", count_json(event->peers));
    json_object_set_new(row, "of", count_json(event->of));
    json_object_set_new(row, "unknown_peers", count_json(event->unknown));
    json_object_set_new(row, "fall_seconds", seconds_json(event->fall_ns));
    json_object_set_new(row, "times", count_json(event->times));
    json_object_set_new(row, "flaps", count_json(event->flaps));
    json_object_set_new(row, "first_told", json_time(event->told));
}

static void set_relations(json_t *row, const struct scan_event *event, bool has_rpki)
{
    json_object_set_new(row, "path_length", hops_json(event->path_length));
    if (event->kind == SCAN_OUTAGE || event->kind == SCAN_PARTIAL) {
        json_object_set_new(row, "upstreams", upstreams_json(event));
        json_object_set_new(row, "behind", asn_json(event->behind));
        json_object_set_new(row, "together", count_json(event->together));
    } else {
        json_object_set_new(row, "old_path_length", hops_json(event->old_path_length));
        json_object_set_new(row, "related", json_boolean(event->is_related));
        json_object_set_new(row, "sure", json_boolean(event->is_sure));
    }
    if (has_rpki && !event->is_country)
        json_object_set_new(row, "rpki", rpki_json(event));
    json_object_set_new(row, "score_seconds", json_number(event->score));
}

static json_t *collectors_json(const struct scan_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->collector_count; i++)
        if (*report->collectors[i])
            json_array_append_new(list, json_text(report->collectors[i]));
    return list;
}

static void summary_json(const struct scan_report *report, struct buffer *out)
{
    const struct scan_summary *summary = &report->summary;
    const struct route_table_counts *table = &summary->table;
    json_t *row = json_object();
    json_object_set_new(row, "type", json_text("summary"));
    json_object_set_new(row, "from", json_time(summary->first));
    json_object_set_new(row, "until", json_time(summary->last));
    json_object_set_new(row, "records", count_json(report->records));
    json_object_set_new(row, "bad", count_json(report->bad));
    json_object_set_new(row, "missing", count_json(report->missing));
    json_object_set_new(row, "collectors", collectors_json(report));
    json_object_set_new(row, "changes", count_json(table->changes));
    json_object_set_new(
        row, "updates",
        count_json(report->counts.of[ELEMENT_ANNOUNCE] + report->counts.of[ELEMENT_WITHDRAW]));
    json_object_set_new(row, "peers", count_json(table->peers));
    json_object_set_new(row, "full_feeds4", count_json(summary->full_feeds_most[0]));
    json_object_set_new(row, "full_feeds6", count_json(summary->full_feeds_most[1]));
    json_object_set_new(row, "least_peers", count_json(report->min_peers));
    json_object_set_new(row, "prefixes4", count_json(table->prefixes[0]));
    json_object_set_new(row, "prefixes6", count_json(table->prefixes[1]));
    json_object_set_new(row, "session_losses", count_json(table->sessions_lost));
    json_object_set_new(row, "gaps", count_json(summary->gaps));
    json_object_set_new(row, "tables_seen", json_boolean(summary->has_dump));
    json_object_set_new(row, "events", count_json(report->events->count));
    json_object_set_new(row, "left_out", count_json(report->events->left_out));
    if (report->wish->rpki) {
        json_object_set_new(row, "rpki_entries",
                            count_json(vrps_count(rpki_vrps(report->wish->rpki))));
        json_object_set_new(row, "rpki_made", json_time(report->rpki_made));
    }
    json_object_set_new(row, "refused", count_json(summary->refused));
    json_object_set_new(row, "refused_changes", count_json(table->refused));
    json_object_set_new(row, "memory", count_json(table->memory));
    json_line(out, row);
}

void scan_json(const struct scan_report *report, struct buffer *out)
{
    size_t outages = 0, claims = 0;
    for (size_t i = 0; i < report->events->count; i++) {
        const struct scan_event *event = &report->events->list[i];
        size_t *rank = event->kind >= SCAN_ORIGIN ? &claims : &outages;
        if (++*rank > report->top && report->top)
            continue;
        json_t *row = json_object();
        set_subject(row, event);
        set_course(row, event);
        set_relations(row, event, report->wish->rpki != NULL);
        json_line(out, row);
    }
    summary_json(report, out);
}

void scan_bin_json(const struct bin_row *bin, struct buffer *out)
{
    static const char *const names[2][5] = {
        {"slash24", "known24", "prefixes4", "peers4", "peers4_total"},
        {"slash48", "known48", "prefixes6", "peers6", "peers6_total"}};
    json_t *row = json_object();
    json_object_set_new(row, "type", json_text("bin"));
    json_object_set_new(row, "start", json_time(bin->start));
    if (bin->who.asn)
        json_object_set_new(row, "asn", count_json(bin->who.asn));
    else if (bin->who.country.code[0])
        json_object_set_new(row, "country", json_text(bin->who.country.code));
    for (size_t i = 0; i < 2; i++) {
        bool has_data = bin_has_data(bin, i);
        json_object_set_new(row, names[i][0], has_data ? count_json(bin->seen[i]) : json_null());
        json_object_set_new(row, names[i][1], has_data ? count_json(bin->known[i]) : json_null());
        json_object_set_new(row, names[i][2],
                            has_data ? count_json(bin->prefixes[i]) : json_null());
    }
    uint32_t ases = bin->who.asn ? bin->upstreams : bin->origins;
    bool has_any = bin_has_data(bin, 0) || bin_has_data(bin, 1);
    json_object_set_new(row, bin->who.asn ? "upstreams" : "origins",
                        has_any ? count_json(ases) : json_null());
    json_object_set_new(row, "path_length", has_any ? json_number(bin->path_length) : json_null());
    for (size_t i = 0; i < 2; i++) {
        json_object_set_new(row, names[i][3], count_json(bin->peers[i]));
        json_object_set_new(row, names[i][4], count_json(bin->peers_total[i]));
    }
    json_line(out, row);
}
