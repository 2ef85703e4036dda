#include "core/detect/own.h"

#include <string.h>

/* So many rounds without a word, and it is not made any more. */
enum { SILENT_ROUNDS = 3 };

void own_init(struct own_state *own, uint32_t source, uint32_t target, uint8_t check)
{
    memset(own, 0, sizeof *own);
    own->source = source;
    own->target = target;
    own->check = check;
}

static enum condition condition_of(const struct own_state *own, enum outcome_class class)
{
    if (class == OUTCOME_CLASS_GOOD)
        return CONDITION_UP;
    if (class == OUTCOME_CLASS_PARTIAL)
        return CONDITION_DEGRADED;
    bool counts = own->was_good || own->check == OWN_CHECK_CLOCK;
    return counts ? CONDITION_DOWN : CONDITION_NO_DATA;
}

static void emit_state(const struct own_state *own, const struct observation *probe,
                       struct conclusions *out)
{
    conclusions_add(out, CONCLUSION_SERIES, probe->time)->series =
        (struct series_state){.source = own->source,
                              .target = own->target,
                              .layer = LAYER_CONTROL,
                              .condition = own->condition,
                              .outcome = probe->outcome,
                              .is_counted = 1,
                              .was_up = own->was_good,
                              .since = own->since,
                              .belief = own->is_failing ? 0 : 1};
}

static void emit_notice(struct own_state *own, struct utc now, struct interval began,
                        struct numbers *numbers, struct conclusions *out)
{
    if (!own->notice)
        own->notice = ++numbers->notice;
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = own->notice,
                        .source = own->source,
                        .target = own->target,
                        .kind = NOTICE_OWN_FAULT,
                        .is_open = own->is_failing,
                        .began = began,
                        .ended = own->is_failing ? (struct interval){{0}, {0}} : own->since};
    if (!own->is_failing)
        own->notice = 0;
}

static bool turn(struct own_state *own, enum condition condition, const struct observation *probe,
                 struct numbers *numbers, struct conclusions *out)
{
    struct interval before = own->since;
    bool is_failing = condition == CONDITION_DOWN, has_turned = is_failing != own->is_failing;
    own->since = (struct interval){own->last_any, probe->time};
    own->condition = (uint8_t)condition;
    own->is_failing = is_failing;
    emit_state(own, probe, out);
    if (has_turned)
        emit_notice(own, probe->time, is_failing ? own->since : before, numbers, out);
    return has_turned;
}

/* Quick to grow, slow to shrink: a check is made out of its turn where something changes. */
static void learn_round(struct own_state *own, struct utc now)
{
    int64_t gap = utc_is_known(own->last_any) ? utc_diff(now, own->last_any) : 0;
    own->round_ns = gap > own->round_ns ? gap : own->round_ns - (own->round_ns - gap) / 8;
}

bool own_feed(struct own_state *own, const struct observation *probe, struct numbers *numbers,
              struct conclusions *out)
{
    enum outcome_class class = outcome_class(probe->outcome);
    if (probe->outcome == OUTCOME_NONE) /* it says that it cannot say */
        return false;
    bool is_good = class == OUTCOME_CLASS_GOOD || class == OUTCOME_CLASS_PARTIAL;
    enum condition condition = condition_of(own, class);
    own->was_good |= is_good;
    bool has_turned =
        condition != (enum condition)own->condition && turn(own, condition, probe, numbers, out);
    learn_round(own, probe->time);
    own->last_any = probe->time;
    *(is_good ? &own->last_good : &own->last_bad) = probe->time;
    return has_turned;
}

bool own_is_made(const struct own_state *own, struct utc now)
{
    return own->was_good && own->round_ns > 0 &&
           utc_diff(now, own->last_any) <= SILENT_ROUNDS * own->round_ns;
}
