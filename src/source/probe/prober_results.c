#include "source/probe/judge.h"
#include "source/probe/prober_inside.h"
#include "source/probe/reset_watch.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

void inquiry_free(struct inquiry *inquiry)
{
    *inquiry->link = inquiry->next;
    if (inquiry->next)
        inquiry->next->link = inquiry->link;
    account_free(inquiry->account);
    free(inquiry);
}

static uint32_t intern_peer(const struct prober *prober, const struct addr *peer)
{
    char text[ADDR_TEXT_MAX];
    addr_format(peer, text);
    return registry_intern(prober->sink.registry, NAME_ADDRESS, text, strlen(text));
}

/* Nearly always it is the target itself that replied. */
static uint32_t peer_of(struct asked *asked, const struct addr *peer)
{
    if (!peer->family)
        return 0;
    if (addr_compare(peer, &asked->target->addr) != 0)
        return intern_peer(asked->prober, peer);
    if (!asked->own_peer)
        asked->own_peer = intern_peer(asked->prober, peer);
    return asked->own_peer;
}

static struct observation observation_of(struct asked *asked, const struct answer *answer,
                                         int64_t late_ns)
{
    return (struct observation){
        .time = answer->sent,
        .rtt_ns = answer->rtt_ns,
        .value = answer->value,
        .source = asked->prober->vantage,
        .target = asked->id,
        .peer = peer_of(asked, &answer->peer),
        .code = answer->code,
        .kind = OBSERVATION_PROBE,
        .outcome = (uint8_t)judge_asked_late(answer->outcome, late_ns),
        .stage = (uint8_t)answer->stage,
    };
}

/* The asked may be freed here. */
static void take(struct asked *asked, const struct observation *observation, int64_t late_ns)
{
    struct prober *prober = asked->prober;
    lateness_add(&prober->lateness, late_ns);
    prober->counters.sent_late += late_ns > AGENDA_STALL_NS;
    prober->counters.answered++;
    prober->outstanding--;
    asked->outstanding--;
    follow_result(asked, observation);
    if (asked->is_retired && !asked->outstanding)
        asked_free(asked);
    if (observation->source && observation->target)
        sink_emit(&prober->sink, observation);
    else
        prober->counters.unnamed++;
    if (prober->is_draining)
        agenda_set_now(prober->agenda, &prober->drain_check);
}

/* With which TTL a host's packets come. */
static void note_ttl(const struct asked *asked, const struct answer *answer)
{
    if (asked->target->kind == TARGET_ICMP && answer->outcome == OUTCOME_OK)
        reset_watch_note(asked->prober->resets, &answer->peer, (int)answer->value);
}

static void on_answer(void *context, const struct answer *answer)
{
    struct asked *asked = context;
    note_ttl(asked, answer);
    struct observation observation = observation_of(asked, answer, answer->late_ns);
    take(asked, &observation, answer->late_ns);
}

static struct recollection *recollection_of(struct asked *asked)
{
    if (!asked->recollection) {
        asked->recollection = mem_new(1, sizeof *asked->recollection);
        fact_memory_init(&asked->recollection->facts, clock_mono());
    }
    return asked->recollection;
}

/* The number of the text of the facts that are kept; 0 if there are none. */
static uint32_t keep_facts(struct asked *asked, const struct account *account)
{
    struct buffer text = {0};
    uint32_t id = 0;
    fact_memory_keep(&recollection_of(asked)->facts, account, clock_mono(), &text);
    if (text.size)
        id = registry_intern(asked->prober->sink.registry, NAME_TEXT, text.bytes, text.size);
    buffer_done(&text);
    return id;
}

static void on_account(void *context, const struct answer *answer)
{
    struct inquiry *inquiry = context;
    struct asked *asked = inquiry->asked;
    struct prober *prober = asked->prober;
    int64_t late_ns = answer->late_ns > inquiry->late_ns ? answer->late_ns : inquiry->late_ns;
    struct observation observation = observation_of(asked, answer, late_ns);
    note_ttl(asked, answer);
    observation.path = inquiry->sake;
    if (inquiry->account)
        observation.extra = keep_facts(asked, inquiry->account);
    if (prober->tell)
        prober->tell(prober->tell_context, &observation, inquiry->account);
    inquiry_free(inquiry);
    take(asked, &observation, late_ns);
}

/* Echoes are many, and there is nothing to tell of them that their answer does not. */
static bool wants_account(const struct asked *asked)
{
    return asked->target->kind != TARGET_ICMP || asked->prober->tell;
}

static struct inquiry *new_inquiry(struct asked *asked, int64_t late_ns, uint32_t sake)
{
    struct prober *prober = asked->prober;
    struct inquiry *inquiry = mem_new(1, sizeof *inquiry);
    *inquiry =
        (struct inquiry){.asked = asked,
                         .account = wants_account(asked) ? account_new(prober->tell != NULL) : NULL,
                         .late_ns = late_ns,
                         .sake = sake,
                         .next = prober->inquiries,
                         .link = &prober->inquiries};
    if (inquiry->next)
        inquiry->next->link = &inquiry->next;
    prober->inquiries = inquiry;
    return inquiry;
}

void results_expect(struct asked *asked, struct question *question, int64_t late_ns, uint32_t sake)
{
    struct prober *prober = asked->prober;
    question->answered = on_answer;
    question->context = asked;
    if (wants_account(asked) || sake) {
        struct inquiry *inquiry = new_inquiry(asked, late_ns, sake);
        question->account = inquiry->account;
        question->memory = inquiry->account ? &recollection_of(asked)->engine : NULL;
        question->answered = on_account;
        question->context = inquiry;
    }
    prober->counters.asked++;
    prober->outstanding++;
    asked->outstanding++;
}
