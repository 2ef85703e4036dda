/* Asks out of turn what follow_up.h says is worth it, from a place of its own in the agenda: never from
 * within an answer, since an answer may come from within a question. */
#include "source/probe/prober_inside.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A trace is at its end by then; what comes later than LATENESS_NS would not be judged. */
#define TRACE_TIMEOUT_NS (10 * NS_PER_S)
/* Several services of one host that fail together are worth one trace. */
#define TRACE_LEAST_NS (10 * NS_PER_S)
/* Of a crowded neighbourhood no more are looked at. */
enum { LOOKED_AT_MAX = 64 };

struct pursuit {
    struct agenda_entry turn;
    struct mono next; /* question to the target; 0: none is to come */
    bool wants_others;
};

/* ---- who is near whom ---- */

static const struct addr *address_of(const struct asked *asked)
{
    if (asked->target->addr.family)
        return &asked->target->addr;
    return asked->address ? registry_address(asked->prober->sink.registry, asked->address) : NULL;
}

static uint64_t place_of(const struct asked *asked)
{
    const struct addr *addr = address_of(asked);
    const struct target *target = asked->target;
    return addr
               ? manners_neighbourhood(addr)
               : manners_neighbourhood_of_name(asked_text(asked) + target->host.at, target->host.n);
}

static struct asked *asked_of(struct neighbour *near)
{
    return (struct asked *)((char *)near - offsetof(struct asked, near));
}

static void end_pursuit(struct asked *asked)
{
    agenda_drop(asked->prober->agenda, &asked->pursuit->turn);
    free(asked->pursuit);
    asked->pursuit = NULL;
}

/* A zone has no place, and a control is nobody's neighbour. */
void follow_join(struct asked *asked)
{
    bool is_placed = asked->target->kind != TARGET_ZONE && !asked->is_control;
    if (is_placed && !asked->near.link)
        neighbours_add(&asked->prober->near, &asked->near, place_of(asked));
}

void follow_leave(struct asked *asked)
{
    if (asked->pursuit)
        end_pursuit(asked);
    neighbours_remove(&asked->prober->near, &asked->near);
}

/* Where a name led to when it was well. */
static void learn_address(struct asked *asked, uint32_t peer)
{
    bool is_of_many = asked->wishes && asked->wishes->all_addresses;
    if (!peer || peer == asked->address || asked->target->addr.family || is_of_many ||
        asked->target->kind == TARGET_ZONE)
        return;
    asked->address = peer;
    neighbours_remove(&asked->prober->near, &asked->near);
    follow_join(asked);
}

static bool are_one_host(const struct asked *a, const struct asked *b)
{
    const struct addr *x = address_of(a), *y = address_of(b);
    return x && y ? addr_compare(x, y) == 0 : x == y;
}

/* ---- one question out of turn ---- */

static bool is_trace(const struct asked *asked)
{
    return asked->target->kind == TARGET_TRACE;
}

/* What the vantage asks itself vouches for nobody, and has its own ways to be asked again (own.h). */
static bool is_own(const struct asked *asked)
{
    return asked->target->kind == TARGET_SELF;
}

static unsigned cost_of(const struct asked *asked)
{
    return is_trace(asked) || asked->target->kind == TARGET_ZONE ? FOLLOW_HEAVY_COST : 1;
}

static struct follow_allowance allowance_of(const struct asked *asked, enum follow_need need)
{
    return is_trace(asked) ? follow_allowance_of_traces()
                           : follow_allowance_of(asked->step_ns, need);
}

/* Where a second question is no burden beside one that waits for its answer. */
static bool may_overlap(const struct asked *asked)
{
    uint8_t kind = asked->target->kind;
    return kind == TARGET_ICMP || kind == TARGET_TCP || kind == TARGET_DNS;
}

/* Not just asked, and not about to be. */
static bool is_free(const struct asked *asked, struct mono now)
{
    bool is_busy = asked->outstanding && !may_overlap(asked);
    return !is_busy && mono_diff(now, asked->last) >= FOLLOW_LEAST_NS &&
           (is_trace(asked) || mono_diff(asked_due(asked), now) >= FOLLOW_LEAST_NS);
}

/* For the sake of one that went dark or came back, which may be itself. */
static bool ask_now(struct asked *asked, const struct asked *sake, enum follow_need need,
                    struct mono now)
{
    struct prober *prober = asked->prober;
    struct follow_allowance allowance = allowance_of(asked, need);
    unsigned cost = cost_of(asked);
    if (!follow_may(&prober->budget, &asked->follow, &allowance, cost, need, now) ||
        asked_manners_wait(asked, now)) {
        prober->counters.follow_refused++;
        return false;
    }
    follow_spend(&prober->budget, &asked->follow, &allowance, cost, now);
    prober->counters.followed++;
    prober->counters.traced += is_trace(asked);
    asked_ask(asked, now, 0, sake->id);
    return true;
}

/* ---- the controls and the neighbours ---- */

/* While most controls fail it is us: nothing can be learned of others. */
static bool is_us(const struct prober *prober)
{
    size_t bad = 0;
    for (size_t i = 0; i < prober->control_count; i++)
        bad += prober->controls[i]->follow.is_bad;
    return bad * 2 > prober->control_count;
}

static void ask_controls(const struct asked *asked, struct mono now)
{
    struct prober *prober = asked->prober;
    for (size_t i = 0; i < prober->control_count; i++)
        if (prober->controls[i] != asked && is_free(prober->controls[i], now))
            ask_now(prober->controls[i], asked, FOLLOW_MORE, now);
}

/* While both are gone each is asked on its own account; that one is back is news to the other. */
static bool is_worth_asking(const struct asked *near, const struct asked *asked, bool of_one_host,
                            struct mono now)
{
    bool are_gone = near->pursuit && near->follow.is_bad && asked->follow.is_bad;
    return near != asked && !is_trace(near) && !are_gone &&
           are_one_host(near, asked) == of_one_host && is_free(near, now);
}

/* Where one is back, whether another is, too, is that one's own affair. */
static enum follow_need need_of(const struct asked *near, const struct asked *asked)
{
    return near->follow.is_bad && !asked->follow.is_bad ? FOLLOW_FIRST : FOLLOW_MORE;
}

static void ask_neighbours(const struct asked *asked, bool of_one_host, struct mono now)
{
    struct prober *prober = asked->prober;
    struct neighbour *near = neighbours_first(&prober->near, place_of(asked)), *next;
    unsigned n = 0;
    for (unsigned i = 0; near && i < LOOKED_AT_MAX && n < FOLLOW_NEIGHBOURS / 2; i++, near = next) {
        next = neighbours_next(near);
        if (is_worth_asking(asked_of(near), asked, of_one_host, now))
            n += ask_now(asked_of(near), asked, need_of(asked_of(near), asked), now);
    }
}

static void ask_others(const struct asked *asked, struct mono now)
{
    ask_controls(asked, now);
    if (asked->is_control || is_us(asked->prober))
        return;
    ask_neighbours(asked, true, now);
    ask_neighbours(asked, false, now);
}

/* ---- the way there ---- */

static struct asked *find_trace(const struct prober *prober, const struct addr *addr)
{
    struct neighbour *near = neighbours_first(&prober->near, manners_neighbourhood(addr));
    for (; near; near = neighbours_next(near)) {
        struct asked *asked = asked_of(near);
        if (is_trace(asked) && addr_compare(&asked->target->addr, addr) == 0)
            return asked;
    }
    return NULL;
}

/* One that is not in the plan, in place of the oldest such. */
static struct asked *new_trace(struct prober *prober, const struct addr *addr)
{
    char text[sizeof "trace:" + ADDR_TEXT_MAX], address[ADDR_TEXT_MAX];
    struct probe_plan plan = {.target = text,
                              .interval_ns = FOLLOW_TRACE_STEP_NS,
                              .timeout_ns = TRACE_TIMEOUT_NS,
                              .count = 1};
    snprintf(text, sizeof text, "trace:%s", addr_format(addr, address));
    struct asked *trace = asked_new(prober, &plan);
    if (!trace)
        return NULL;
    struct asked **slot = &prober->traces[prober->trace_count++ % PROBER_TRACES_MAX];
    if (*slot)
        asked_retire(*slot);
    *slot = trace;
    follow_join(trace);
    return trace;
}

static bool may_trace(const struct asked *asked, const struct addr *addr)
{
    const struct prober *prober = asked->prober;
    return addr && prober->can_ping && !asked->is_control && !is_us(prober) &&
           manners_judge(prober->options, addr, true) != MANNERS_EXCLUDED;
}

static void ask_way(struct asked *asked, struct mono now)
{
    const struct addr *addr = address_of(asked);
    if (!may_trace(asked, addr))
        return;
    struct asked *trace = find_trace(asked->prober, addr);
    if (!trace)
        trace = new_trace(asked->prober, addr);
    bool has_one = trace && (trace->outstanding ||
                             (trace->last.ns && mono_diff(now, trace->last) < TRACE_LEAST_NS));
    if (!trace || has_one) {
        asked->follow.wants_trace = false;
        return;
    }
    asked->follow.wants_trace = !ask_now(trace, asked, FOLLOW_MORE, now);
}

/* ---- the sequence ---- */

static void ask_again(struct asked *asked, struct mono now)
{
    bool is_vain = !asked->is_control && is_us(asked->prober);
    if (!is_vain && is_free(asked, now))
        ask_now(asked, asked, cost_of(asked) > 1 ? FOLLOW_MORE : FOLLOW_FIRST, now);
}

static void set_next(struct asked *asked, struct mono now)
{
    int64_t pause_ns = follow_pause_ns(&asked->follow, asked->step_ns);
    asked->pursuit->next.ns = pause_ns ? now.ns + pause_ns : 0;
}

/* What comes next is set before anything is asked: an answer may come at once and change that. */
static void on_pursuit(void *context)
{
    struct asked *asked = context;
    struct pursuit *pursuit = asked->pursuit;
    struct mono now = clock_mono();
    bool asks_again = pursuit->next.ns && pursuit->next.ns <= now.ns;
    bool asks_others = pursuit->wants_others || asks_again;
    pursuit->wants_others = false;
    asked->follow.step = (uint8_t)(asked->follow.step + asks_again);
    if (asks_again)
        set_next(asked, now);
    if (pursuit->next.ns)
        agenda_set(asked->prober->agenda, &pursuit->turn, pursuit->next);
    else
        end_pursuit(asked);
    if (asks_others)
        ask_others(asked, now);
    if (asked->follow.wants_trace)
        ask_way(asked, now);
    if (asks_again)
        ask_again(asked, now);
}

static void pursue(struct asked *asked, unsigned wishes)
{
    if (!asked->pursuit) {
        asked->pursuit = mem_new(1, sizeof *asked->pursuit);
        asked->pursuit->turn = (struct agenda_entry){.fire = on_pursuit, .context = asked};
    }
    if (wishes & FOLLOW_AGAIN)
        set_next(asked, clock_mono());
    asked->pursuit->wants_others |= (wishes & FOLLOW_OTHERS) != 0;
    agenda_set_now(asked->prober->agenda, &asked->pursuit->turn);
}

void follow_result(struct asked *asked, const struct observation *result)
{
    enum outcome_class class = outcome_class((enum outcome)result->outcome);
    bool is_good = class == OUTCOME_CLASS_GOOD || class == OUTCOME_CLASS_PARTIAL;
    if (asked->prober->budget.rate <= 0 || asked->is_retired || asked->prober->is_draining ||
        is_trace(asked) || is_own(asked))
        return;
    if (is_good)
        learn_address(asked, result->peer);
    unsigned wishes = follow_answered(&asked->follow, class);
    if (wishes & FOLLOW_STOP && asked->pursuit)
        end_pursuit(asked);
    else if (wishes & (FOLLOW_AGAIN | FOLLOW_OTHERS))
        pursue(asked, wishes);
}

/* ---- the plan ---- */

void follow_plan(struct prober *prober)
{
    free(prober->controls);
    prober->controls = mem_new(prober->count + 1, sizeof *prober->controls);
    prober->control_count = 0;
    for (size_t i = 0; i < prober->count; i++)
        if (prober->plan[i]->is_control && !is_own(prober->plan[i]))
            prober->controls[prober->control_count++] = prober->plan[i];
}

void follow_done(struct prober *prober)
{
    for (size_t i = 0; i < PROBER_TRACES_MAX; i++)
        if (prober->traces[i])
            asked_free(prober->traces[i]);
    free(prober->controls);
    neighbours_done(&prober->near);
}
