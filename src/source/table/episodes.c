#include "source/table/episodes.h"

#include "base/mem.h"

#include <stdlib.h>

static const double WATCHED = 0.1, PARTIAL = 0.2, GONE = 0.8, NOT_GONE = 0.7;
/* Losses further apart belong to different falls; a return shorter than this is none. */
static const int64_t RUN_NS = 5 * NS_PER_MINUTE;
/* A partial loss must last so long; a prefix must have been there so long. */
static const int64_t SETTLED_NS = 5 * NS_PER_MINUTE, THERE_NS = 10 * NS_PER_MINUTE;
enum { MIN_PEERS = 5, WITNESSES = 2 };

void episodes_init(struct episodes *episodes, struct route_table *table, unsigned min_peers)
{
    *episodes = (struct episodes){.table = table, .min_peers = min_peers};
}

void episodes_done(struct episodes *episodes)
{
    free(episodes->list);
    *episodes = (struct episodes){0};
}

unsigned episodes_min_peers(const struct episodes *episodes, uint8_t family)
{
    unsigned peers = route_table_full_feeds(episodes->table, family);
    if (episodes->min_peers)
        return episodes->min_peers;
    return peers >= MIN_PEERS ? MIN_PEERS : peers > 2 ? peers : 2;
}

static uint32_t seconds_of(struct utc t)
{
    return (uint32_t)(t.ns / NS_PER_S);
}

static struct utc utc_of(uint32_t seconds)
{
    return (struct utc){seconds * NS_PER_S};
}

/* ---- opening and closing ---- */

static struct episode *take_place(struct episodes *episodes, uint32_t *number)
{
    *number = episodes->free;
    if (*number) {
        episodes->free = episodes->list[*number - 1].previous;
    } else {
        if (episodes->count == EPISODES_MAX) {
            episodes->refused++;
            return NULL;
        }
        episodes->list = mem_grow(episodes->list, &episodes->capacity, episodes->count + 1,
                                  sizeof *episodes->list);
        *number = (uint32_t)++episodes->count;
    }
    return &episodes->list[*number - 1];
}

static struct episode *open_episode(struct episodes *episodes, struct table_row row,
                                    struct row_notes *notes)
{
    uint32_t number;
    struct episode *last = notes->episode ? &episodes->list[notes->episode - 1] : NULL;
    if (last && utc_diff(episodes->now, last->ended.first_after) < RUN_NS) {
        last->is_open = true;
        last->ended = (struct interval){{0}, {0}};
        return last;
    }
    struct episode *fresh = take_place(episodes, &number);
    if (!fresh)
        return NULL;
    *fresh = (struct episode){.row = row, .previous = notes->episode, .is_open = true};
    fresh->began.last_before = utc_of(notes->falling);
    notes->episode = number;
    return fresh;
}

static void drop(struct episodes *episodes, struct episode *episode, struct row_notes *notes)
{
    uint32_t number = notes->episode;
    notes->episode = episode->previous;
    *episode = (struct episode){.is_free = true, .previous = episodes->free};
    episodes->free = number;
}

static bool is_settled(const struct episode *episode)
{
    return episode->was_gone || episode->partial_ns >= SETTLED_NS;
}

bool episodes_was_there(const struct row_notes *notes)
{
    return notes->told == 1 || notes->witnesses >= WITNESSES;
}

bool episode_counts(const struct episodes *episodes, const struct episode *episode)
{
    if (episode->is_free || !is_settled(episode))
        return false;
    const struct row_notes *notes = row_notes(episodes->table, episode->row);
    return episodes_was_there(notes) ||
           utc_diff(episode->began.first_after, utc_of(notes->told)) >= THERE_NS;
}

static void close_episode(struct episodes *episodes, struct episode *episode,
                          struct row_notes *notes)
{
    if (!is_settled(episode)) {
        drop(episodes, episode, notes);
        return;
    }
    episode->is_open = episode->is_gone = false;
    episode->lost = 0;
    episode->judged = episode->partial_since = (struct utc){0};
    episode->ended.first_after = episodes->now;
}

/* ---- who had it ---- */

struct votes {
    struct table_share shares[16];
    size_t count;
};

static void vote(struct votes *votes, uint32_t asn)
{
    size_t i = 0;
    while (i < votes->count && votes->shares[i].asn != asn)
        i++;
    if (i == sizeof votes->shares / sizeof *votes->shares || !asn)
        return;
    votes->count += i == votes->count;
    votes->shares[i].asn = asn;
    votes->shares[i].peers++;
}

static struct table_share winner(const struct votes *votes)
{
    struct table_share best = {0};
    for (size_t i = 0; i < votes->count; i++) {
        const struct table_share *share = &votes->shares[i];
        if (share->peers > best.peers || (share->peers == best.peers && share->asn < best.asn))
            best = *share;
    }
    return best;
}

/* From where those that have it have it. */
static void note_origin(const struct episodes *episodes, struct episode *episode)
{
    struct votes origins = {.count = 0}, upstreams = {.count = 0};
    uint32_t count = route_table_columns(episodes->table, episode->row.family);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cell = route_table_cell(episodes->table, episode->row, i);
        if (!cell_has_route(cell) ||
            !route_table_is_full_feed(episodes->table, episode->row.family, i))
            continue;
        vote(&origins, route_table_cell_origin(episodes->table, episode->row, cell));
        vote(&upstreams, route_table_cell_upstream(episodes->table, episode->row, i, cell));
    }
    struct table_share upstream = winner(&upstreams);
    episode->origin = winner(&origins).asn;
    episode->upstream = upstream.asn;
    episode->upstream_peers = (uint16_t)upstream.peers;
}

/* ---- judging ---- */

/* Adds what was so until now. */
static void add_up(struct episodes *episodes, struct episode *episode)
{
    if (utc_is_known(episode->judged))
        episode->area_ns += episode->lost * (double)utc_diff(episodes->now, episode->judged);
    if (utc_is_known(episode->partial_since)) {
        episode->partial_ns += utc_diff(episodes->now, episode->partial_since);
        episode->partial_since = episodes->now;
    }
    episode->judged = episodes->now;
    episode->is_unseen = false;
}

static void note_levels(const struct episodes *episodes, struct episode *episode, double lost)
{
    unsigned level = (unsigned)(lost * EPISODE_LEVELS);
    int64_t since = utc_diff(episodes->now, episode->began.last_before) / NS_PER_S;
    for (; episode->level < level; episode->level++)
        episode->levels[episode->level] = (uint16_t)(since > UINT16_MAX ? UINT16_MAX : since);
}

static void note_worst(struct episode *episode, const struct sight *sight, double lost)
{
    if (lost <= episode->lost_most)
        return;
    episode->lost_most = lost;
    episode->worst = *sight;
}

static void become_partial(struct episodes *episodes, struct episode *episode)
{
    episode->partial_since = episodes->now;
    if (!utc_is_known(episode->began.first_after)) {
        episode->began.first_after = episodes->now;
        note_origin(episodes, episode);
    }
}

static void become_gone(struct episodes *episodes, struct episode *episode)
{
    episode->is_gone = true;
    episode->times++;
    if (episode->was_gone)
        return;
    episode->was_gone = true;
    episode->went = (struct interval){episode->began.last_before, episodes->now};
}

/* A peer has lost the prefix. */
static void fall(struct episodes *episodes, struct episode *episode, const struct sight *sight,
                 double lost)
{
    bool is_many = sight->withdrawn >= 2; /* one peer alone is never an outage */
    episode->ended.last_before = (struct utc){0};
    note_levels(episodes, episode, lost);
    note_worst(episode, sight, lost);
    if (lost > PARTIAL && is_many && !utc_is_known(episode->partial_since))
        become_partial(episodes, episode);
    if (lost > GONE && is_many && !episode->is_gone)
        become_gone(episodes, episode);
}

/* A peer has it again. */
static void rise(struct episodes *episodes, struct episode *episode, struct row_notes *notes,
                 const struct sight *sight, double lost)
{
    unsigned known = (unsigned)sight->carried + sight->withdrawn;
    bool is_heard = known >= episodes_min_peers(episodes, episode->row.family);
    if (!utc_is_known(episode->ended.last_before))
        episode->ended.last_before = episodes->before;
    if (lost < NOT_GONE)
        episode->is_gone = false;
    if (lost <= PARTIAL)
        episode->partial_since = (struct utc){0};
    if (lost <= (episode->was_gone ? PARTIAL : WATCHED) && is_heard)
        close_episode(episodes, episode, notes);
}

static void judge(struct episodes *episodes, struct table_row row, struct row_notes *notes,
                  bool is_loss)
{
    struct episode *episode = notes->episode ? &episodes->list[notes->episode - 1] : NULL;
    struct sight sight = route_table_sight(episodes->table, row);
    unsigned known = (unsigned)sight.carried + sight.withdrawn, all = known + sight.unknown;
    bool is_open = episode && episode->is_open;
    double lost = all ? (double)sight.withdrawn / all : 0;
    if (!is_open &&
        (!is_loss || lost < WATCHED || known < episodes_min_peers(episodes, row.family)))
        return;
    if (!is_open && !(episode = open_episode(episodes, row, notes)))
        return;
    if (episode->was_gone && known) /* what is not known did not come back */
        lost = (double)sight.withdrawn / known;
    add_up(episodes, episode);
    episode->lost = lost;
    if (is_loss)
        fall(episodes, episode, &sight, lost);
    else
        rise(episodes, episode, notes, &sight, lost);
}

/* When the row was first heard of, and whether it was there before: a dump says so, and who withdraws
 * what he had never told of. */
static void note_told(struct row_notes *notes, const struct table_change *change, uint32_t now)
{
    if (!notes->told)
        notes->told = change->is_dumped ? 1 : now;
    if (change->before == CELL_UNKNOWN && change->after == CELL_WITHDRAWN &&
        notes->witnesses < WITNESSES)
        notes->witnesses++;
}

void episodes_change(struct episodes *episodes, const struct table_change *change)
{
    struct row_notes *notes = row_notes(episodes->table, change->at);
    uint32_t now = seconds_of(change->time);
    episodes->now = change->time;
    episodes->before = change->earlier;
    note_told(notes, change, now);
    if ((cell_has_route(change->before) && cell_has_route(change->after)) ||
        !route_table_is_full_feed(episodes->table, change->at.family, change->column))
        return;
    if (change->after == CELL_WITHDRAWN) {
        if (now - notes->lost > RUN_NS / NS_PER_S)
            notes->falling = seconds_of(episodes->before);
        notes->lost = now;
        unsigned withdrawn = route_table_withdrawn(episodes->table, change->at);
        if (withdrawn >= WATCHED * route_table_full_feeds(episodes->table, change->at.family))
            judge(episodes, change->at, notes, true);
    } else if (notes->episode && episodes->list[notes->episode - 1].is_open) {
        judge(episodes, change->at, notes, false);
    }
}

void episodes_gap(struct episodes *episodes, struct utc last)
{
    episodes->now = last;
    for (size_t i = 0; i < episodes->count; i++) {
        struct episode *episode = &episodes->list[i];
        if (!episode->is_open)
            continue;
        add_up(episodes, episode);
        episode->judged = episode->partial_since = (struct utc){0};
        episode->is_unseen = true;
    }
}

void episodes_end(struct episodes *episodes, struct utc last)
{
    episodes->now = last;
    for (size_t i = 0; i < episodes->count; i++)
        if (episodes->list[i].is_open && !episodes->list[i].is_unseen)
            add_up(episodes, &episodes->list[i]);
}
