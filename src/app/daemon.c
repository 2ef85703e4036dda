#include "app/daemon.h"

#include "app/archives.h"
#include "app/command.h"
#include "app/country_source.h"
#include "app/hop_origins.h"
#include "app/ingest.h"
#include "app/live_bins.h"
#include "app/live_routes.h"
#include "app/network_watch.h"
#include "app/prober_watch.h"
#include "app/writer.h"
#include "base/hash.h"
#include "model/subject.h"
#include "store/query.h"
#include "sys/clock.h"
#include "sys/loop.h"
#include "sys/privileges.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS NS_PER_S
/* Between two ticks a steady clock that moved this far means that we did not run: the machine was
 * suspended or stalled, and what was asked in that time was not answered in it. */
#define STALL_NS (5 * NS_PER_S)
/* What came due in that time is asked before the tick that notices it; a gap ends before those
 * questions. */
#define RESUME_NS (250 * NS_PER_MS)
/* A clock that is only disciplined by NTP is slewed by at most 0.5 ms a second; this is a step. */
#define STEP_NS (500 * NS_PER_MS)

struct daemon {
    struct config *config;
    struct arena arena; /* for what must outlive the configuration it came from */
    const char *journal;
    struct countries *countries; /* of the whole table; NULL: none */
    struct loop *loop;
    struct registry *registry; /* of the loop thread */
    uint32_t vantage;
    struct handover *handover;
    struct sink sink;
    struct writer *writer;
    struct probe_sockets sockets; /* until the prober has them */
    struct prober *prober;
    struct network_watch *networks;
    struct prober_watch prober_watch;
    struct hop_origins origins;
    struct live_routes live;
    struct live_bins bins;
    struct why no_ping; /* why hosts cannot be pinged, until that was told */
    struct why no_taps; /* why resets cannot be looked at, the same */
    struct loop_timer *ticks;
    struct loop_signal *signals[3];
    struct clock_watch watch;
    struct utc last_tick;
    struct utc last_asked; /* of the questions answered since then, before the next tick was due */
    bool is_stopping;
    uint64_t dropped; /* as told last */
    bool is_dropping;
};

/* ---- what is watched ---- */

static void emit_subjects(struct daemon *daemon, const struct config *before)
{
    struct why why;
    struct config *config = daemon->config;
    struct utc now = clock_utc();
    for (size_t i = 0; i < config->subject_count; i++)
        if (!before || !config_has_subject(before, &config->subjects[i]))
            if (subject_emit(&config->subjects[i], now, &daemon->sink, &why))
                command_say("%s: %s", config->subjects[i].name, why.text);
    /* One that is no longer there is emptied: nothing is watched for it from now on. */
    for (size_t i = 0; before && i < before->subject_count; i++) {
        struct subject_spec gone = before->subjects[i];
        gone.member_count = 0;
        if (!config_find_subject(config, gone.name))
            subject_emit(&gone, now, &daemon->sink, &why);
    }
}

static void emit_mark(struct daemon *daemon, enum observation_kind kind)
{
    struct observation mark = {
        .kind = (uint8_t)kind, .time = clock_utc(), .source = daemon->vantage};
    sink_emit(&daemon->sink, &mark);
}

static void emit_gap(struct daemon *daemon, struct utc from, struct utc until)
{
    struct observation gap = {
        .kind = OBSERVATION_GAP, .time = from, .source = daemon->vantage, .value = until.ns};
    sink_emit(&daemon->sink, &gap);
}

/* ---- every second ---- */

static struct utc utc_later(struct utc a, struct utc b)
{
    return a.ns > b.ns ? a : b;
}

static void watch_clock(struct daemon *daemon, struct utc now)
{
    char text[DURATION_TEXT_MAX], when[UTC_TEXT_MAX];
    int64_t elapsed;
    int64_t step = clock_watch_step(&daemon->watch, &elapsed);
    int64_t size = step < 0 ? -step : step;
    if (size < STEP_NS && elapsed < STALL_NS)
        return;
    if (elapsed >= STALL_NS)
        command_say("this machine did not run for %s: a gap, not an outage",
                    duration_format(elapsed, text));
    if (size >= STEP_NS)
        command_say("the clock was set %s by %s: a gap, not an outage",
                    step < 0 ? "back" : "forward", duration_format(size, text));
    if (step < -LATENESS_NS)
        command_say("what is seen before %s comes too late in the journal's time to be judged",
                    utc_format(daemon->last_tick, when));
    if (now.ns < daemon->last_tick.ns)
        emit_gap(daemon, now, daemon->last_tick);
    else
        emit_gap(daemon, utc_later(daemon->last_tick, daemon->last_asked),
                 utc_later(daemon->last_tick, utc_add(now, -RESUME_NS)));
}

/* Between the prober and the journal: a gap must not cover what was seen just before it. */
static void take_result(void *context, const struct observation *result)
{
    struct daemon *daemon = context;
    if (result->time.ns <= daemon->last_tick.ns + TICK_NS)
        daemon->last_asked = utc_later(daemon->last_asked, result->time);
    sink_emit(&daemon->sink, result);
}

static void tell_dropped(struct daemon *daemon)
{
    uint64_t dropped = handover_dropped(daemon->handover);
    if (dropped > daemon->dropped && !daemon->dropped)
        command_say(
            "the journal does not keep up: results are being lost, and will be a gap in it");
    /* What collectors told was lost with the rest: once there is room, they tell it anew. */
    bool is_over = daemon->is_dropping && dropped == daemon->dropped;
    daemon->is_dropping = dropped > daemon->dropped;
    daemon->dropped = dropped;
    if (is_over)
        live_routes_renew(&daemon->live, daemon->config);
}

static void tick(void *context)
{
    struct daemon *daemon = context;
    struct utc now = clock_utc();
    watch_clock(daemon, now);
    struct observation tick = {.kind = OBSERVATION_TICK, .time = now};
    sink_emit(&daemon->sink, &tick);
    daemon->last_tick = now;
    daemon->last_asked = (struct utc){0};
    live_bins_tick(&daemon->bins, now);
    handover_send(daemon->handover);
    tell_dropped(daemon);
    struct prober_counters counters = prober_counters(daemon->prober);
    prober_watch_tick(&daemon->prober_watch, &counters);
}

/* ---- signals ---- */

static void finish(void *context)
{
    struct daemon *daemon = context;
    loop_stop(daemon->loop);
}

static void stop(void *context)
{
    struct daemon *daemon = context;
    if (daemon->is_stopping) {
        command_say("stopping at once");
        loop_stop(daemon->loop);
        return;
    }
    daemon->is_stopping = true;
    command_say("stopping: waiting for the last answers (again: at once)");
    network_watch_stop(daemon->networks);
    prober_drain(daemon->prober, finish, daemon);
}

static bool wants_ping(const struct config *config)
{
    for (size_t i = 0; i < config->plan_count; i++)
        if (prober_pings(config->plan[i].target))
            return true;
    return config->blocks.count > 0;
}

static bool asks_tcp(const struct config *config)
{
    for (size_t i = 0; i < config->plan_count; i++)
        if (strncmp(config->plan[i].target, "tcp:", 4) == 0)
            return true;
    return false;
}

static void set_plan(struct daemon *daemon)
{
    struct why why;
    if (daemon->no_ping.err && wants_ping(daemon->config)) {
        command_say("%s", daemon->no_ping.text);
        daemon->no_ping.err = ERR_OK;
    }
    if (hop_origins_open(&daemon->origins, daemon->config->asn_db, &why))
        command_say("%s", why.text);
    if (daemon->no_taps.err && asks_tcp(daemon->config)) {
        command_say("%s", daemon->no_taps.text);
        daemon->no_taps.err = ERR_OK;
    }
    size_t count;
    struct probe_plan *plan = config_whole_plan(daemon->config, &count);
    prober_set_manners(daemon->prober, &daemon->config->manners);
    prober_set_clocks(daemon->prober, daemon->config->clocks, daemon->config->clock_count);
    if (prober_set_plan(daemon->prober, plan, count, &why))
        command_say("%s", why.text);
    free(plan);
    network_watch_set(daemon->networks, daemon->config);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void tell_warnings(const struct config *config)
{
    for (size_t i = 0; i < config->warning_count; i++)
        command_say("%s", config->warnings[i]);
}

/* A file with faults changes nothing. Where the journal lies and what the vantage is called stay as
 * they are until a restart: the record would otherwise break in two. */
static void reload(void *context)
{
    struct daemon *daemon = context;
    struct config fresh;
    struct config *config = daemon->config;
    if (daemon->is_stopping)
        return;
    if (command_config(config->path, &fresh)) {
        command_say("%s has errors: the configuration from before stays", config->path);
        return;
    }
    tell_warnings(&fresh);
    bool is_moved = strcmp(fresh.vantage, config->vantage) != 0 ||
                    strcmp(fresh.journal, config->journal) != 0 ||
                    !config_has_same_table(&fresh, config);
    if (is_moved)
        command_say("a new vantage, journal or whole table is taken up by a restart only");
    struct config before = *config;
    *config = fresh;
    emit_subjects(daemon, &before);
    set_plan(daemon);
    live_bins_watch(&daemon->bins, config);
    live_routes_take_up(&daemon->live, &before, config);
    config_done(&before);
    command_say("%s: read again, %zu target%s", config->path, config->plan_count,
                plural(config->plan_count));
}

/* ---- start and end ---- */

static struct registry *copy_registry(const struct registry *registry)
{
    struct registry *copy = registry_new();
    for (uint32_t id = 1; id <= registry_count(registry); id++) {
        const char *text = registry_text(registry, id);
        uint32_t same = registry_intern(copy, registry_kind(registry, id), text, strlen(text));
        assert(same == id);
    }
    return copy;
}

static int read_archives(const struct daemon *daemon, struct pipeline *pipeline)
{
    const struct config *config = daemon->config;
    struct archives archives;
    struct ingest_result result;
    struct why why;
    if (!config->archive_count && !config->archive_span.collector)
        return EXIT_DONE;
    if (archives_of_config(config, &archives, &why))
        return command_fail(&why);
    struct ingest ingest = {.paths = archives.paths,
                            .path_count = archives.count,
                            .collector =
                                archives.collector ? archives.collector : config->collector,
                            .watch = config->watch,
                            .holes = archives.holes,
                            .hole_count = archives.hole_count,
                            .subjects = config->subjects,
                            .subject_count = config->subject_count,
                            .table = &config->table,
                            .countries = daemon->countries};
    enum err err = ingest_run(&ingest, pipeline, &result, &why);
    archives_close(&archives);
    if (err && err != ERR_INPUT)
        return command_fail(&why);
    if (!result.was_complete)
        command_say("read %" PRIu64 " observations from archives of routes, %" PRIu64
                    " bad records",
                    result.observations, result.bad);
    if (result.late)
        command_say("%" PRIu64
                    " of them are older than what the journal held already: kept, and not judged",
                    result.late);
    if (pipeline_source(pipeline, NULL, NULL, NULL, &why))
        return command_fail(&why);
    return EXIT_DONE;
}

/* When the newest observation in the journal was made; 0 if there is none. */
static struct utc last_time(const char *path)
{
    struct journal *journal;
    struct journal_counts counts = {0};
    if (journal_open(path, JOURNAL_READ, &journal, NULL))
        return (struct utc){0};
    if (query_counts(journal, &counts, NULL))
        counts.last = (struct utc){0};
    journal_close(journal);
    return counts.last;
}

/* Whatever collectors told before: nothing is known of their routes until they connect (again). */
static void emit_blindness(struct daemon *daemon, struct utc last)
{
    for (uint32_t id = 1; id <= registry_count(daemon->registry); id++) {
        struct observation gap = {.kind = OBSERVATION_GAP, .time = last, .source = id};
        if (registry_kind(daemon->registry, id) == NAME_COLLECTOR)
            sink_emit(&daemon->sink, &gap);
    }
}

/* If this vantage has watched before, nothing was seen since: a gap. */
static void begin(struct daemon *daemon, bool has_watched)
{
    char text[UTC_TEXT_MAX];
    struct utc last = last_time(daemon->journal);
    struct utc now = clock_utc();
    if (last.ns > now.ns + LATENESS_NS)
        command_say("the journal holds observations from the future, up to %s: what is seen before "
                    "that is not "
                    "judged",
                    utc_format(last, text));
    if (has_watched && utc_is_known(last) && last.ns < now.ns)
        emit_gap(daemon, last, now);
    if (live_routes_are_wanted(daemon->config) && utc_is_known(last) && last.ns < now.ns)
        emit_blindness(daemon, last);
    emit_subjects(daemon, NULL);
    emit_mark(daemon, OBSERVATION_START);
    daemon->last_tick = now;
    clock_watch_start(&daemon->watch);
}

static struct manners *shared_manners(void *context)
{
    const struct daemon *daemon = context;
    return prober_manners(daemon->prober);
}

static void start_networks(struct daemon *daemon, const struct prober_options *prober,
                           const struct sink *sink)
{
    struct block_prober_options options = {.vantage = prober->vantage,
                                           .pinger = prober_pinger(daemon->prober),
                                           .seed = prober->seed,
                                           .manners = shared_manners,
                                           .context = daemon};
    daemon->networks = network_watch_new(daemon->loop, &options, sink, daemon->journal);
}

static void start_prober(struct daemon *daemon)
{
    const struct config *config = daemon->config;
    struct buffer agent = {0};
    config_user_agent(config, &agent);
    struct prober_options options = {.vantage = arena_printf(&daemon->arena, "%s", config->vantage),
                                     .user_agent = arena_printf(&daemon->arena, "%s", agent.bytes),
                                     .origins = hop_origins_finder(&daemon->origins),
                                     .seed =
                                         hash_bytes(config->vantage, strlen(config->vantage), 0),
                                     .sockets = &daemon->sockets};
    struct sink sink = {daemon->sink.registry, take_result, daemon};
    daemon->no_taps = daemon->sockets.no_taps;
    daemon->prober = prober_new(daemon->loop, &options, &sink, &daemon->no_ping);
    start_networks(daemon, &options, &sink);
    buffer_done(&agent);
    set_plan(daemon);
}

static void start_signals(struct daemon *daemon)
{
    daemon->signals[0] = loop_signal_new(daemon->loop, SIGTERM, stop, daemon);
    daemon->signals[1] = loop_signal_new(daemon->loop, SIGINT, stop, daemon);
    daemon->signals[2] = loop_signal_new(daemon->loop, SIGHUP, reload, daemon);
}

static int finish_all(struct daemon *daemon)
{
    struct why why;
    int status = EXIT_DONE;
    loop_timer_free(daemon->ticks);
    for (size_t i = 0; i < 3; i++) /* another signal now ends us the hard way */
        loop_signal_free(daemon->signals[i]);
    struct prober_counters counters = prober_counters(daemon->prober);
    network_watch_free(daemon->networks);
    prober_free(daemon->prober);
    hop_origins_done(&daemon->origins);
    live_routes_stop(&daemon->live);
    live_bins_stop(&daemon->bins);
    emit_mark(daemon, OBSERVATION_STOP);
    handover_end(daemon->handover);
    if (writer_join(daemon->writer, &why))
        status = command_fail(&why);
    prober_watch_sum_up(&counters);
    if (daemon->dropped)
        command_say("%" PRIu64 " observations were lost", daemon->dropped);
    return status;
}

static int watch(struct daemon *daemon)
{
    struct why why;
    int status = EXIT_DONE;
    start_prober(daemon);
    start_signals(daemon);
    daemon->ticks = loop_timer_new(daemon->loop, tick, daemon);
    loop_timer_start(daemon->ticks, TICK_NS, TICK_NS);
    size_t count = daemon->config->plan_count;
    command_say("watching %zu target%s from vantage %s into %s", count, plural(count),
                daemon->config->vantage, daemon->journal);
    enum err err =
        live_bins_start(&daemon->bins, daemon->config, daemon->countries, &daemon->sink, &why);
    live_routes_init(&daemon->live, daemon->loop, &daemon->sink, live_bins_ear(&daemon->bins));
    if (!err)
        err = live_routes_start(&daemon->live, daemon->config, &why);
    if (err)
        status = command_fail(&why);
    else
        loop_run(daemon->loop);
    int finished = finish_all(daemon);
    return status ? status : finished;
}

static int start_writer(struct daemon *daemon, struct pipeline *pipeline)
{
    struct why why;
    const char *name = daemon->config->vantage;
    size_t n = strlen(name);
    daemon->registry = copy_registry(pipeline_registry(pipeline));
    bool has_watched = registry_find(daemon->registry, NAME_VANTAGE, name, n) != 0;
    daemon->handover = handover_new(daemon->registry, name);
    daemon->vantage = registry_find(daemon->registry, NAME_VANTAGE, name, n);
    daemon->sink = handover_sink(daemon->handover);
    if (writer_start(pipeline, daemon->handover, &daemon->writer, &why)) {
        pipeline_close(pipeline, NULL);
        return command_fail(&why);
    }
    begin(daemon, has_watched);
    return EXIT_DONE;
}

static int open_and_watch(struct daemon *daemon, struct pipeline *pipeline)
{
    int status = read_archives(daemon, pipeline);
    if (status) {
        pipeline_close(pipeline, NULL);
        return status;
    }
    daemon->loop = loop_new();
    status = start_writer(daemon, pipeline);
    if (!status)
        status = watch(daemon);
    loop_free(daemon->loop);
    handover_free(daemon->handover);
    registry_free(daemon->registry);
    return status;
}

int daemon_run(struct config *config, const char *journal)
{
    struct daemon daemon = {.config = config};
    struct pipeline *pipeline;
    struct why why;
    daemon.journal = arena_printf(&daemon.arena, "%s", journal ? journal : config->journal);
    tell_warnings(config);
    /* Before there are threads, each of which would have the privileges that we have now. */
    probe_sockets_open(&daemon.sockets);
    if (privileges_drop(&why))
        command_say("%s", why.text);
    bool has_failed = country_source_open(&config->table, &daemon.countries, &why) ||
                      command_pipeline(daemon.journal, &pipeline, &why);
    int status = has_failed ? command_fail(&why) : open_and_watch(&daemon, pipeline);
    probe_sockets_close(&daemon.sockets);
    countries_free(daemon.countries);
    arena_done(&daemon.arena);
    return status;
}
