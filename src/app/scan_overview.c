/* What was read, and what can be seen in it: told before the events. */
#include "app/scan_report.h"

#include "out/words.h"

#include <inttypes.h>

static uint64_t updates_of(const struct scan_report *report)
{
    return report->counts.of[ELEMENT_ANNOUNCE] + report->counts.of[ELEMENT_WITHDRAW];
}

static bool is_witnessed(const struct scan_report *report, size_t family)
{
    return report->summary.full_feeds_most[family] >= report->min_peers;
}

bool scan_can_see(const struct scan_report *report)
{
    return updates_of(report) && (is_witnessed(report, 0) || is_witnessed(report, 1));
}

/* " of rrc00 and rrc01"; "" if nobody knows. */
static const char *collectors_words(struct arena *arena, const struct scan_report *report)
{
    const char **names = arena_alloc(arena, (report->collector_count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < report->collector_count; i++)
        if (*report->collectors[i])
            names[count++] = report->collectors[i];
    return count ? arena_printf(arena, " of %s", words_list(arena, names, count)) : "";
}

static const char *counted(struct arena *arena, uint64_t n, const char *one, const char *many)
{
    return arena_printf(arena, "%s %s", words_number(arena, n), n == 1 ? one : many);
}

static void add_extent(struct page *page, const struct scan_report *report, struct arena *arena)
{
    const struct scan_summary *summary = &report->summary;
    const struct route_table_counts *table = &summary->table;
    page_paragraph(
        page,
        arena_printf(arena,
                     "%s to %s: %s of %s%s, of %s of IPv4 and %s of IPv6; live with a full "
                     "feed were up to %u (IPv4) and %u (IPv6) of them.",
                     words_time(arena, summary->first), words_time(arena, summary->last),
                     counted(arena, table->changes, "change", "changes"),
                     counted(arena, table->peers, "peer", "peers"), collectors_words(arena, report),
                     counted(arena, table->prefixes[0], "prefix", "prefixes"),
                     words_number(arena, table->prefixes[1]), summary->full_feeds_most[0],
                     summary->full_feeds_most[1]));
}

/* What kind of archives there are, and whether there were witnesses enough. */
static void add_view(struct page *page, const struct scan_report *report, struct arena *arena)
{
    const struct scan_summary *summary = &report->summary;
    if (!summary->has_dump)
        page_paragraph(page, "There is no table dump among these archives: of a prefix that nobody "
                             "spoke of nothing is known, and it does not count.");
    if (!updates_of(report)) {
        page_paragraph(page, "There are table dumps alone among these archives, and no updates: "
                             "nothing that went out can be seen.");
        return;
    }
    for (size_t i = 0; i < 2; i++)
        if (summary->table.prefixes[i] && !is_witnessed(report, i))
            page_paragraph(
                page,
                arena_printf(arena,
                             "Of IPv%d no outage can be seen: it takes %u peers that are live with "
                             "a full feed, and there %s %u at most.",
                             i ? 6 : 4, report->min_peers,
                             summary->full_feeds_most[i] == 1 ? "was" : "were",
                             summary->full_feeds_most[i]));
}

/* When it could not be seen, and what is not told. */
static void add_blindness(struct page *page, const struct scan_summary *summary,
                          struct arena *arena)
{
    uint64_t sessions = summary->table.sessions_lost, changes = summary->table.refused;
    if (sessions)
        page_paragraph(page,
                       arena_printf(arena,
                                    "%s lost. From then on nothing is known of what such a peer "
                                    "carries, until it says so again; that is no outage.",
                                    counted(arena, sessions, "session of a peer was",
                                            "sessions of peers were")));
    if (summary->gaps)
        page_paragraph(page, arena_printf(arena, "%s in the archives, %s%s.",
                                          counted(arena, summary->gaps, "gap", "gaps"),
                                          summary->gaps == 1 ? "" : "the longest ",
                                          words_interval(arena, &summary->gap, (struct utc){0})));
    if (summary->refused)
        page_paragraph(page, arena_printf(arena, "For want of room %s not taken up.",
                                          counted(arena, summary->refused, "event or gap was",
                                                  "events or gaps were")));
    if (changes)
        page_paragraph(page,
                       arena_printf(arena,
                                    "%s not used, for want of room or because the path makes no "
                                    "sense.",
                                    counted(arena, changes, "change was", "changes were")));
}

/* Whether it was so at the time of archives of another day it cannot tell. */
static void add_rpki(struct page *page, const struct scan_report *report, struct arena *arena)
{
    const struct scan_summary *summary = &report->summary;
    struct utc made = report->rpki_made;
    bool is_other_day =
        utc_diff(summary->first, made) > NS_PER_DAY || utc_diff(made, summary->last) > NS_PER_DAY;
    if (!report->wish->rpki)
        return;
    page_paragraph(
        page,
        arena_printf(
            arena,
            "The RPKI, where holders of addresses say who may announce "
            "them, is that of %s, with %s%s.",
            utc_is_known(made) ? words_time(arena, made) : "a time that its file does not tell",
            counted(arena, vrps_count(rpki_vrps(report->wish->rpki)), "entry", "entries"),
            is_other_day ? "; what it said at the time of these archives is not known" : ""));
}

/* What is asked for, where that is not everything. */
static void add_wish(struct page *page, const struct scan_wish *wish, struct arena *arena)
{
    const char *items[3];
    char prefix[PREFIX_TEXT_MAX];
    size_t count = 0;
    if (wish->asn)
        items[count++] = arena_printf(arena, "of AS%" PRIu32, wish->asn);
    if (wish->country.code[0])
        items[count++] = arena_printf(arena, "of %s", wish->country.code);
    if (wish->prefix.addr.family)
        items[count++] = arena_printf(arena, "of prefixes within %s or around it",
                                      prefix_format(&wish->prefix, prefix));
    if (count)
        page_paragraph(page, arena_printf(arena, "Shown are only events %s.",
                                          words_list(arena, items, count)));
}

bool scan_overview(const struct scan_report *report, struct page *page, struct arena *arena)
{
    if (!updates_of(report) && !report->summary.has_dump) {
        page_paragraph(page,
                       "There is no route in these archives, or none of the time that was asked "
                       "for: nothing is known of any outage.");
        return false;
    }
    add_extent(page, report, arena);
    add_view(page, report, arena);
    add_blindness(page, &report->summary, arena);
    add_rpki(page, report, arena);
    add_wish(page, report->wish, arena);
    if (report->events->count)
        page_paragraph(
            page, "The largest come first: how much of the address space, at what share of the "
                  "peers, for how long. A peer is a router that tells a collector its routes. "
                  "Space is counted in blocks of 256 addresses (/24), of IPv6 in /48s.");
    return true;
}
