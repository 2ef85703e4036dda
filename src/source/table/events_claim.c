/* Claims, put together by the two ASes and the time. */
#include "source/table/events_inside.h"

#include <stdlib.h>

/* So many peers must have gone over from one AS to the other at once, that it is not taken for two origins
 * that always were there. */
enum { FROM_OWNER = 5 };
/* A prefix that is new is everywhere within this. */
static const int64_t SPREAD_NS = 5 * NS_PER_MINUTE;

/* Whether enough peers had it to speak of. */
static bool is_heard(const struct making *making, const struct claim *claim)
{
    unsigned full = making->summary.full_feeds_most[making_family(claim->row.family)];
    unsigned most = making->losses->min_peers ? making->losses->min_peers
                    : full >= 5               ? 5
                    : full > 2                ? full
                                              : 2;
    return claim->peers_most >= most && claim->owner;
}

/* Updates alone do not tell whether a prefix is new. Its first announcement, or a change of its path, are
 * then the same. */
static bool is_sure(const struct making *making, const struct claim *claim)
{
    const struct row_notes *notes = row_notes(making->table, claim->row);
    if (!claim->cover.row)
        return true;
    return making->summary.has_dump || (!claim->is_open && notes->witnesses == 0);
}

bool claim_is_news(const struct making *making, const struct claim *claim)
{
    const struct row_notes *notes = row_notes(making->table, claim->row);
    unsigned full = making->summary.full_feeds_most[making_family(claim->row.family)];
    if (!is_heard(making, claim))
        return false;
    if (!claim->cover.row)
        return claim->from_owner >= (full < FROM_OWNER ? 1 : FROM_OWNER);
    bool is_wide = claim->peers_most * 2U >= full && utc_is_known(claim->half) &&
                   utc_diff(claim->half, claim->began.first_after) <= SPREAD_NS;
    return notes->told != 1 && !notes->witnesses && is_wide && !claim->is_related;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_claims(const void *first, const void *second)
{
    const struct claim *a = *(const struct claim *const *)first,
                       *b = *(const struct claim *const *)second;
    int order = compare_numbers(a->cover.row != 0, b->cover.row != 0);
    if (!order)
        order = compare_numbers(a->row.family, b->row.family);
    if (!order)
        order = compare_numbers(a->origin, b->origin);
    if (!order)
        order = compare_numbers(a->owner, b->owner);
    if (!order)
        order = compare_numbers(a->is_open, b->is_open);
    if (!order)
        order =
            compare_numbers((uint64_t)a->began.first_after.ns, (uint64_t)b->began.first_after.ns);
    return order ? order : compare_numbers(a->row.row, b->row.row);
}

static bool are_together(const struct claim *first, const struct claim *next)
{
    return (first->cover.row != 0) == (next->cover.row != 0) &&
           first->row.family == next->row.family && first->origin == next->origin &&
           first->owner == next->owner && first->is_open == next->is_open &&
           utc_diff(next->began.first_after, first->began.first_after) <= TOGETHER_NS;
}

static int compare_prefixes(const void *first, const void *second)
{
    return prefix_compare(first, second);
}

static void set_prefixes(struct making *making, struct scan_event *event,
                         const struct claim *const *claims, size_t count)
{
    struct prefix *prefixes = arena_alloc(&making->events->arena, count * sizeof *prefixes);
    uint64_t covered = 0;
    for (size_t i = 0; i < count; i++)
        prefixes[i] = route_table_prefix(making->table, claims[i]->row);
    qsort(prefixes, count, sizeof *prefixes, compare_prefixes);
    for (size_t i = 0; i < count; i++)
        event->blocks += blocks_add(&prefixes[i], &covered);
    event->prefixes = prefixes;
    event->prefix_count = count;
}

/* How often the same AS had announced it in the hours before. */
static unsigned flaps_before(const struct making *making, const struct claim *claim)
{
    unsigned flaps = 0;
    const struct claim *before;
    for (uint32_t i = claim->next; i; i = before->next) {
        before = &making->claims->list[i - 1];
        if (before->origin == claim->origin &&
            utc_diff(claim->began.first_after, before->began.first_after) <= FLAPS_NS)
            flaps += before->times;
    }
    return flaps;
}

static void set_claim(const struct making *making, struct scan_event *event,
                      const struct claim *claim)
{
    struct utc end = claim->is_unseen ? claim->unseen_since
                     : claim->is_open ? making->summary.last
                                      : claim->ended.last_before;
    int64_t lasted = utc_diff(end, claim->began.first_after);
    if (claim->began.last_before.ns < event->began.last_before.ns)
        event->began.last_before = claim->began.last_before;
    if (!claim->is_open && claim->ended.first_after.ns > event->ended.first_after.ns)
        event->ended = claim->ended;
    event->open += claim->is_open;
    event->is_unseen |= claim->is_unseen;
    if (lasted > event->longest_ns)
        event->longest_ns = lasted;
    if (claim->times > event->times)
        event->times = claim->times;
    unsigned flaps = flaps_before(making, claim);
    if (flaps > event->flaps)
        event->flaps = flaps;
    event->is_related |= claim->is_related;
    event->is_sure &= is_sure(making, claim);
}

static void set_path_lengths(struct scan_event *event, const struct claim *const *claims,
                             size_t count)
{
    double hops = 0, old_hops = 0, peers = 0, old_peers = 0;
    for (size_t i = 0; i < count; i++) {
        hops += claims[i]->hops;
        peers += claims[i]->peers_most;
        old_hops += claims[i]->owner_hops;
        old_peers += claims[i]->from_owner;
    }
    event->path_length = peers > 0 ? hops / peers : 0;
    event->old_path_length = old_peers > 0 ? old_hops / old_peers : 0;
}

static void make_event(struct making *making, const struct claim *const *claims, size_t count)
{
    const struct claim *first = claims[0], *middle = claims[count / 2];
    struct scan_event event = {.kind = first->cover.row ? SCAN_MORE_SPECIFIC : SCAN_ORIGIN,
                               .family = first->row.family,
                               .asn = first->owner,
                               .other = first->origin,
                               .began = first->began,
                               .peers = middle->peers_most,
                               .of = middle->known_then,
                               .fall_ns = -1,
                               .is_sure = true};
    for (size_t i = 0; i < count; i++)
        set_claim(making, &event, claims[i]);
    if (!event.is_sure && !making->wish->has_unsure) {
        making->events->left_out += count;
        return;
    }
    set_path_lengths(&event, claims, count);
    if (first->cover.row)
        event.cover = route_table_prefix(making->table, first->cover);
    set_prefixes(making, &event, claims, count);
    event.country = making_country(making, &event.prefixes[0], event.asn);
    event.score = (double)event.blocks * event.peers / (event.of ? event.of : 1) *
                  (double)event.longest_ns / (double)NS_PER_S;
    making_judge(making, &event, event.other);
    *making_event(making) = event;
}

void make_claims(struct making *making)
{
    const struct claim **list = mem_new(making->claims->count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < making->claims->count; i++) {
        const struct claim *claim = &making->claims->list[i];
        struct prefix prefix = route_table_prefix(making->table, claim->row);
        if (making_wants(making, &prefix, claim->owner, claim->origin) &&
            claim_is_news(making, claim))
            list[count++] = claim;
    }
    if (count)
        qsort(list, count, sizeof *list, compare_claims);
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && are_together(list[i], list[i + n]);)
            n++;
        make_event(making, list + i, n);
    }
    free(list);
}
