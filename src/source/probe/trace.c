#include "source/probe/trace.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "sys/clock.h"
#include "sys/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers take longer than that only where nothing works any more. */
#define HOP_TIMEOUT_NS (1500 * NS_PER_MS)

/* What the hops are asked with. */
enum trace_by { BY_ICMP, BY_UDP, BY_TCP };

struct hop {
    struct trace *trace;
    uint8_t tries;
    bool is_over;
    struct answer answer; /* once it is over */
};

struct trace {
    struct trace *next, **link; /* in the engine's list */
    struct trace_engine *engine;
    struct question question;
    struct target target; /* the same address, to be asked by `by` */
    enum trace_by by;
    uint16_t own_port; /* by UDP and TCP */
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct hop hops[TRACE_HOPS_MAX]; /* the first one is one hop away */
    unsigned asked;                  /* of them, the nearest */
    unsigned end;                    /* so many are worth asking, as is known by now */
    unsigned outstanding;
    bool is_asking;
    bool is_given_up;  /* the time is over, and the last questions will be, too */
    bool has_own_word; /* the host is on our own network, and our machine does not find it there */
    struct answer own_word;
};

struct trace_engine {
    struct agenda *agenda;
    struct pinger *pinger;
    struct tcp_engine *tcp;
    struct origin_finder finder;
    struct trace *traces;
};

struct trace_engine *trace_new(struct agenda *agenda, struct pinger *pinger, struct tcp_engine *tcp,
                               const struct origin_finder *finder)
{
    struct trace_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->pinger = pinger;
    engine->tcp = tcp;
    if (finder)
        engine->finder = *finder;
    return engine;
}

static void close_trace(struct trace *trace)
{
    agenda_drop(trace->engine->agenda, &trace->timeout);
    *trace->link = trace->next;
    if (trace->next)
        trace->next->link = trace->link;
    free(trace);
}

/* The pinger is freed first: none of its answers will come any more. */
void trace_free(struct trace_engine *engine)
{
    if (!engine)
        return;
    while (engine->traces)
        close_trace(engine->traces);
    free(engine);
}

static bool is_heard(const struct hop *hop)
{
    return hop->is_over && hop->answer.peer.family;
}

/* Whether a router answered at three distances: packets go round, and will to the end. */
static bool is_loop(const struct trace *trace, unsigned distance)
{
    const struct hop *hop = &trace->hops[distance - 1];
    unsigned same = 0;
    for (unsigned i = 0; i < trace->asked && i < trace->end; i++)
        same += is_heard(&trace->hops[i]) &&
                trace->hops[i].answer.outcome == OUTCOME_TTL_EXCEEDED &&
                addr_compare(&trace->hops[i].answer.peer, &hop->answer.peer) == 0;
    return same >= 3;
}

/* How many hops away the farthest one that answered is; 0: none did. */
static unsigned farthest(const struct trace *trace)
{
    for (unsigned n = trace->end < trace->asked ? trace->end : trace->asked; n; n--)
        if (is_heard(&trace->hops[n - 1]))
            return n;
    return 0;
}

/* ---- the account ---- */

static uint32_t origin_of(const struct trace *trace, const struct addr *addr)
{
    const struct origin_finder *finder = &trace->engine->finder;
    return finder->find ? finder->find(finder->context, addr) : 0;
}

static void tell_hop(const struct trace *trace, unsigned distance)
{
    struct account *account = trace->question.account;
    const struct hop *hop = &trace->hops[distance - 1];
    char text[ADDR_TEXT_MAX], as[24] = "";
    uint32_t asn = is_heard(hop) ? origin_of(trace, &hop->answer.peer) : 0;
    if (!is_heard(hop)) {
        account_add(account, FACT_PATH, "*", 1);
        account_say(account, stopwatch_elapsed_ns(&trace->watch), "* %2u  no answer", distance);
        return;
    }
    if (asn)
        snprintf(as, sizeof as, " (AS%u)", asn);
    addr_format(&hop->answer.peer, text);
    account_add(account, FACT_PATH, text, strlen(text));
    account_say(account, stopwatch_elapsed_ns(&trace->watch), "* %2u  %s%s  %.3f ms  %s", distance,
                text, as, (double)hop->answer.rtt_ns / NS_PER_MS,
                hop->answer.outcome == OUTCOME_TTL_EXCEEDED ? ""
                                                            : outcome_name(hop->answer.outcome));
}

static void tell(const struct trace *trace)
{
    unsigned last = farthest(trace);
    char text[ADDR_TEXT_MAX];
    if (trace->has_own_word)
        account_say(trace->question.account, stopwatch_elapsed_ns(&trace->watch),
                    "* no router is asked: our own machine says %s",
                    outcome_name(trace->own_word.outcome));
    if (!trace->question.account || !last)
        return;
    for (unsigned distance = 1; distance <= last; distance++)
        tell_hop(trace, distance);
    const struct addr *addr = &trace->hops[last - 1].answer.peer;
    addr_format(addr, text);
    account_text(trace->question.account, FACT_LAST_HOP, text, strlen(text));
    if (origin_of(trace, addr))
        account_number(trace->question.account, FACT_LAST_HOP_AS, origin_of(trace, addr));
}

/* ---- the end ---- */

static struct answer answer_of(const struct trace *trace)
{
    unsigned last = farthest(trace);
    struct answer answer = {.outcome = judge_silence(&trace->target.addr, &trace->watch),
                            .stage = STAGE_REPLY};
    for (unsigned i = 0; !last && i < trace->asked; i++)
        if (trace->hops[i].is_over &&
            outcome_class(trace->hops[i].answer.outcome) == OUTCOME_CLASS_OURS)
            answer.outcome = trace->hops[i].answer.outcome;
    if (last) {
        const struct answer *heard = &trace->hops[last - 1].answer;
        bool is_end = heard->outcome != OUTCOME_TTL_EXCEEDED || is_loop(trace, last);
        answer.outcome = is_end ? heard->outcome : answer.outcome;
        answer.code = is_end ? heard->code : 0;
        answer.stage = heard->outcome == OUTCOME_OK ? STAGE_DONE : STAGE_REPLY;
        answer.rtt_ns = heard->outcome == OUTCOME_OK ? heard->rtt_ns : 0;
        answer.peer = heard->peer;
        answer.value = last;
    }
    if (trace->has_own_word) {
        answer.outcome = trace->own_word.outcome;
        answer.code = trace->own_word.code;
        answer.peer = trace->own_word.peer;
    }
    answer.sent = trace->watch.sent;
    answer.late_ns = mono_diff(trace->watch.started, trace->question.due);
    return answer;
}

static void finish(struct trace *trace)
{
    struct question question = trace->question;
    struct answer answer = answer_of(trace);
    tell(trace);
    close_trace(trace);
    question.answered(question.context, &answer);
}

/* ---- asking ---- */

static void on_answer(void *context, const struct answer *answer);

static void ask(struct trace *trace, unsigned distance)
{
    struct hop *hop = &trace->hops[distance - 1];
    struct mono now = clock_mono();
    int64_t left_ns = trace->question.timeout_ns - mono_diff(now, trace->watch.started);
    int64_t timeout_ns = left_ns < HOP_TIMEOUT_NS ? left_ns : HOP_TIMEOUT_NS;
    struct question question = {.target = &trace->target,
                                .text = trace->question.text,
                                .due = now,
                                .hops = (uint8_t)distance,
                                .own_port = trace->own_port,
                                .timeout_ns = timeout_ns > NS_PER_MS ? timeout_ns : NS_PER_MS,
                                .answered = on_answer,
                                .context = hop};
    if (trace->question.manners)
        manners_count(*trace->question.manners, &trace->target.addr, now);
    hop->trace = trace;
    hop->tries++;
    trace->outstanding++;
    switch (trace->by) {
    case BY_ICMP:
        pinger_ask(trace->engine->pinger, &question);
        return;
    case BY_UDP:
        tcp_ask_by_udp(trace->engine->tcp, &question, "lastlight traceroute");
        return;
    case BY_TCP:
        tcp_ask(trace->engine->tcp, &question);
        return;
    }
}

static unsigned window_of(const struct trace *trace)
{
    return trace->by == BY_ICMP ? TRACE_WINDOW : 1;
}

static unsigned gap_of(const struct trace *trace)
{
    return trace->by == BY_ICMP ? TRACE_GAP : TRACE_GAP_PORTS;
}

static unsigned tries_of(const struct trace *trace)
{
    return trace->by == BY_TCP ? 1 : TRACE_TRIES; /* the kernel itself sends a SYN again */
}

/* Asks what is worth it, so many at a time; finishes the trace when nothing is left. */
static void go_on(struct trace *trace)
{
    if (trace->is_asking)
        return;
    trace->is_asking = true;
    while (!trace->is_given_up && trace->outstanding < window_of(trace) &&
           trace->asked < trace->end && trace->asked < farthest(trace) + gap_of(trace))
        ask(trace, ++trace->asked);
    trace->is_asking = false;
    if (!trace->outstanding)
        finish(trace);
}

/* The host itself says that nothing listens there: for the way to it, that is an answer. */
static bool is_there(const struct trace *trace, const struct answer *answer)
{
    bool is_of_port = (trace->by == BY_UDP && answer->outcome == OUTCOME_PORT_UNREACHABLE) ||
                      (trace->by == BY_TCP && answer->outcome == OUTCOME_REFUSED);
    return is_of_port && addr_compare(&answer->peer, &trace->target.addr) == 0;
}

/* What could not be sent comes back from our own address, whatever distance it was for. */
static bool is_own_word(const struct answer *answer)
{
    return answer->outcome == OUTCOME_HOST_UNREACHABLE && answer->peer.family &&
           net_is_ours(&answer->peer);
}

static void on_answer(void *context, const struct answer *answer)
{
    struct hop *hop = context;
    struct trace *trace = hop->trace;
    unsigned distance = (unsigned)(hop - trace->hops) + 1;
    trace->outstanding--;
    if (is_own_word(answer)) {
        trace->has_own_word = true;
        trace->own_word = *answer;
        trace->end = 0;
        go_on(trace);
        return;
    }
    if (answer->outcome == OUTCOME_TIMEOUT && hop->tries < tries_of(trace) && !trace->is_given_up &&
        distance < trace->end) {
        ask(trace, distance);
        return;
    }
    hop->is_over = true;
    hop->answer = *answer;
    if (is_there(trace, answer))
        hop->answer.outcome = OUTCOME_OK;
    bool is_end = answer->outcome == OUTCOME_TTL_EXCEEDED ? is_loop(trace, distance)
                                                          : answer->outcome != OUTCOME_TIMEOUT;
    if (is_end && distance < trace->end)
        trace->end = distance;
    go_on(trace);
}

/* The questions under way have no more time than the trace, and end with it. */
static void on_timeout(void *context)
{
    struct trace *trace = context;
    trace->is_given_up = true;
}

void trace_ask(struct trace_engine *engine, const struct question *question)
{
    const struct target *target = question->target;
    enum trace_by by = !target->port ? BY_ICMP : target->is_tcp ? BY_TCP : BY_UDP;
    struct trace *trace = mem_new(1, sizeof *trace);
    *trace = (struct trace){
        .next = engine->traces,
        .link = &engine->traces,
        .engine = engine,
        .question = *question,
        .target = *question->target,
        .by = by,
        .timeout = {.fire = on_timeout, .context = trace},
        .end = TRACE_HOPS_MAX,
    };
    if (trace->next)
        trace->next->link = &trace->next;
    engine->traces = trace;
    if (by == BY_ICMP)
        trace->target.kind = TARGET_ICMP;
    else
        trace->own_port = net_free_port(by == BY_TCP ? NET_TCP : NET_UDP, target->addr.family);
    stopwatch_start(&trace->watch);
    agenda_set(engine->agenda, &trace->timeout,
               (struct mono){trace->watch.started.ns + question->timeout_ns});
    go_on(trace);
}
