/* What is asked out of turn when something goes dark or comes back, by the rules that the prober has
 * (source/probe/follow_up.h). It is played twice: first each target alone, which says when its neighbours and the
 * controls are called upon, and then with the calls that others made. */
#include "play.h"
#include "state.h"

#include "source/probe/follow_up.h"

#include <stdlib.h>

/* At this time others are to be asked, too. */
struct call_upon {
    int64_t at;
    uint32_t vantage, thing; /* who went dark or came back */
    bool is_bad;
};

struct calls {
    struct call_upon *list;
    size_t count, capacity;
};

/* An answer that is not in yet. More than a few are never under way. */
enum { PENDING_MAX = 64 };
struct pending {
    int64_t known;
    enum outcome_class class;
};

/* One target asked from one vantage, while it is watched. */
struct asking {
    struct question *q;
    const struct calls *calls; /* in order of time */
    struct calls *made;
    struct observations *out;
    size_t call;            /* the next one */
    int64_t regular, extra; /* when it is asked next; INT64_MAX: not at all */
    int64_t last;
    struct follow follow;
    struct follow_budget budget;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
};

static void call_upon(struct asking *a, int64_t at)
{
    struct calls *made = a->made;
    made->list = mem_grow(made->list, &made->capacity, made->count + 1, sizeof *made->list);
    made->list[made->count++] = (struct call_upon){at, a->q->vantage, a->q->id, a->follow.is_bad};
}

static int by_time(const void *a, const void *b)
{
    const struct call_upon *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->thing > y->thing) - (x->thing < y->thing);
}

static bool are_near(const struct world *world, uint32_t a, uint32_t b)
{
    const struct thing *x = &world->things[a], *y = &world->things[b];
    struct prefix net = prefix_of(&x->addr, x->addr.family == 4 ? 24 : 48);
    return a == b || prefix_has_addr(&net, &y->addr);
}

static uint32_t host_of(const struct world *world, uint32_t thing)
{
    return world->things[thing].kind == THING_SERVICE ? world->things[thing].owner : thing;
}

static bool concerns(const struct question *q, const struct call_upon *call)
{
    const struct world *world = q->world;
    if (call->vantage != q->vantage || call->thing == q->id)
        return false;
    if (!q->host)
        return true;
    bool is_of_control = world->things[call->thing].kind == THING_CONTROL;
    return !is_of_control && are_near(world, q->host, host_of(world, call->thing));
}

static void ask_at(struct asking *a, int64_t at, uint32_t sake)
{
    struct observation probe = {.kind = OBSERVATION_PROBE,
                                .time = {at / NS_PER_MS * NS_PER_MS},
                                .source = a->q->vantage_name,
                                .target = a->q->target_name,
                                .path = sake};
    if (!state_is_watching(a->q->world, a->q->vantage, probe.time) ||
        !state_is_watching(a->q->world, a->q->id, probe.time))
        return;
    question_ask(a->q, &probe);
    observations_add(a->out, &probe);
    a->last = at;
    bool is_silence = probe.outcome == OUTCOME_TIMEOUT;
    int64_t took = is_silence ? question_timeout_ns(a->q) : probe.rtt_ns;
    if (a->pending_count < PENDING_MAX)
        a->pending[a->pending_count++] =
            (struct pending){at + took, outcome_class((enum outcome)probe.outcome)};
}

static bool is_free(const struct asking *a, int64_t at)
{
    return at - a->last >= FOLLOW_LEAST_NS && a->regular - at >= FOLLOW_LEAST_NS;
}

static void ask_extra(struct asking *a, int64_t at, enum follow_need need)
{
    struct follow_allowance allowance = follow_allowance_of(a->q->thing->every_ns, need);
    if (!is_free(a, at) ||
        !follow_may(&a->budget, &a->follow, &allowance, 1, need, (struct mono){at}))
        return;
    follow_spend(&a->budget, &a->follow, &allowance, 1, (struct mono){at});
    ask_at(a, at, a->q->target_name);
}

static void set_extra(struct asking *a, int64_t at)
{
    int64_t pause = follow_pause_ns(&a->follow, a->q->thing->every_ns);
    a->extra = pause ? at + pause : INT64_MAX;
}

static void hear(struct asking *a, size_t i)
{
    struct pending heard = a->pending[i];
    a->pending[i] = a->pending[--a->pending_count];
    unsigned wishes = follow_answered(&a->follow, heard.class);
    if (wishes & FOLLOW_STOP)
        a->extra = INT64_MAX;
    if (wishes & FOLLOW_AGAIN)
        set_extra(a, heard.known);
    if (wishes & FOLLOW_OTHERS)
        call_upon(a, heard.known);
}

static size_t first_pending(const struct asking *a)
{
    size_t first = 0;
    for (size_t i = 1; i < a->pending_count; i++)
        if (a->pending[i].known < a->pending[first].known)
            first = i;
    return first;
}

static int64_t next_call(struct asking *a)
{
    while (a->call < a->calls->count && !concerns(a->q, &a->calls->list[a->call]))
        a->call++;
    return a->call < a->calls->count ? a->calls->list[a->call].at : INT64_MAX;
}

static void ask_regular(struct asking *a)
{
    int64_t every = a->q->thing->every_ns, late_max = every / 20 < NS_PER_S ? every / 20 : NS_PER_S;
    int64_t at = a->regular;
    a->regular += every;
    ask_at(a, at + (int64_t)(random_even(&a->q->random) * (double)late_max), 0);
}

static void ask_step(struct asking *a)
{
    int64_t at = a->extra;
    a->follow.step++;
    set_extra(a, at);
    ask_extra(a, at, FOLLOW_FIRST);
    call_upon(a, at);
}

/* While both are gone each is asked on its own account. */
static void answer_call(struct asking *a, int64_t now)
{
    const struct call_upon *call = &a->calls->list[a->call++];
    bool are_gone = call->is_bad && a->follow.is_bad && a->extra != INT64_MAX;
    if (!are_gone)
        ask_extra(a, now, a->follow.is_bad && !call->is_bad ? FOLLOW_FIRST : FOLLOW_MORE);
}

/* Whatever comes next; false if that is not before the end. */
static bool go_on(struct asking *a, int64_t end)
{
    size_t first = first_pending(a);
    int64_t known = a->pending_count ? a->pending[first].known : INT64_MAX;
    int64_t call = next_call(a);
    int64_t now = known;
    now = call < now ? call : now;
    now = a->extra < now ? a->extra : now;
    now = a->regular < now ? a->regular : now;
    if (now >= end)
        return false;
    if (now == known)
        hear(a, first);
    else if (now == a->regular)
        ask_regular(a);
    else if (now == a->extra)
        ask_step(a);
    else
        answer_call(a, now);
    return true;
}

static void ask_and_follow(struct question *q, uint64_t order, const struct calls *calls,
                           struct calls *made, struct observations *out)
{
    const struct world *world = q->world;
    for (size_t w = 0; w < world->watch_count; w++) {
        const struct span *watch = &world->watches[w];
        struct asking a = {.q = q,
                           .calls = calls,
                           .made = made,
                           .out = out,
                           .regular = watch->from.ns + question_place_ns(q, order),
                           .extra = INT64_MAX,
                           .budget = {.rate = 100}};
        while (a.call < calls->count && calls->list[a.call].at < watch->from.ns)
            a.call++;
        while (go_on(&a, watch->to.ns))
            ;
    }
}

void play_followed(struct question *questions, size_t count, struct observations *out)
{
    struct calls none = {0}, calls = {0}, more = {0};
    struct observations alone = {0};
    for (size_t i = 0; i < count; i++) {
        struct question q = questions[i];
        ask_and_follow(&q, i, &none, &calls, &alone);
    }
    if (calls.count)
        qsort(calls.list, calls.count, sizeof *calls.list, by_time);
    for (size_t i = 0; i < count; i++)
        ask_and_follow(&questions[i], i, &calls, &more, out);
    free(alone.list);
    free(calls.list);
    free(more.list);
}
