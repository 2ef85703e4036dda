#include "source/probe/own_parts.h"

#include "base/endpoint.h"
#include "base/mem.h"
#include "source/probe/judge.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "wire/ntp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What NTP itself would not slew but step (STEPT in RFC 5905, appendix A.1.1) is wrong. */
#define WRONG_NS (128 * NS_PER_MS)
/* A client asks no server more often than every 15 s (RFC 4330, section 10), and one that is told to slow down
 * (RATE) waits longer each time, up to 36 hours (RFC 5905, MAXPOLL). */
#define LEAST_NS (15 * NS_PER_S)
#define RATE_NS (128 * NS_PER_S)
#define RATE_MOST_NS (NS_PER_S << 17)

enum { NS_PER_US = 1000 };

/* One server, and one exchange with it. */
struct source {
    struct own_clock *clock;
    char *text;
    struct endpoint endpoint; /* views into the text */
    struct mono not_before;   /* it is not to be asked earlier */
    int64_t pause_ns;         /* after the next RATE */
    bool is_forbidden;        /* it said DENY or RSTR: never again */
    struct lookup *lookup;
    struct loop_fd *watcher;
    int fd; /* -1: none */
    struct stopwatch watch;
    uint64_t cookie;
    struct addr addr;
    bool is_waiting, has_time;
    uint8_t stratum;
    int64_t offset_ns, error_ns, delay_ns; /* of what it said now */
};

struct own_clock {
    struct own_options options;
    struct question question;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct source sources[OWN_CLOCKS_MAX];
    size_t count, waiting;
    bool is_busy, is_starting;
};

struct own_clock *own_clock_new(const struct own_options *options)
{
    struct own_clock *clock = mem_new(1, sizeof *clock);
    clock->options = *options;
    return clock;
}

static void end_exchange(struct source *source)
{
    lookup_abandon(source->lookup);
    loop_fd_free(source->watcher);
    if (source->fd >= 0)
        close(source->fd);
    source->lookup = NULL;
    source->watcher = NULL;
    source->fd = -1;
}

static void drop_sources(struct own_clock *clock)
{
    for (size_t i = 0; i < clock->count; i++) {
        end_exchange(&clock->sources[i]);
        free(clock->sources[i].text);
    }
    clock->count = clock->waiting = 0;
}

void own_clock_free(struct own_clock *clock)
{
    if (!clock)
        return;
    agenda_drop(clock->options.agenda, &clock->timeout);
    drop_sources(clock);
    free(clock);
}

/* What the servers say together. */

/* How many may be right if the offset is this: those whose intervals of offset and error hold it (RFC 5905,
 * section 11.2.1). Whoever keeps the system's clock has a voice, and says that it is right. */
static unsigned agreeing(const struct own_clock *clock, const struct clock_discipline *system,
                         int64_t offset_ns)
{
    unsigned n = system->is_synchronised && llabs(offset_ns) <= system->error_ns;
    for (size_t i = 0; i < clock->count; i++) {
        const struct source *s = &clock->sources[i];
        n += s->has_time && llabs(offset_ns - s->offset_ns) <= s->error_ns;
    }
    return n;
}

/* Of those on which most agree, the one that is surest. NULL: more of them contradict it than agree. */
static const struct source *best_source(const struct own_clock *clock,
                                        const struct clock_discipline *system)
{
    const struct source *best = NULL;
    unsigned most = 0, all = system->is_synchronised;
    for (size_t i = 0; i < clock->count; i++) {
        const struct source *s = &clock->sources[i];
        unsigned n = s->has_time ? agreeing(clock, system, s->offset_ns) : 0;
        all += s->has_time;
        if (n > most || (n && n == most && s->error_ns < best->error_ns)) {
            best = s;
            most = n;
        }
    }
    return most * 2 > all ? best : NULL;
}

static void tell_sources(const struct own_clock *clock, struct account *account)
{
    for (size_t i = 0; i < clock->count; i++) {
        const struct source *s = &clock->sources[i];
        char text[400];
        int n = snprintf(text, sizeof text, "%.200s: ", s->text);
        if (s->has_time)
            n += snprintf(
                text + n, sizeof text - (size_t)n, "%+.3f ms, at most %.3f ms wrong, stratum %u",
                (double)s->offset_ns / NS_PER_MS, (double)s->error_ns / NS_PER_MS, s->stratum);
        else
            n += snprintf(text + n, sizeof text - (size_t)n, "%s",
                          s->is_forbidden ? "does not want to be asked" : "no time");
        account_add(account, FACT_CLOCK_SERVERS, text, (size_t)n);
    }
}

static struct answer judge(const struct own_clock *clock, struct account *account)
{
    struct clock_discipline system = clock_discipline();
    const struct source *best = best_source(clock, &system);
    struct answer answer = {.sent = clock->watch.sent, .stage = STAGE_DONE};
    account_number(account, FACT_CLOCK_SYNCHRONISED, system.is_synchronised);
    if (system.is_synchronised)
        account_number(account, FACT_CLOCK_ERROR, system.error_ns / NS_PER_US);
    answer.outcome = system.is_synchronised ? OUTCOME_OK : OUTCOME_DEGRADED;
    if (!best)
        return answer;
    answer.value = best->offset_ns;
    answer.rtt_ns = best->delay_ns;
    answer.peer = best->addr;
    account_number(account, FACT_CLOCK_OFFSET, best->offset_ns / NS_PER_US);
    account_number(account, FACT_CLOCK_ERROR, best->error_ns / NS_PER_US);
    /* Who has servers to compare with does not need the system's word. */
    bool is_wrong = llabs(best->offset_ns) - best->error_ns > WRONG_NS;
    answer.outcome = is_wrong ? OUTCOME_SELF : OUTCOME_OK;
    return answer;
}

static void finish(struct own_clock *clock)
{
    struct question question = clock->question;
    agenda_drop(clock->options.agenda, &clock->timeout);
    for (size_t i = 0; i < clock->count; i++) {
        end_exchange(&clock->sources[i]);
        clock->sources[i].is_waiting = false;
    }
    tell_sources(clock, question.account);
    struct answer answer = judge(clock, question.account);
    clock->is_busy = false;
    question.answered(question.context, &answer);
}

/* One server. */

static void source_done(struct source *source)
{
    struct own_clock *clock = source->clock;
    if (!source->is_waiting)
        return;
    source->is_waiting = false;
    end_exchange(source);
    if (--clock->waiting == 0 && !clock->is_starting)
        finish(clock);
}

/* RFC 5905, section 7.4: these three are orders, the rest is of no interest to a client. */
static void take_kiss(struct source *source, const char *kiss)
{
    account_say(source->clock->question.account, stopwatch_elapsed_ns(&source->watch),
                "< %s: kiss-o'-death %s", source->text, kiss);
    if (strcmp(kiss, "DENY") == 0 || strcmp(kiss, "RSTR") == 0)
        source->is_forbidden = true;
    if (strcmp(kiss, "RATE") != 0)
        return;
    source->pause_ns = source->pause_ns ? source->pause_ns * 2 : RATE_NS;
    source->pause_ns = source->pause_ns < RATE_MOST_NS ? source->pause_ns : RATE_MOST_NS;
    source->not_before.ns = clock_mono().ns + source->pause_ns;
}

static void take_time(struct source *source, const struct ntp_reply *reply, struct utc answered)
{
    int64_t elapsed_ns = stopwatch_elapsed_ns(&source->watch);
    /* A clock that was set meanwhile gives no offset. */
    if (utc_diff(answered, source->watch.sent) < 0 ||
        utc_diff(answered, source->watch.sent) > elapsed_ns + NS_PER_MS)
        return;
    source->offset_ns = ntp_offset_ns(source->watch.sent, reply, answered, &source->delay_ns);
    source->error_ns = source->delay_ns / 2 + reply->distance_ns;
    source->stratum = reply->stratum;
    source->has_time = true;
    source->pause_ns = 0;
    account_say(source->clock->question.account, elapsed_ns,
                "< %s: our clock is %.3f ms %s, stratum %u", source->text,
                (double)llabs(source->offset_ns) / NS_PER_MS,
                source->offset_ns < 0 ? "ahead" : "behind", reply->stratum);
}

/* What is no answer to our request is passed over. True if this was one. */
static bool take_packet(struct source *source, const uint8_t *bytes, size_t n, struct utc received)
{
    struct reader r = reader_of(bytes, n);
    struct ntp_reply reply = ntp_read_reply(&r, source->cookie, received);
    if (reply.what == NTP_FOREIGN)
        return false;
    if (reply.what == NTP_KISS)
        take_kiss(source, reply.kiss);
    else if (reply.what == NTP_TIME)
        take_time(source, &reply, received);
    else
        account_say(source->clock->question.account, stopwatch_elapsed_ns(&source->watch),
                    "< %s: does not know the time itself", source->text);
    return true;
}

static void on_packet(void *context, int events)
{
    (void)events;
    enum { READS = 16, PACKET_MAX = 512 };
    struct source *source = context;
    for (int i = 0; i < READS; i++) {
        uint8_t bytes[PACKET_MAX];
        struct utc received;
        int error;
        long n = net_receive(source->fd, bytes, sizeof bytes, &received, &error);
        if (n < 0 && error == EAGAIN)
            return;
        if (n < 0 || take_packet(source, bytes, (size_t)n, received)) {
            source_done(source);
            return;
        }
    }
}

static void send_request(struct source *source, const struct addr *to)
{
    uint8_t bytes[NTP_SIZE];
    char text[ADDR_TEXT_MAX];
    int error;
    uint16_t port = source->endpoint.port ? source->endpoint.port : NTP_PORT;
    source->addr = *to;
    source->cookie = entropy_u64();
    source->fd = net_connect(NET_UDP, to, port, &error);
    if (source->fd < 0) {
        source_done(source);
        return;
    }
    ntp_write_request(source->cookie, bytes);
    stopwatch_start(&source->watch);
    account_say(source->clock->question.account, 0, "> %s: NTP request to %s port %u", source->text,
                addr_format(to, text), port);
    if (net_send(source->fd, bytes, sizeof bytes, &error) < 0) {
        source_done(source);
        return;
    }
    source->watcher =
        loop_fd_new(agenda_loop(source->clock->options.agenda), source->fd, on_packet, source);
    loop_fd_want(source->watcher, LOOP_READ);
}

static void on_found(void *context, const struct lookup_result *result)
{
    struct source *source = context;
    struct lookup_result found = *result;
    source->lookup = NULL;
    judge_narrow(&found, 0);
    if (found.count)
        send_request(source, &found.addrs[0]);
    else
        source_done(source);
}

static void look_up(struct source *source)
{
    char host[256];
    size_t n = source->endpoint.host_size;
    snprintf(host, sizeof host, "%.*s", (int)(n < sizeof host ? n : sizeof host - 1),
             source->endpoint.host);
    struct lookup *lookup =
        resolver_look_up(source->clock->options.resolver, host, on_found, source);
    if (lookup)
        source->lookup = lookup;
}

static void ask_source(struct source *source, struct mono now)
{
    struct own_clock *clock = source->clock;
    const struct addr *addr = &source->endpoint.addr;
    source->has_time = false;
    if (source->is_forbidden || mono_diff(now, source->not_before) < 0 ||
        (addr->family && !clock->options.may(clock->options.context, addr)))
        return;
    source->not_before.ns = now.ns + LEAST_NS;
    source->is_waiting = true;
    clock->waiting++;
    if (addr->family)
        send_request(source, addr);
    else
        look_up(source);
}

/* What is not read yet was in time, by the kernel's time stamp. */
static void on_timeout(void *context)
{
    struct own_clock *clock = context;
    for (size_t i = 0; i < clock->count && clock->is_busy; i++)
        if (clock->sources[i].watcher)
            on_packet(&clock->sources[i], LOOP_READ);
    if (clock->is_busy)
        finish(clock);
}

void own_clock_ask(struct own_clock *clock, const struct question *question)
{
    struct mono now = clock_mono();
    if (clock->is_busy) {
        question->answered(question->context, &(struct answer){.sent = clock_utc()});
        return;
    }
    clock->is_busy = clock->is_starting = true;
    clock->question = *question;
    clock->timeout = (struct agenda_entry){.fire = on_timeout, .context = clock};
    clock->waiting = 0;
    stopwatch_start(&clock->watch);
    for (size_t i = 0; i < clock->count; i++)
        ask_source(&clock->sources[i], now);
    clock->is_starting = false;
    if (clock->waiting)
        agenda_set(clock->options.agenda, &clock->timeout,
                   (struct mono){now.ns + question->timeout_ns});
    else
        finish(clock);
}

/* Who was told not to ask a server keeps to that while the server stays in the list. */
static void take_over(struct source *fresh, const struct source *old, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fresh->text, old[i].text) != 0)
            continue;
        fresh->not_before = old[i].not_before;
        fresh->pause_ns = old[i].pause_ns;
        fresh->is_forbidden = old[i].is_forbidden;
    }
}

void own_clock_set(struct own_clock *clock, const char *const *servers, size_t count)
{
    struct source fresh[OWN_CLOCKS_MAX];
    count = count < OWN_CLOCKS_MAX ? count : OWN_CLOCKS_MAX;
    for (size_t i = 0; i < count; i++) {
        fresh[i] = (struct source){.clock = clock, .text = mem_copy(servers[i]), .fd = -1};
        endpoint_parse(fresh[i].text, strlen(fresh[i].text), &fresh[i].endpoint);
        take_over(&fresh[i], clock->sources, clock->count);
    }
    bool was_busy = clock->is_busy;
    drop_sources(clock);
    memcpy(clock->sources, fresh, count * sizeof *fresh);
    clock->count = count;
    if (was_busy)
        finish(clock);
}
