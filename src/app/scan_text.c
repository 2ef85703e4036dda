#include "app/scan_report.h"

#include "out/page.h"
#include "out/words.h"

#include <inttypes.h>

enum { PREFIXES = 3 };

static const char *blocks_words(struct arena *arena, const struct scan_event *event,
                                uint64_t blocks)
{
    return arena_printf(arena, "%s /%d%s", words_number(arena, blocks),
                        event->family == 6 ? 48 : 24, blocks == 1 ? "" : "s");
}

static const char *prefix_words(struct arena *arena, const struct prefix *prefix)
{
    char text[PREFIX_TEXT_MAX];
    return arena_printf(arena, "%s", prefix_format(prefix, text));
}

/* The first few, and how many more. */
static const char *prefixes_words(struct arena *arena, const struct scan_event *event)
{
    const char *items[PREFIXES + 1];
    size_t count = 0;
    for (; count < event->prefix_count && count < PREFIXES; count++)
        items[count] = prefix_words(arena, &event->prefixes[count]);
    if (event->prefix_count > count)
        items[count++] =
            arena_printf(arena, "%s more", words_number(arena, event->prefix_count - PREFIXES));
    return words_list(arena, items, count);
}

static const char *as_words(struct arena *arena, uint32_t asn, struct country country)
{
    if (!asn)
        return "AS unknown";
    return country.code[0] ? arena_printf(arena, "AS%" PRIu32 " (%s)", asn, country.code)
                           : arena_printf(arena, "AS%" PRIu32, asn);
}

/* "8 of 583 known prefixes", or, where nobody knows how many there are, "8 prefixes". */
static const char *count_words(struct arena *arena, const struct scan_event *event)
{
    const char *count = words_number(arena, event->prefix_count);
    size_t last = event->known_prefixes ? event->known_prefixes : event->prefix_count;
    const char *prefixes = last == 1 ? "prefix" : "prefixes";
    return event->known_prefixes
               ? arena_printf(arena, "%s of %s known %s", count,
                              words_number(arena, event->known_prefixes), prefixes)
               : arena_printf(arena, "%s %s", count, prefixes);
}

/* Whose, how many, which. */
static const char *subject_words(struct arena *arena, const struct scan_event *event)
{
    const char *blocks = blocks_words(arena, event, event->blocks);
    if (!event->is_country)
        return arena_printf(arena, "%s: %s, %s: %s.", as_words(arena, event->asn, event->country),
                            count_words(arena, event), blocks, prefixes_words(arena, event));
    return arena_printf(arena, "%s: %s of %s known, in %s of %zu of %zu known ASes.",
                        event->country.code, blocks, words_number(arena, event->known_blocks),
                        count_words(arena, event), event->ases, event->known_ases);
}

/* Who does not have it back. After a gap nobody knows. */
static const char *rest_words(struct arena *arena, const struct scan_event *event)
{
    bool is_all = event->partly == event->prefix_count;
    const char *some = arena_printf(arena, "%s of them", words_number(arena, event->partly));
    if (!event->partly)
        return "";
    if (!event->lacking_of)
        return arena_printf(arena, ", %s at a part of the peers", is_all ? "but" : some);
    return arena_printf(arena, ", but %u of %u peers %s without %s at the end", event->lacking,
                        event->lacking_of, event->lacking == 1 ? "was" : "were",
                        !is_all                    ? some
                        : event->prefix_count == 1 ? "it"
                                                   : "them");
}

static const char *end_words(struct arena *arena, const struct scan_event *event)
{
    char least[DURATION_TEXT_MAX];
    duration_format(event->longest_ns, least);
    const char *partly = rest_words(arena, event);
    if (!event->open)
        return arena_printf(arena, "%sback %s (%s)%s", event->prefix_count == 1 ? "" : "the last ",
                            words_interval(arena, &event->ended, event->began.first_after),
                            words_between(arena, &event->began, &event->ended), partly);
    const char *which =
        event->open == event->prefix_count
            ? ""
            : arena_printf(arena, " for %s of them", words_number(arena, event->open));
    if (event->is_unseen)
        return arena_printf(arena,
                            "not heard of again%s since a gap in the archive, %s after it went",
                            which, least);
    return arena_printf(arena, "still so%s at the end, %s later", which, least);
}

static const char *until_words(struct arena *arena, const struct scan_event *event)
{
    char least[DURATION_TEXT_MAX];
    if (!utc_is_known(event->ended.first_after))
        return arena_printf(arena,
                            event->is_unseen
                                ? "not heard of again since a gap in the archive, %s later"
                                : "still so at the end, %s later",
                            duration_format(event->longest_ns, least));
    return arena_printf(arena, "until %s (%s)",
                        words_interval(arena, &event->ended, event->began.first_after),
                        words_between(arena, &event->began, &event->ended));
}

static const char *peers_words(struct arena *arena, const struct scan_event *event)
{
    const char *unknown =
        event->unknown ? arena_printf(arena, " (%u more had not)", event->unknown) : "";
    return arena_printf(arena, "%u of %u peers that had told of it%s", event->peers, event->of,
                        unknown);
}

static const char *fall_words(struct arena *arena, const struct scan_event *event)
{
    char text[DURATION_TEXT_MAX];
    if (event->fall_ns < 0)
        return "";
    if (event->fall_ns < NS_PER_S)
        return ", all within a second";
    return arena_printf(arena, ", from a tenth to nine tenths of the loss in %s",
                        duration_format(event->fall_ns, text));
}

static const char *upstream_words(struct arena *arena, const struct scan_event *event)
{
    const char *items[SCAN_UPSTREAMS];
    for (size_t i = 0; i < event->upstream_count; i++)
        items[i] = arena_printf(arena, "AS%" PRIu32, event->upstreams[i].asn);
    if (!event->upstream_count)
        return "";
    const char *list = words_list(arena, items, event->upstream_count);
    if (!event->together)
        return arena_printf(arena, " Before, most peers had it by %s.", list);
    return arena_printf(
        arena,
        " Before, most peers had it by %s; %s behind AS%" PRIu32 " went within two minutes of it.",
        list, words_count(arena, event->together, "other AS", "other ASes"), event->behind);
}

static const char *hops_words(struct arena *arena, const struct scan_event *event)
{
    if (event->path_length <= 0)
        return "";
    if (event->kind < SCAN_ORIGIN)
        return arena_printf(arena, " Paths to it were %.1f ASes long.", event->path_length);
    if (event->old_path_length <= 0)
        return arena_printf(arena, " Its paths were %.1f ASes long.", event->path_length);
    return arena_printf(arena, " Its paths were %.1f ASes long, those before %.1f.",
                        event->path_length, event->old_path_length);
}

/* Figures of several prefixes are those of the one of which they are the highest. */
static const char *history_words(struct arena *arena, const struct scan_event *event)
{
    bool is_one = event->prefix_count == 1;
    const char *times =
        event->times > 1
            ? arena_printf(arena, " %s went %u times, back for less than five minutes each time.",
                           is_one ? "It" : "One of them", event->times)
            : "";
    const char *flaps = event->flaps
                            ? arena_printf(arena, " In the six hours before %s had gone %s.",
                                           is_one ? "it" : "one of them",
                                           words_count(arena, event->flaps, "time", "times"))
                            : "";
    const char *told =
        utc_is_known(event->told)
            ? arena_printf(arena, " %s at %s; whether it was there before is not known.",
                           is_one ? "First told of" : "One of them was first told of",
                           words_time(arena, event->told))
            : "";
    return arena_printf(arena, "%s%s%s", times, flaps, told);
}

static const char *rpki_words(struct arena *arena, const struct scan_event *event, uint32_t origin)
{
    const char *items[RPKI_STATE_COUNT];
    size_t count = 0;
    for (int i = RPKI_VALID; i < RPKI_STATE_COUNT; i++)
        if (event->rpki[i])
            items[count++] =
                arena_printf(arena, "%u %s", event->rpki[i], rpki_state_name((enum rpki_state)i));
    if (!count)
        return "";
    const char *of =
        event->prefix_count == 1
            ? ""
            : arena_printf(arena, " of %s prefixes", words_number(arena, event->prefix_count));
    return arena_printf(arena, " RPKI, with origin AS%" PRIu32 ": %s%s.", origin,
                        words_list(arena, items, count), of);
}

/* Of a country: when a tenth of it was lost at once, which is not when all of it was. Of several prefixes:
 * from the first that went to the last that came back. */
static const char *course_words(struct arena *arena, const struct scan_event *event)
{
    const char *lost = event->kind == SCAN_OUTAGE ? "gone" : "lost in part";
    const char *began = words_interval(arena, &event->began, (struct utc){0});
    if (event->is_country)
        return arena_printf(arena, "A tenth or more was %s at once since %s, %s.", lost, began,
                            until_words(arena, event));
    if (event->prefix_count > 1)
        return arena_printf(arena, "The first %s %s; %s.", lost, began, end_words(arena, event));
    return arena_printf(arena, "%s %s; %s.", event->kind == SCAN_OUTAGE ? "Gone" : "Lost in part",
                        began, end_words(arena, event));
}

static const char *outage_words(struct arena *arena, const struct scan_event *event)
{
    return arena_printf(arena, "%s %s Lost by %s%s.%s%s%s%s", subject_words(arena, event),
                        course_words(arena, event), peers_words(arena, event),
                        fall_words(arena, event), upstream_words(arena, event),
                        hops_words(arena, event), history_words(arena, event),
                        rpki_words(arena, event, event->asn));
}

static const char *claim_words(struct arena *arena, const struct scan_event *event)
{
    const char *owner = as_words(arena, event->asn, event->country);
    const char *what =
        event->kind == SCAN_ORIGIN
            ? arena_printf(arena, "which %s had announced", owner)
            : arena_printf(arena, "within %s of %s", prefix_words(arena, &event->cover), owner);
    const char *flaps =
        event->flaps ? arena_printf(arena, " In the six hours before it had announced %s %s.",
                                    event->prefix_count == 1 ? "it" : "one of them",
                                    words_count(arena, event->flaps, "time", "times"))
                     : "";
    const char *related = event->is_related ? " One of the two is on the other's path." : "";
    const char *unsure =
        event->is_sure ? "" : " Whether it was there before cannot be told from updates alone.";
    return arena_printf(
        arena,
        "AS%" PRIu32
        " announces %s (%s), %s. Since %s, %s. %u of %u peers with a route had it.%s%s%s%s%s",
        event->other, prefixes_words(arena, event), blocks_words(arena, event, event->blocks), what,
        words_interval(arena, &event->began, (struct utc){0}), until_words(arena, event),
        event->peers, event->of, hops_words(arena, event), flaps, related, unsure,
        rpki_words(arena, event, event->other));
}

static void add_events(struct page *page, const struct scan_report *report, struct arena *arena,
                       bool are_claims)
{
    size_t rank = 0;
    for (size_t i = 0; i < report->events->count; i++) {
        const struct scan_event *event = &report->events->list[i];
        if ((event->kind >= SCAN_ORIGIN) != are_claims)
            continue;
        if (++rank > report->top && report->top)
            continue;
        page_item(page, arena_printf(arena, "%zu.", rank),
                  are_claims ? claim_words(arena, event) : outage_words(arena, event));
        page_space(page);
    }
    if (!rank)
        page_paragraph(page, scan_can_see(report) ? "None was found." : "None could be seen.");
    else if (report->top && rank > report->top)
        page_paragraph(page, arena_printf(arena, "And %s more; --top 0 shows all.",
                                          words_number(arena, rank - report->top)));
}

static void add_all(struct page *page, const struct scan_report *report, struct arena *arena)
{
    page_heading(page, "Outages");
    add_events(page, report, arena, false);
    page_heading(page, "Other origins");
    add_events(page, report, arena, true);
    if (report->events->left_out)
        page_paragraph(
            page, arena_printf(arena,
                               "Left out: %s within those of another AS, of which nobody had "
                               "told before. Whether they are new cannot be told from updates "
                               "alone; --unsure lists them.",
                               words_count(arena, report->events->left_out, "prefix", "prefixes")));
}

void scan_text(const struct scan_report *report, const struct style *style, struct buffer *out)
{
    struct page page = page_of(style, out);
    struct arena arena = {0};
    if (scan_overview(report, &page, &arena))
        add_all(&page, report, &arena);
    arena_done(&arena);
}
