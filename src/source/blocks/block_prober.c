#include "source/blocks/block_prober.h"

#include "base/hash.h"
#include "base/mem.h"
#include "model/detail.h"
#include "model/registry.h"
#include "source/probe/agenda.h"
#include "source/probe/judge.h"
#include "source/probe/ping.h"
#include "sys/clock.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESTS_MOST = 5 /* doublings of a day */ };
enum { CHANCE_PART = 4 /* so much of a round is left to chance */ };

enum phase { PHASE_LEARNING, PHASE_JUDGED, PHASE_UNFIT };

/* A network of the plan. After it has left the plan it stays until its last answer. */
struct block {
    struct block_prober *prober;
    struct agenda_entry turn; /* the next question, or the next round */
    struct mono round;        /* when the time table has this round, or the next one */
    struct mono due;          /* of the turn */
    struct utc since;         /* when its census ended, or was last held */
    struct target target;     /* who is asked */
    struct trinocular judge;
    struct census census; /* while learning */
    uint32_t id;          /* in the registry */
    uint32_t network;
    uint16_t code;     /* of the failures in this round */
    uint8_t outcome;   /* the same; NONE: there was none yet */
    uint8_t questions; /* in this round */
    uint8_t phase;
    uint8_t rests;
    bool is_named;
    bool is_in_round;
    bool is_waiting; /* for an answer */
    bool is_retired;
};

_Static_assert(sizeof(struct block) <= 300, "there are a hundred thousand of them");

struct block_prober {
    struct sink sink;
    struct block_prober_options options;
    struct block_settings settings;
    const struct manners_options *manners;
    uint32_t vantage;
    struct agenda *agenda;
    struct block **plan; /* by network */
    size_t count;
    struct block **retired; /* with an answer to come */
    size_t retired_count, retired_capacity;
    struct block_counters counters;
    bool is_stopped;
};

static struct addr addr_of(uint32_t network, uint8_t address)
{
    return (struct addr){
        {(uint8_t)(network >> 24), (uint8_t)(network >> 16), (uint8_t)(network >> 8), address}, 4};
}

/* A seed for each network, so that their orders have nothing in common. */
static uint64_t seed_of(const struct block *block)
{
    return hash_mix(block->prober->options.seed ^ block->network);
}

static bool may_ask(const struct block *block, uint8_t address)
{
    const struct manners_options *manners = block->prober->manners;
    struct addr addr = addr_of(block->network, address);
    return !manners || manners_judge(manners, &addr, block->is_named) == MANNERS_MAY;
}

/* ---- the time table ---- */

/* Rounds that are over already are left out, not made up for. */
static void await_round(struct block *block)
{
    struct block_prober *prober = block->prober;
    int64_t round_ns = prober->settings.round_ns;
    struct mono now = clock_mono();
    block->is_in_round = false;
    block->round.ns += round_ns;
    if (mono_diff(now, block->round) > 0) {
        int64_t missed = mono_diff(now, block->round) / round_ns + 1;
        prober->counters.missed += (uint64_t)missed;
        block->round.ns += missed * round_ns;
    }
    uint64_t chance = hash_mix(seed_of(block) ^ (uint64_t)block->round.ns);
    block->due.ns = block->round.ns + (int64_t)(chance % (uint64_t)(round_ns / CHANCE_PART));
    agenda_set(prober->agenda, &block->turn, block->due);
}

static void ask_again(struct block *block)
{
    block->due = clock_mono();
    agenda_set_now(block->prober->agenda, &block->turn);
}

/* ---- what becomes of a round ---- */

static void emit(const struct block *block, const struct answer *answer, enum outcome outcome)
{
    struct block_prober *prober = block->prober;
    bool is_up = outcome == OUTCOME_OK;
    struct observation observation = {
        .kind = OBSERVATION_PROBE,
        .time = answer->sent,
        .rtt_ns = is_up ? answer->rtt_ns : 0,
        .value = lroundf(block->judge.belief * 100),
        .source = prober->vantage,
        .target = block->id,
        .code = code_meaning(TARGET_BLOCK, outcome) == CODE_ICMP ? block->code : block->questions,
        .outcome = (uint8_t)outcome,
        .stage = (uint8_t)(is_up ? STAGE_DONE : answer->stage),
    };
    if (observation.source && observation.target)
        sink_emit(&prober->sink, &observation);
    else
        prober->counters.unnamed++;
}

/* Too little answers: another census is held some day. */
static void rest(struct block *block)
{
    block->phase = PHASE_UNFIT;
    block->since = clock_utc();
    block->is_in_round = false;
    int64_t days = INT64_C(1) << block->rests;
    block->rests = (uint8_t)(block->rests < RESTS_MOST ? block->rests + 1 : RESTS_MOST);
    block->due.ns = block->round.ns = clock_mono().ns + days * NS_PER_DAY;
    agenda_set(block->prober->agenda, &block->turn, block->due);
}

static void begin_judging(struct block *block)
{
    bool can_judge = trinocular_can_judge(&block->judge);
    block->phase = can_judge ? PHASE_JUDGED : PHASE_UNFIT;
    block->rests = can_judge ? 0 : block->rests;
}

static void end_census(struct block *block)
{
    trinocular_know(&block->judge, &block->census.found, census_availability(&block->census));
    block->since = clock_utc();
    begin_judging(block);
    if (block->phase == PHASE_UNFIT)
        rest(block);
    else
        await_round(block);
}

/* What all that failed in this round have in common; TIMEOUT where they have nothing. */
static void note_failure(struct block *block, const struct answer *answer)
{
    bool is_first = block->outcome == OUTCOME_NONE;
    bool is_same = block->outcome == (uint8_t)answer->outcome && block->code == answer->code;
    block->outcome = (uint8_t)(is_first || is_same ? answer->outcome : OUTCOME_TIMEOUT);
    block->code = is_first || is_same ? answer->code : 0;
}

static void judge(struct block *block, const struct answer *answer, bool is_answered)
{
    enum trinocular_verdict verdict = trinocular_take(&block->judge, is_answered);
    bool can_judge = trinocular_can_judge(&block->judge);
    switch (verdict) {
    case TRINOCULAR_MORE:
        break;
    case TRINOCULAR_UP:
        emit(block, answer, OUTCOME_OK);
        break;
    case TRINOCULAR_DOWN:
        emit(block, answer, (enum outcome)block->outcome);
        break;
    case TRINOCULAR_UNDECIDED:
        emit(block, answer, OUTCOME_UNDECIDED);
        break;
    }
    if (can_judge && verdict == TRINOCULAR_MORE)
        ask_again(block);
    else if (can_judge)
        await_round(block);
    else
        rest(block);
}

static void learn(struct block *block, bool is_answered)
{
    census_take(&block->census, block->target.addr.bytes[3], is_answered);
    if (census_is_over(&block->census))
        end_census(block);
    else if (block->questions == TRINOCULAR_PROBES_MAX)
        await_round(block);
    else
        ask_again(block);
}

static void free_retired(struct block *block)
{
    struct block_prober *prober = block->prober;
    for (size_t i = 0; i < prober->retired_count; i++)
        if (prober->retired[i] == block)
            prober->retired[i--] = prober->retired[--prober->retired_count];
    free(block);
}

static void on_answer(void *context, const struct answer *answer)
{
    struct block *block = context;
    enum outcome outcome = judge_asked_late(answer->outcome, answer->late_ns);
    bool is_answered = outcome == OUTCOME_OK;
    block->is_waiting = false;
    if (block->is_retired) {
        free_retired(block);
        return;
    }
    block->prober->counters.answered += is_answered;
    if (outcome_class(outcome) == OUTCOME_CLASS_OURS) {
        block->prober->counters.broken++;
        if (block->phase == PHASE_JUDGED)
            emit(block, answer, outcome);
        await_round(block);
        return;
    }
    if (!is_answered)
        note_failure(block, answer);
    if (block->phase == PHASE_LEARNING)
        learn(block, is_answered);
    else
        judge(block, answer, is_answered);
}

/* ---- asking ---- */

static void begin_round(struct block *block)
{
    if (block->phase == PHASE_UNFIT) {
        block->phase = PHASE_LEARNING;
        block->census = (struct census){0};
    }
    if (block->phase == PHASE_JUDGED)
        trinocular_begin(&block->judge);
    block->is_in_round = true;
    block->questions = 0;
    block->outcome = OUTCOME_NONE;
    block->code = 0;
    block->prober->counters.rounds++;
}

/* False if there is nobody left to ask. */
static bool choose(struct block *block, uint8_t *address)
{
    struct census *census = &block->census;
    if (block->phase == PHASE_JUDGED) {
        *address = trinocular_next(&block->judge, seed_of(block));
        return true;
    }
    while (!census_is_over(census)) {
        *address = census_next(census, seed_of(block));
        if (!census_is_over(census) && may_ask(block, *address))
            return true;
        census_skip(census);
    }
    return false;
}

static void ask(struct block *block)
{
    struct block_prober *prober = block->prober;
    uint8_t address;
    if (!choose(block, &address)) {
        end_census(block);
        return;
    }
    block->target = (struct target){
        .kind = TARGET_ICMP, .layer = LAYER_HOST, .addr = addr_of(block->network, address)};
    block->questions++;
    block->is_waiting = true;
    prober->counters.asked++;
    struct question question = {.target = &block->target,
                                .due = block->due,
                                .timeout_ns = prober->settings.timeout_ns,
                                .answered = on_answer,
                                .context = block};
    pinger_ask(prober->options.pinger, &question);
}

static int64_t manners_wait(const struct block *block, struct mono now)
{
    const struct block_prober_options *options = &block->prober->options;
    struct manners *manners = options->manners ? options->manners(options->context) : NULL;
    struct addr addr = addr_of(block->network, 0);
    return manners ? manners_wait_ns(manners, manners_neighbourhood(&addr), now) : 0;
}

static void on_turn(void *context)
{
    struct block *block = context;
    struct block_prober *prober = block->prober;
    struct mono now = clock_mono();
    if (prober->is_stopped)
        return;
    int64_t wait_ns = manners_wait(block, now);
    if (wait_ns) {
        prober->counters.held++;
        block->due.ns = now.ns + wait_ns;
        agenda_set(prober->agenda, &block->turn, block->due);
        return;
    }
    if (!block->is_in_round)
        begin_round(block);
    ask(block);
}

/* ---- the plan ---- */

const char *block_plan_target(const struct block_plan *plan, char buffer[BLOCK_TARGET_MAX])
{
    struct addr addr = addr_of(plan->network, 0);
    char text[ADDR_TEXT_MAX];
    snprintf(buffer, BLOCK_TARGET_MAX, "block:%.18s/24", addr_format(&addr, text));
    return buffer;
}

/* NULL if the registry has no room for it. */
static struct block *new_block(struct block_prober *prober, const struct block_plan *plan)
{
    char target[BLOCK_TARGET_MAX];
    block_plan_target(plan, target);
    uint32_t id = registry_intern(prober->sink.registry, NAME_TARGET, target, strlen(target));
    if (!id)
        return NULL;
    struct block *block = mem_new(1, sizeof *block);
    block->prober = prober;
    block->id = id;
    block->network = plan->network;
    block->is_named = plan->is_named;
    block->turn = (struct agenda_entry){.fire = on_turn, .context = block};
    return block;
}

static void free_block(struct block *block)
{
    agenda_drop(block->prober->agenda, &block->turn);
    free(block);
}

/* What is excluded now, and was not when it was learned, is forgotten. */
static void forget_excluded(struct block *block)
{
    for (unsigned address = 0; address < BLOCK_ADDRESSES; address++) {
        bool is_known = block_set_has(&block->judge.active, (uint8_t)address) ||
                        block_set_has(&block->census.found, (uint8_t)address);
        if (!is_known || may_ask(block, (uint8_t)address))
            continue;
        block_set_remove(&block->judge.active, (uint8_t)address);
        block_set_remove(&block->census.found, (uint8_t)address);
    }
    if (block->phase == PHASE_JUDGED && !trinocular_can_judge(&block->judge) && !block->is_waiting)
        rest(block);
}

/* Its first round begins somewhere in the time of one. */
static void start(struct block *block)
{
    struct block_prober *prober = block->prober;
    uint64_t chance = hash_mix(seed_of(block) + 1);
    block->round = clock_mono();
    block->round.ns += (int64_t)(chance % (uint64_t)prober->settings.round_ns);
    block->due = block->round;
    agenda_set(prober->agenda, &block->turn, block->due);
}

static void retire(struct block *block)
{
    struct block_prober *prober = block->prober;
    if (!block->is_waiting) {
        free_block(block);
        return;
    }
    agenda_drop(prober->agenda, &block->turn);
    block->is_retired = true;
    prober->retired = mem_grow(prober->retired, &prober->retired_capacity,
                               prober->retired_count + 1, sizeof(struct block *));
    prober->retired[prober->retired_count++] = block;
}

static int compare_blocks(const void *a, const void *b)
{
    uint32_t x = (*(struct block *const *)a)->network, y = (*(struct block *const *)b)->network;
    return (x > y) - (x < y);
}

/* In order and each once. NULL if there is no room for all of them in the registry. */
static struct block **sorted_plan(struct block_prober *prober, const struct block_plan *plan,
                                  size_t *count)
{
    struct block **blocks = mem_new(*count + 1, sizeof(struct block *));
    size_t n = 0, kept = 0;
    while (n < *count && (blocks[n] = new_block(prober, &plan[n])))
        n++;
    if (n < *count) {
        while (n)
            free_block(blocks[--n]);
        free(blocks);
        return NULL;
    }
    qsort(blocks, n, sizeof(struct block *), compare_blocks);
    for (size_t i = 0; i < n; i++) {
        if (!kept || blocks[kept - 1]->network != blocks[i]->network) {
            blocks[kept++] = blocks[i];
            continue;
        }
        blocks[kept - 1]->is_named |= blocks[i]->is_named;
        free_block(blocks[i]);
    }
    *count = kept;
    return blocks;
}

/* An old block goes on in place of the new one. */
static struct block *carry_on(struct block *old, struct block *replacement, bool is_other_pace)
{
    old->is_named = replacement->is_named;
    free_block(replacement);
    if (is_other_pace && !old->is_waiting && old->phase != PHASE_UNFIT) {
        old->is_in_round = false;
        start(old);
    }
    return old;
}

enum err block_prober_set_plan(struct block_prober *prober, const struct block_plan *plan,
                               size_t count, const struct block_settings *settings,
                               const struct manners_options *manners, struct why *why)
{
    if (count > BLOCKS_MAX)
        return why_set(why, ERR_LIMIT, "%zu networks are more than the %d that are allowed", count,
                       BLOCKS_MAX);
    struct block **blocks = sorted_plan(prober, plan, &count);
    if (!blocks)
        return why_set(why, ERR_LIMIT, "the registry is full: no room for %zu networks", count);
    bool is_other_pace = settings->round_ns != prober->settings.round_ns;
    size_t old = 0;
    prober->settings = *settings;
    prober->manners = manners;
    for (size_t i = 0; i < count; i++) {
        while (old < prober->count && prober->plan[old]->network < blocks[i]->network)
            retire(prober->plan[old++]);
        if (old < prober->count && prober->plan[old]->network == blocks[i]->network)
            blocks[i] = carry_on(prober->plan[old++], blocks[i], is_other_pace);
        else
            start(blocks[i]);
        forget_excluded(blocks[i]);
    }
    while (old < prober->count)
        retire(prober->plan[old++]);
    free(prober->plan);
    prober->plan = blocks;
    prober->count = count;
    return ERR_OK;
}

/* ---- what is known ---- */

static int compare_network(const void *key, const void *element)
{
    uint32_t x = *(const uint32_t *)key, y = (*(struct block *const *)element)->network;
    return (x > y) - (x < y);
}

static bool is_unknown(const struct block *block)
{
    return !block->census.asked && !block->is_in_round && !utc_is_known(block->since);
}

void block_prober_know(struct block_prober *prober, const struct block_record *record)
{
    const uint8_t *bytes = record->network.addr.bytes;
    uint32_t network =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8;
    struct block **found = prober->count ? bsearch(&network, prober->plan, prober->count,
                                                   sizeof(struct block *), compare_network)
                                         : NULL;
    if (!found || !is_unknown(*found))
        return;
    struct block *block = *found;
    block->census = record->census;
    block->since = utc_is_known(record->since) ? record->since : clock_utc();
    if (census_is_over(&record->census)) {
        trinocular_know(&block->judge, &record->census.found, record->availability);
        begin_judging(block);
    }
    forget_excluded(block);
    if (block->phase == PHASE_UNFIT)
        rest(block);
}

static struct block_record record_of(const struct block *block)
{
    struct block_record record = {.network = {addr_of(block->network, 0), 24},
                                  .census = block->census,
                                  .since = block->since};
    if (block->phase != PHASE_LEARNING) {
        record.census = (struct census){.found = block->judge.active, .asked = CENSUS_QUESTIONS};
        record.availability = fmin(trinocular_share(&block->judge), 1);
    }
    return record;
}

struct block_record *block_prober_records(const struct block_prober *prober, size_t *count)
{
    struct block_record *records = mem_new(prober->count + 1, sizeof *records);
    *count = 0;
    for (size_t i = 0; i < prober->count; i++) {
        struct block_record record = record_of(prober->plan[i]);
        if (record.census.asked)
            records[(*count)++] = record;
    }
    return records;
}

struct block_counters block_prober_counters(const struct block_prober *prober)
{
    struct block_counters counters = prober->counters;
    for (size_t i = 0; i < prober->count; i++) {
        uint8_t phase = prober->plan[i]->phase;
        counters.unknown += is_unknown(prober->plan[i]);
        counters.judged += phase == PHASE_JUDGED;
        counters.learning += phase == PHASE_LEARNING;
        counters.unfit += phase == PHASE_UNFIT;
    }
    return counters;
}

struct block_prober *block_prober_new(struct loop *loop, const struct block_prober_options *options,
                                      const struct sink *sink)
{
    struct block_prober *prober = mem_new(1, sizeof *prober);
    prober->sink = *sink;
    prober->options = *options;
    prober->vantage =
        registry_intern(sink->registry, NAME_VANTAGE, options->vantage, strlen(options->vantage));
    prober->agenda = agenda_new(loop);
    return prober;
}

void block_prober_stop(struct block_prober *prober)
{
    prober->is_stopped = true;
}

void block_prober_free(struct block_prober *prober)
{
    if (!prober)
        return;
    for (size_t i = 0; i < prober->count; i++)
        free_block(prober->plan[i]);
    for (size_t i = 0; i < prober->retired_count; i++)
        free(prober->retired[i]);
    free(prober->plan);
    free(prober->retired);
    agenda_free(prober->agenda);
    free(prober);
}
