#include "source/table/whole_table.h"

#include "base/mem.h"

#include <stdlib.h>

/* A collector that recorded something in BUSY of the SPAN seconds before, and then nothing for GAP_NS, was
 * blind. Those of RouteViews pause for two minutes while they write a dump, and catch up afterwards; a
 * missing file of RIPE RIS is five minutes. */
static const int64_t GAP_NS = 4 * NS_PER_MINUTE;
enum { SPAN_S = 300, BUSY = 100 };
/* Live, somebody looks every second; who did not for so long was suspended, or the clock was set. */
static const int64_t LOOK_NS = NS_PER_MINUTE;
/* Prefixes that nobody has are forgotten once a day. */
static const int64_t FORGET_NS = NS_PER_DAY;

static void changed(void *context, const struct table_change *change)
{
    const struct whole_table_options *options = &((struct whole_table *)context)->options;
    if (options->changed)
        options->changed(options->context, change);
    if (options->bins)
        bins_change(options->bins, change);
}

void whole_table_init(struct whole_table *whole, const struct whole_table_options *options)
{
    *whole = (struct whole_table){.options = *options};
    whole->routes = route_table_new(&(struct route_table_options){
        .extra_words = options->extra_words, .changed = changed, .context = whole});
    if (options->is_archive) {
        whole->pulses = mem_new(WHOLE_COLLECTORS_MAX, sizeof *whole->pulses);
        whole->holes = mem_new(WHOLE_HOLES_MAX, sizeof *whole->holes);
    }
    if (options->bins)
        bins_begin(options->bins, whole->routes);
}

void whole_table_done(struct whole_table *whole)
{
    route_table_free(whole->routes);
    free(whole->pulses);
    free(whole->holes);
    *whole = (struct whole_table){0};
}

/* ---- gaps ---- */

/* A gap may be found twice: announced as a hole, and felt. */
void whole_table_gap(struct whole_table *whole, int64_t collector, struct interval gap)
{
    int64_t longest = utc_diff(whole->gap.first_after, whole->gap.last_before);
    route_table_gap(whole->routes, collector);
    if (whole->options.gap)
        whole->options.gap(whole->options.context, gap);
    whole->gaps += gap.last_before.ns >= whole->gap_until.ns;
    whole->gap_until = gap.first_after;
    if (utc_diff(gap.first_after, gap.last_before) > longest)
        whole->gap = gap;
}

static bool was_blind(const struct pulse *pulse, struct utc now)
{
    unsigned busy = pulse->busy > pulse->busy_before ? pulse->busy : pulse->busy_before;
    return utc_is_known(pulse->last) && utc_diff(now, pulse->last) >= GAP_NS && busy >= BUSY;
}

/* A dump is written in one go, and tells nothing of how busy a collector is. */
static void feel_pulse(struct whole_table *whole, uint32_t collector, struct utc now)
{
    struct pulse *pulse = &whole->pulses[collector];
    int64_t span = now.ns / NS_PER_S / SPAN_S;
    if (now.ns / NS_PER_S <= pulse->last.ns / NS_PER_S)
        return;
    if (was_blind(pulse, now))
        whole_table_gap(whole, collector, (struct interval){pulse->last, now});
    pulse->is_missed = false;
    if (span != pulse->span) {
        pulse->busy_before = span == pulse->span + 1 ? pulse->busy : 0;
        pulse->busy = 0;
    }
    pulse->span = span;
    pulse->busy++;
    pulse->last = now;
}

/* Collectors of which nothing comes any more: it may be that their archives have come to their ends. */
static void miss_collectors(struct whole_table *whole, struct utc now)
{
    for (uint32_t i = 0; i < WHOLE_COLLECTORS_MAX; i++) {
        struct pulse *pulse = &whole->pulses[i];
        if (pulse->is_missed || !was_blind(pulse, now))
            continue;
        whole_table_gap(whole, i, (struct interval){pulse->last, now});
        pulse->is_missed = true;
    }
}

void whole_table_hole(struct whole_table *whole, struct interval hole)
{
    if (whole->hole_count < WHOLE_HOLES_MAX)
        whole->holes[whole->hole_count++] = hole;
    else
        whole->refused++;
}

/* Holes that the archive has come to the end of. */
static void pass_holes(struct whole_table *whole, struct utc now)
{
    for (size_t i = 0; i < whole->hole_count;) {
        if (whole->holes[i].first_after.ns > now.ns) {
            i++;
            continue;
        }
        whole_table_gap(whole, -1, whole->holes[i]);
        whole->holes[i] = whole->holes[--whole->hole_count];
    }
}

/* ---- time ---- */

static bool may_forget(void *context, struct table_row row)
{
    const struct whole_table_options *options = &((struct whole_table *)context)->options;
    if (options->may_forget)
        return options->may_forget(options->context, row);
    return !options->bins || bins_may_forget(options->bins, row);
}

static void note_peers(struct whole_table *whole)
{
    for (size_t i = 0; i < 2; i++) {
        unsigned count = route_table_full_feeds(whole->routes, i ? 6 : 4);
        if (count > whole->full_feeds_most[i])
            whole->full_feeds_most[i] = count;
    }
}

/* Now and then, in the time of the elements. */
static void keep_house(struct whole_table *whole, struct utc now)
{
    if (whole->options.is_archive)
        miss_collectors(whole, now);
    note_peers(whole);
    if (whole->options.bins)
        bins_advance(whole->options.bins, now);
    if (!utc_is_known(whole->forget_at))
        whole->forget_at = utc_add(now, FORGET_NS);
    if (now.ns < whole->forget_at.ns)
        return;
    route_table_forget(whole->routes, may_forget, whole);
    if (whole->options.bins)
        bins_forget(whole->options.bins);
    whole->forget_at = utc_add(now, FORGET_NS);
}

void whole_table_advance(struct whole_table *whole, struct utc now)
{
    if (now.ns <= whole->last.ns)
        return;
    if (!utc_is_known(whole->first))
        whole->first = now;
    if (!whole->options.is_archive && whole->options.bins && utc_diff(now, whole->last) > LOOK_NS)
        bins_skip(whole->options.bins);
    if (whole->hole_count)
        pass_holes(whole, now);
    if (now.ns / NS_PER_MINUTE != whole->last.ns / NS_PER_MINUTE)
        keep_house(whole, now);
    whole->last = now;
}

void whole_table_feed(struct whole_table *whole, uint32_t collector, const struct element *element)
{
    if (whole->options.is_archive && element->kind != ELEMENT_TABLE &&
        element->time.ns > whole->pulses[collector].last.ns)
        feel_pulse(whole, collector, element->time);
    whole_table_advance(whole, element->time);
    route_table_feed(whole->routes, collector, element);
}

/* ---- live peers ---- */

static void hear_state(struct whole_table *whole, const struct heard *heard,
                       const struct mrt_peer *peer)
{
    struct element element = {.kind = ELEMENT_STATE, .time = heard->time, .peer = peer};
    bool is_up = heard->kind == HEARD_UP;
    element.state.before = is_up ? MRT_IDLE : MRT_ESTABLISHED;
    element.state.after = is_up ? MRT_ESTABLISHED : MRT_IDLE;
    whole_table_feed(whole, heard->collector, &element);
}

static void hear_complete(struct whole_table *whole, const struct heard *heard,
                          const struct mrt_peer *peer)
{
    struct element element = {.kind = ELEMENT_END_OF_RIB, .time = heard->time, .peer = peer};
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        element.prefix.addr.family = family;
        whole_table_feed(whole, heard->collector, &element);
    }
}

static void hear_routes(struct whole_table *whole, const struct heard *heard,
                        const struct mrt_peer *peer)
{
    struct bgp_attributes attributes; /* the table looks at the path alone */
    struct bgp_routes routes = heard->routes;
    struct bgp_nlri nlri;
    struct element element = {.kind = heard->path ? ELEMENT_ANNOUNCE : ELEMENT_WITHDRAW,
                              .time = heard->time,
                              .peer = peer,
                              .safi = BGP_UNICAST,
                              .has_path_id = routes.has_path_ids,
                              .attributes = heard->path ? &attributes : NULL};
    if (heard->path)
        attributes.path = *heard->path;
    while (bgp_routes_next(&routes, &nlri)) {
        element.prefix = nlri.prefix;
        element.path_id = nlri.path_id;
        whole_table_feed(whole, heard->collector, &element);
    }
}

void whole_table_hear(struct whole_table *whole, const struct heard *heard)
{
    struct mrt_peer peer = {.addr = heard->peer, .asn = heard->asn};
    switch (heard->kind) {
    case HEARD_UP:
    case HEARD_DOWN:
        hear_state(whole, heard, &peer);
        break;
    case HEARD_COMPLETE:
        hear_complete(whole, heard, &peer);
        break;
    case HEARD_ROUTES:
        hear_routes(whole, heard, &peer);
        break;
    case HEARD_GAP:
        whole_table_gap(whole, heard->collector, (struct interval){heard->time, heard->time});
        break;
    }
}

void whole_table_end(struct whole_table *whole)
{
    route_table_flush(whole->routes);
    route_table_judge(whole->routes, utc_add(whole->last, NS_PER_HOUR));
    note_peers(whole);
    if (whole->options.bins)
        bins_end(whole->options.bins, whole->last);
}
