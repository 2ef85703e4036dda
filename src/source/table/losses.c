#include "source/table/losses.h"

#include "base/mem.h"

#include <stdlib.h>

static const double WATCHED = 0.1, PARTIAL = 0.2, GONE = 0.8, NOT_GONE = 0.7;
/* Losses further apart belong to different falls; a return shorter than this is none. */
static const int64_t RUN_NS = 5 * NS_PER_MINUTE;
/* A partial loss must last so long; a prefix must have been there so long. */
static const int64_t SETTLED_NS = 5 * NS_PER_MINUTE, THERE_NS = 10 * NS_PER_MINUTE;
enum { MIN_PEERS = 5, WITNESSES = 2, TELLERS = 3 };

void losses_init(struct losses *losses, struct route_table *table, unsigned min_peers)
{
    *losses = (struct losses){.table = table, .min_peers = min_peers};
}

void losses_done(struct losses *losses)
{
    free(losses->list);
    *losses = (struct losses){0};
}

unsigned losses_min_peers(const struct losses *losses, uint8_t family)
{
    unsigned peers = route_table_full_feeds(losses->table, family);
    if (losses->min_peers)
        return losses->min_peers;
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

static struct loss *take_place(struct losses *losses, uint32_t *number)
{
    *number = losses->free;
    if (*number) {
        losses->free = losses->list[*number - 1].previous;
    } else {
        if (losses->count == LOSSES_MAX) {
            losses->refused++;
            return NULL;
        }
        losses->list =
            mem_grow(losses->list, &losses->capacity, losses->count + 1, sizeof *losses->list);
        *number = (uint32_t)++losses->count;
    }
    return &losses->list[*number - 1];
}

static struct loss *open_loss(struct losses *losses, struct table_row row, struct row_notes *notes)
{
    uint32_t number;
    struct loss *last = notes->loss ? &losses->list[notes->loss - 1] : NULL;
    if (last && utc_diff(losses->now, last->ended.first_after) < RUN_NS) {
        last->is_open = true;
        last->ended = (struct interval){{0}, {0}};
        return last;
    }
    struct loss *fresh = take_place(losses, &number);
    if (!fresh)
        return NULL;
    *fresh =
        (struct loss){.row = row, .previous = notes->loss, .is_open = true, .opened = losses->now};
    fresh->began.last_before = utc_of(notes->falling);
    notes->loss = number;
    return fresh;
}

static void drop(struct losses *losses, struct loss *loss, struct row_notes *notes)
{
    uint32_t number = notes->loss;
    notes->loss = loss->previous;
    *loss = (struct loss){.is_free = true, .previous = losses->free};
    losses->free = number;
}

static bool is_settled(const struct loss *loss)
{
    return loss->was_gone || loss->partial_ns >= SETTLED_NS;
}

bool losses_was_there(const struct row_notes *notes)
{
    return notes->told == 1 || notes->witnesses >= WITNESSES;
}

bool loss_counts(const struct losses *losses, const struct loss *loss)
{
    if (loss->is_free || !is_settled(loss))
        return false;
    const struct row_notes *notes = row_notes(losses->table, loss->row);
    return losses_was_there(notes) ||
           utc_diff(loss->began.first_after, utc_of(notes->told)) >= THERE_NS;
}

static void close_loss(struct losses *losses, struct loss *loss, struct row_notes *notes)
{
    if (!is_settled(loss)) {
        drop(losses, loss, notes);
        return;
    }
    loss->is_open = loss->is_gone = false;
    loss->lost = 0;
    loss->judged = loss->partial_since = (struct utc){0};
    loss->ended.first_after = losses->now;
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

/* From where those that have it have it, and how far. */
static void note_origin(const struct losses *losses, struct loss *loss)
{
    struct votes origins = {.count = 0}, upstreams = {.count = 0};
    uint32_t count = route_table_columns(losses->table, loss->row.family);
    unsigned hops = 0, routes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cell = route_table_cell(losses->table, loss->row, i);
        if (!cell_has_route(cell) || !route_table_is_full_feed(losses->table, loss->row.family, i))
            continue;
        vote(&origins, route_table_cell_origin(losses->table, loss->row, cell));
        vote(&upstreams, route_table_cell_upstream(losses->table, loss->row, i, cell));
        hops += route_table_cell_length(losses->table, loss->row, i, cell);
        routes++;
    }
    struct table_share upstream = winner(&upstreams);
    loss->origin = winner(&origins).asn;
    loss->upstream = upstream.asn;
    loss->upstream_peers = (uint16_t)upstream.peers;
    loss->hops = routes ? (float)hops / (float)routes : 0;
}

/* ---- judging ---- */

/* Adds what was so until now. */
static void add_up(struct losses *losses, struct loss *loss)
{
    if (utc_is_known(loss->judged))
        loss->area_ns += loss->lost * (double)utc_diff(losses->now, loss->judged);
    if (utc_is_known(loss->partial_since)) {
        loss->partial_ns += utc_diff(losses->now, loss->partial_since);
        loss->partial_since = losses->now;
    }
    loss->judged = losses->now;
    loss->is_unseen = false;
}

static void note_levels(const struct losses *losses, struct loss *loss, double lost)
{
    unsigned level = (unsigned)(lost * LOSS_LEVELS);
    int64_t since = utc_diff(losses->now, loss->began.last_before) / NS_PER_S;
    for (; loss->level < level; loss->level++)
        loss->levels[loss->level] = (uint16_t)(since > UINT16_MAX ? UINT16_MAX : since);
}

static void note_worst(struct loss *loss, const struct sight *sight, double lost)
{
    if (lost <= loss->lost_most)
        return;
    loss->lost_most = lost;
    loss->worst = *sight;
}

static void become_partial(struct losses *losses, struct loss *loss)
{
    loss->partial_since = losses->now;
    if (!utc_is_known(loss->began.first_after)) {
        loss->began.first_after = losses->now;
        note_origin(losses, loss);
    }
}

static void become_gone(struct losses *losses, struct loss *loss, const struct row_notes *notes)
{
    loss->is_gone = true;
    loss->times++;
    loss->back = (struct interval){{0}, {0}};
    if (loss->was_gone)
        return;
    loss->was_gone = true;
    loss->went = (struct interval){utc_of(notes->falling), losses->now};
}

/* A peer has lost the prefix. */
static void fall(struct losses *losses, struct loss *loss, const struct row_notes *notes,
                 const struct sight *sight, double lost)
{
    bool is_many = sight->withdrawn >= 2; /* one peer alone is never an outage */
    loss->ended.last_before = (struct utc){0};
    note_levels(losses, loss, lost);
    note_worst(loss, sight, lost);
    if (lost > PARTIAL && is_many && !utc_is_known(loss->partial_since))
        become_partial(losses, loss);
    if (lost > GONE && is_many && !loss->is_gone)
        become_gone(losses, loss, notes);
}

/* A peer has it again. */
static void rise(struct losses *losses, struct loss *loss, struct row_notes *notes,
                 const struct sight *sight, double lost)
{
    unsigned known = (unsigned)sight->carried + sight->withdrawn;
    bool is_heard = known >= losses_min_peers(losses, loss->row.family);
    if (!utc_is_known(loss->ended.last_before))
        loss->ended.last_before = losses->before;
    if (lost < NOT_GONE && loss->is_gone) {
        loss->is_gone = false;
        loss->back = (struct interval){loss->ended.last_before, losses->now};
    }
    if (lost <= PARTIAL)
        loss->partial_since = (struct utc){0};
    if (lost <= (loss->was_gone ? PARTIAL : WATCHED) && is_heard)
        close_loss(losses, loss, notes);
}

/* How the row stands: what is open was looked at before, and only one cell has changed since. */
static struct sight look(struct losses *losses, const struct table_change *change,
                         struct loss *loss)
{
    uint64_t epoch = route_table_epoch(losses->table);
    if (!loss)
        return route_table_sight(losses->table, change->at);
    if (loss->epoch == epoch && !change->is_dumped) /* a dump changes several at once */
        sight_change(&loss->sight, change->before, change->after,
                     route_table_is_complete(losses->table, change->at.family, change->column));
    else
        loss->sight = route_table_sight(losses->table, change->at);
    loss->epoch = epoch;
    return loss->sight;
}

static struct loss *find_open(struct losses *losses, const struct row_notes *notes)
{
    struct loss *loss = notes->loss ? &losses->list[notes->loss - 1] : NULL;
    return loss && loss->is_open ? loss : NULL;
}

static void judge(struct losses *losses, const struct table_change *change, struct row_notes *notes)
{
    bool is_loss = change->after == CELL_WITHDRAWN;
    struct loss *loss = find_open(losses, notes);
    struct sight sight = look(losses, change, loss);
    unsigned known = (unsigned)sight.carried + sight.withdrawn, all = known + sight.unknown;
    double lost = all ? (double)sight.withdrawn / all : 0;
    if (!loss) {
        if (!is_loss || lost < WATCHED || known < losses_min_peers(losses, change->at.family) ||
            !(loss = open_loss(losses, change->at, notes)))
            return;
        loss->sight = sight;
        loss->epoch = route_table_epoch(losses->table);
    }
    if (loss->was_gone && known) /* what is not known did not come back */
        lost = (double)sight.withdrawn / known;
    add_up(losses, loss);
    loss->lost = lost;
    if (is_loss)
        fall(losses, loss, notes, &sight, lost);
    else
        rise(losses, loss, notes, &sight, lost);
}

/* When the row was first heard of, and whether it was there before: a dump says so, and who withdraws
 * what he had never told of. */
static void note_told(struct row_notes *notes, const struct table_change *change, uint32_t now)
{
    if (!notes->told) {
        int64_t quiet = utc_diff(change->time, change->earlier) / NS_PER_S;
        notes->told = change->is_dumped ? 1 : now;
        notes->quiet = (uint16_t)(quiet > UINT16_MAX ? UINT16_MAX : quiet);
    }
    if (change->before != CELL_UNKNOWN)
        return;
    notes->tellers = (uint8_t)(notes->tellers + (notes->tellers < TELLERS));
    if (change->after == CELL_WITHDRAWN && notes->witnesses < WITNESSES)
        notes->witnesses++;
}

void losses_change(struct losses *losses, const struct table_change *change)
{
    struct row_notes *notes = row_notes(losses->table, change->at);
    uint32_t now = seconds_of(change->time);
    losses->now = change->time;
    losses->before = change->earlier;
    note_told(notes, change, now);
    if ((cell_has_route(change->before) && cell_has_route(change->after)) ||
        !route_table_is_full_feed(losses->table, change->at.family, change->column))
        return;
    if (change->after == CELL_WITHDRAWN) {
        if (now - notes->lost > RUN_NS / NS_PER_S)
            notes->falling = seconds_of(losses->before);
        notes->lost = now;
        unsigned withdrawn = route_table_withdrawn(losses->table, change->at);
        if (find_open(losses, notes) ||
            withdrawn >= WATCHED * route_table_full_feeds(losses->table, change->at.family))
            judge(losses, change, notes);
    } else if (find_open(losses, notes)) {
        judge(losses, change, notes);
    }
}

static struct utc later(struct utc a, struct utc b)
{
    return a.ns > b.ns ? a : b;
}

/* Whether enough peers of other collectors go on saying so. */
static bool is_witnessed(const struct losses *losses, const struct loss *loss)
{
    struct sight sight = route_table_sight(losses->table, loss->row);
    unsigned known = (unsigned)sight.carried + sight.withdrawn;
    return sight.withdrawn > PARTIAL * known && known >= losses_min_peers(losses, loss->row.family);
}

void losses_gap(struct losses *losses, struct utc last)
{
    struct utc now = later(losses->now, last);
    for (size_t i = 0; i < losses->count; i++) {
        struct loss *loss = &losses->list[i];
        if (!loss->is_open || loss->is_unseen || is_witnessed(losses, loss))
            continue;
        losses->now = later(loss->judged, last);
        add_up(losses, loss);
        loss->judged = loss->partial_since = (struct utc){0};
        loss->is_unseen = true;
        loss->unseen_since = losses->now;
    }
    losses->now = now;
}

void losses_end(struct losses *losses, struct utc last)
{
    losses->now = last;
    for (size_t i = 0; i < losses->count; i++)
        if (losses->list[i].is_open && !losses->list[i].is_unseen)
            add_up(losses, &losses->list[i]);
}
