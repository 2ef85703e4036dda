#include "source/bgp/ris_live.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "source/backoff.h"
#include "source/bgp/ris_live_feed.h"
#include "source/http_stream.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_MAX = 64, REASON_MAX = 240 };

/* One connection, or the wish for one. */
struct link {
    struct ris_live *live;
    char host[RIS_HOST_MAX + 1]; /* of its collector; "": of all */
    struct http_stream *stream;  /* NULL: waiting for the next attempt */
    struct loop_timer *retry;
    struct backoff backoff;
    struct mono opened;       /* the stream */
    struct mono first, last;  /* message on it; 0: none yet */
    unsigned unreadable;      /* lines in a row */
    char told[REASON_MAX];    /* why there is no connection, as people know; "": there is one */
    char refusal[REASON_MAX]; /* what take_line() returned */
};

struct collector {
    char name[RIS_HOST_MAX + 1];
    struct link *link;
    struct ris_feed feed;
    bool is_on;        /* else it is in a gap, or was never heard */
    bool is_behind;    /* and people know */
    bool is_silent;    /* the same */
    struct mono heard; /* its last message */
    struct utc stamp;  /* its newest, by its own clock */
    struct utc newest; /* what is told next is later */
};

struct ris_live {
    struct loop *loop;
    struct sink sink;
    struct route_memory memory;
    struct ris_parser parser;
    struct http_hub *hub;
    char *url;
    void (*say)(void *context, const char *text);
    void *context;
    struct ris_pace pace;
    struct utc started;
    struct loop_timer *timer;
    struct link links[RIS_HOSTS_MAX];
    size_t link_count;
    struct collector collectors[RIS_COLLECTORS_MAX];
    size_t collector_count;
    struct ris_counters counters;
    bool has_told_unreadable, has_told_damaged, has_told_late;
};

static void say(struct ris_live *live, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct ris_live *live, const char *format, ...)
{
    char text[500];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    live->say(live->context, text);
}

/* "RIS Live" or "RIS Live (rrc00)". */
static const char *title(const struct link *link, char out[RIS_HOST_MAX + 16])
{
    snprintf(out, RIS_HOST_MAX + 16, "RIS Live%s%s%s", *link->host ? " (" : "", link->host,
             *link->host ? ")" : "");
    return out;
}

/* ---- collectors ---- */

static void add_counters(struct ris_counters *sum, const struct ris_feed_counters *more)
{
    sum->updates += more->updates;
    sum->bad += more->bad;
    sum->late += more->late;
    sum->stale += more->stale;
    sum->unknown += more->unknown;
}

static void end_collector(struct collector *collector, const char *reason)
{
    add_counters(&collector->link->live->counters, &collector->feed.counters);
    collector->newest = ris_feed_done(&collector->feed, reason);
    collector->is_on = false;
}

static void begin_collector(struct collector *collector, const struct ris_message *first,
                            struct utc now)
{
    struct ris_live *live = collector->link->live;
    ris_feed_init(&collector->feed, &live->sink, &live->memory, first, collector->newest, now);
    collector->is_on = true;
    if (collector->is_behind || collector->is_silent)
        say(live, "collector %s (RIS Live) is back", collector->name);
    collector->is_behind = collector->is_silent = false;
}

/* Made if new; NULL if it is not wanted, or there are too many. What earlier runs told of it may have
 * ended in a gap that began just now. */
static struct collector *find_collector(struct link *link, const char *name)
{
    struct ris_live *live = link->live;
    if (*link->host && strcmp(name, link->host) != 0)
        return NULL;
    for (size_t i = 0; i < live->collector_count; i++)
        if (strcmp(live->collectors[i].name, name) == 0)
            return &live->collectors[i];
    if (live->collector_count == RIS_COLLECTORS_MAX)
        return NULL;
    struct collector *collector = &live->collectors[live->collector_count++];
    *collector = (struct collector){.link = link, .newest = live->started};
    snprintf(collector->name, sizeof collector->name, "%s", name);
    return collector;
}

/* Whether its messages come too late to be of use. */
static bool is_behind(struct collector *collector, const struct ris_message *message,
                      struct utc now)
{
    struct ris_live *live = collector->link->live;
    char age[DURATION_TEXT_MAX], reason[REASON_MAX];
    if (message->time.ns > collector->stamp.ns)
        collector->stamp = message->time.ns < now.ns ? message->time : now;
    int64_t delay = utc_diff(now, collector->stamp);
    if (delay <= (collector->is_on ? live->pace.behind_ns : RIS_DELAY_MOST_NS))
        return false;
    live->counters.behind++;
    snprintf(reason, sizeof reason, "what it sends is %s old, or the clock here is wrong",
             duration_format(delay - delay % NS_PER_S, age));
    if (collector->is_on)
        end_collector(collector, reason);
    if (!collector->is_behind)
        say(live, "collector %s (RIS Live): %s; no data about its routes until that is over",
            collector->name, reason);
    collector->is_behind = true;
    return true;
}

static void tell_faults(struct ris_live *live, const struct collector *collector)
{
    const struct ris_feed *feed = &collector->feed;
    if (feed->first_fault && !live->has_told_damaged) {
        live->has_told_damaged = true;
        say(live,
            "collector %s (RIS Live) tells an UPDATE that is damaged (%s); those that follow are "
            "only counted",
            collector->name, feed->first_fault);
    }
    if (feed->counters.late && !live->has_told_late) {
        live->has_told_late = true;
        say(live,
            "collector %s (RIS Live) tells some things late: they are taken to be of when they "
            "came; those that follow are only counted",
            collector->name);
    }
}

static void take_message(struct link *link, const struct ris_message *message)
{
    struct ris_live *live = link->live;
    struct utc now = clock_utc();
    struct collector *collector = find_collector(link, message->host);
    if (!collector) {
        live->counters.unasked++;
        return;
    }
    collector->heard = clock_mono();
    if (is_behind(collector, message, now))
        return;
    if (!collector->is_on)
        begin_collector(collector, message, now);
    uint64_t not_kept = live->memory.paths.not_kept;
    ris_feed_take(&collector->feed, message, now);
    if (!not_kept && live->memory.paths.not_kept)
        say(live, "collector %s (RIS Live): " PATH_MEMORY_LACK, collector->name);
    tell_faults(live, collector);
}

/* ---- lines ---- */

static const char *take_unreadable(struct link *link, const char *fault)
{
    struct ris_live *live = link->live;
    char name[RIS_HOST_MAX + 16];
    live->counters.unreadable++;
    if (++link->unreadable == RIS_UNREADABLE_MAX) {
        snprintf(link->refusal, sizeof link->refusal,
                 "this is not RIS Live: %d lines in a row that cannot be read (%s)",
                 RIS_UNREADABLE_MAX, fault);
        return link->refusal;
    }
    if (!live->has_told_unreadable)
        say(live, "%s: line %llu cannot be read (%s); those that follow are only counted",
            title(link, name), (unsigned long long)live->counters.lines, fault);
    live->has_told_unreadable = true;
    return NULL;
}

/* The first message on a connection shows that it is one. */
static void note_message(struct link *link)
{
    char name[RIS_HOST_MAX + 16];
    link->last = clock_mono();
    if (link->first.ns)
        return;
    link->first = link->last;
    link->live->counters.connections++;
    *link->told = '\0';
    say(link->live, "%s: connected", title(link, name));
}

static const char *take_line(void *context, const char *line, size_t n)
{
    struct link *link = context;
    struct ris_live *live = link->live;
    struct ris_message message;
    live->counters.lines++;
    const char *fault = ris_message_decode(&live->parser, line, n, &message);
    if (fault)
        return take_unreadable(link, fault);
    link->unreadable = 0;
    if (message.kind == RIS_ERROR) {
        snprintf(link->refusal, sizeof link->refusal, "the server tells an error: %s",
                 message.text);
        return link->refusal;
    }
    if (!*message.host)
        return NULL;
    if (message.kind == RIS_UPDATE && !message.has_raw) {
        live->counters.no_raw++;
        return "it tells UPDATEs without their raw bytes, which are what counts";
    }
    note_message(link);
    take_message(link, &message);
    return NULL;
}

/* ---- connections ---- */

static void on_over(void *context, const char *reason, int64_t leave_ns);

static void open_link(void *context)
{
    struct link *link = context;
    struct ris_live *live = link->live;
    struct buffer header = {0};
    ris_subscription(*link->host ? link->host : NULL, &header);
    struct http_stream_request request = {.url = live->url,
                                          .header = header.bytes,
                                          .line_max = RIS_LINE_MAX,
                                          .answer_ns = live->pace.answer_ns};
    struct http_stream_listener listener = {take_line, on_over, link};
    link->opened = clock_mono();
    link->first = link->last = (struct mono){0};
    link->unreadable = 0;
    link->stream = http_stream_open(live->hub, &request, &listener);
    buffer_done(&header);
}

static int64_t next_wait(struct link *link, int64_t leave_ns)
{
    if (link->first.ns && mono_diff(link->last, link->first) >= link->live->pace.steady_ns)
        backoff_reset(&link->backoff);
    int64_t wait = backoff_next(&link->backoff, entropy_u64());
    leave_ns = leave_ns < RIS_LEAVE_MOST_NS ? leave_ns : RIS_LEAVE_MOST_NS;
    return wait > leave_ns ? wait : leave_ns;
}

/* A connection that cannot be made is told once, and again only if it is for another reason. */
static void tell_loss(struct link *link, const char *reason, int64_t wait_ns)
{
    char name[RIS_HOST_MAX + 16], wait[DURATION_TEXT_MAX];
    bool was_there = link->first.ns != 0;
    if (!was_there && strcmp(link->told, reason) == 0)
        return;
    duration_format(wait_ns - wait_ns % (wait_ns < NS_PER_S ? NS_PER_MS : NS_PER_S / 10), wait);
    if (was_there)
        say(link->live,
            "%s: connection lost: %s; trying again in %s; no data about routes until it is back",
            title(link, name), reason, wait);
    else
        say(link->live, "%s: no connection: %s; trying again in %s, and then less and less often",
            title(link, name), reason, wait);
    snprintf(link->told, sizeof link->told, "%s", reason);
}

static void on_over(void *context, const char *reason, int64_t leave_ns)
{
    struct link *link = context;
    struct ris_live *live = link->live;
    link->stream = NULL;
    for (size_t i = 0; i < live->collector_count; i++)
        if (live->collectors[i].link == link && live->collectors[i].is_on)
            end_collector(&live->collectors[i], reason);
    int64_t wait_ns = next_wait(link, leave_ns);
    tell_loss(link, reason, wait_ns);
    loop_timer_start(link->retry, wait_ns, 0);
}

/* ---- every second ---- */

/* How long a link may say nothing; at first, it has to connect. */
static int64_t patience(const struct link *link)
{
    const struct ris_pace *pace = &link->live->pace;
    int64_t most = *link->host ? pace->quiet_ns : pace->silence_ns;
    return link->first.ns ? most : most + pace->answer_ns;
}

static void watch_link(struct link *link, struct mono now)
{
    char text[DURATION_TEXT_MAX], reason[REASON_MAX];
    struct mono since = link->first.ns ? link->last : link->opened;
    int64_t silence = mono_diff(now, since);
    if (!link->stream || silence < patience(link))
        return;
    snprintf(reason, sizeof reason, "no message for %s",
             duration_format(silence - silence % (NS_PER_S / 10), text));
    http_stream_close(link->stream);
    on_over(link, reason, 0);
}

/* One of many may be silent while the stream goes on. */
static void watch_collector(struct collector *collector, struct mono now)
{
    char text[DURATION_TEXT_MAX], reason[REASON_MAX];
    struct ris_live *live = collector->link->live;
    int64_t silence = mono_diff(now, collector->heard);
    if (!collector->is_on || silence < live->pace.quiet_ns)
        return;
    snprintf(reason, sizeof reason, "no message for %s",
             duration_format(silence - silence % (NS_PER_S / 10), text));
    end_collector(collector, reason);
    collector->is_silent = true;
    say(live, "collector %s (RIS Live): %s; no data about its routes until it is back",
        collector->name, reason);
}

static void on_second(void *context)
{
    struct ris_live *live = context;
    struct mono now = clock_mono();
    for (size_t i = 0; i < live->link_count; i++)
        watch_link(&live->links[i], now);
    for (size_t i = 0; i < live->collector_count; i++)
        watch_collector(&live->collectors[i], now);
}

/* ---- in all ---- */

bool ris_live_is_client(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return n && n <= CLIENT_MAX && !text[n];
}

static bool is_same_host(const char *a, const char *b)
{
    char one[RIS_HOST_MAX + 1], other[RIS_HOST_MAX + 1];
    return ris_host(a, strlen(a), one) && ris_host(b, strlen(b), other) && strcmp(one, other) == 0;
}

static enum err check(const struct ris_options *options, struct why *why)
{
    const char *url = options->url ? options->url : RIS_LIVE_URL;
    const char *fault = http_stream_fault(url);
    if (fault)
        return why_set(why, ERR_CONFIG, "RIS Live cannot be at %.200s: %s", url, fault);
    if (!ris_live_is_client(options->client))
        return why_set(why, ERR_CONFIG,
                       "RIS Live cannot be asked by the name '%.80s': letters, digits, '-', '.' "
                       "and '_', at most %d",
                       options->client, CLIENT_MAX);
    if (options->host_count > RIS_HOSTS_MAX)
        return why_set(why, ERR_CONFIG,
                       "RIS Live can be asked for %d collectors by name, not for %zu; leave the "
                       "names out for all that there are",
                       RIS_HOSTS_MAX, options->host_count);
    for (size_t i = 0; i < options->host_count; i++) {
        char host[RIS_HOST_MAX + 1];
        if (!ris_host(options->hosts[i], strlen(options->hosts[i]), host))
            return why_set(why, ERR_CONFIG, "a collector cannot be called '%.80s'",
                           options->hosts[i]);
        for (size_t k = 0; k < i; k++)
            if (is_same_host(options->hosts[i], options->hosts[k]))
                return why_set(why, ERR_CONFIG, "collector %.80s is named twice",
                               options->hosts[i]);
    }
    return ERR_OK;
}

static char *make_url(const struct ris_options *options)
{
    struct buffer url = {0};
    const char *base = options->url ? options->url : RIS_LIVE_URL;
    buffer_printf(&url, "%s%sformat=json&client=%s", base, strchr(base, '?') ? "&" : "?",
                  options->client);
    return url.bytes;
}

static struct ris_pace pace_of(struct ris_pace pace)
{
    const struct ris_pace usual = {.answer_ns = HTTP_STREAM_ANSWER_NS,
                                   .silence_ns = RIS_SILENCE_NS,
                                   .quiet_ns = RIS_QUIET_NS,
                                   .behind_ns = RIS_BEHIND_NS,
                                   .watch_ns = NS_PER_S,
                                   .retry_first_ns = RIS_RETRY_FIRST_NS,
                                   .retry_most_ns = RIS_RETRY_MOST_NS,
                                   .steady_ns = RIS_STEADY_NS};
    pace.answer_ns = pace.answer_ns ? pace.answer_ns : usual.answer_ns;
    pace.silence_ns = pace.silence_ns ? pace.silence_ns : usual.silence_ns;
    pace.quiet_ns = pace.quiet_ns ? pace.quiet_ns : usual.quiet_ns;
    pace.behind_ns = pace.behind_ns ? pace.behind_ns : usual.behind_ns;
    pace.watch_ns = pace.watch_ns ? pace.watch_ns : usual.watch_ns;
    pace.retry_first_ns = pace.retry_first_ns ? pace.retry_first_ns : usual.retry_first_ns;
    pace.retry_most_ns = pace.retry_most_ns ? pace.retry_most_ns : usual.retry_most_ns;
    pace.steady_ns = pace.steady_ns ? pace.steady_ns : usual.steady_ns;
    return pace;
}

static void add_link(struct ris_live *live, const char *host)
{
    struct link *link = &live->links[live->link_count++];
    *link = (struct link){
        .live = live,
        .backoff = {.first_ns = live->pace.retry_first_ns, .most_ns = live->pace.retry_most_ns}};
    if (host)
        ris_host(host, strlen(host), link->host);
    link->retry = loop_timer_new(live->loop, open_link, link);
    open_link(link);
}

struct ris_live *ris_live_new(struct loop *loop, const struct ris_options *options,
                              const struct sink *sink, struct why *why)
{
    if (check(options, why))
        return NULL;
    struct ris_live *live = mem_new(1, sizeof *live);
    *live = (struct ris_live){.loop = loop,
                              .sink = *sink,
                              .hub = http_hub_new(loop, options->user_agent),
                              .url = make_url(options),
                              .say = options->say,
                              .context = options->context,
                              .pace = pace_of(options->pace),
                              .started = clock_utc()};
    route_memory_init(&live->memory, options->watch);
    live->memory.ear = options->ear;
    live->timer = loop_timer_new(loop, on_second, live);
    loop_timer_start(live->timer, live->pace.watch_ns, live->pace.watch_ns);
    for (size_t i = 0; i < options->host_count; i++)
        add_link(live, options->hosts[i]);
    if (!options->host_count)
        add_link(live, NULL);
    return live;
}

void ris_live_free(struct ris_live *live)
{
    if (!live)
        return;
    for (size_t i = 0; i < live->collector_count; i++)
        if (live->collectors[i].is_on)
            end_collector(&live->collectors[i], "this observer stopped listening");
    for (size_t i = 0; i < live->link_count; i++) {
        http_stream_close(live->links[i].stream);
        loop_timer_free(live->links[i].retry);
    }
    loop_timer_free(live->timer);
    http_hub_free(live->hub);
    route_memory_done(&live->memory);
    ris_parser_done(&live->parser);
    free(live->url);
    free(live);
}

void ris_live_renew(struct ris_live *live)
{
    for (size_t i = 0; i < live->collector_count; i++)
        if (live->collectors[i].is_on)
            end_collector(&live->collectors[i], "what it told was lost here");
}

struct ris_counters ris_live_counters(const struct ris_live *live)
{
    struct ris_counters counters = live->counters;
    for (size_t i = 0; i < live->collector_count; i++)
        if (live->collectors[i].is_on)
            add_counters(&counters, &live->collectors[i].feed.counters);
    return counters;
}
