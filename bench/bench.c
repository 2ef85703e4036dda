/* Measures one thing and prints it as "name value" lines, which run.sh makes a table of:
 *
 *     bench core COUNT                the judgement alone
 *     bench pipeline COUNT JOURNAL    append, judge, commit
 *     bench day JOURNAL               a day of 1 003 targets every ten seconds, as the daemon commits it
 *     bench append COUNT JOURNAL      goes on with a journal: the writer that others have to bear
 *     bench write-log COUNT FILE      an observation log of the same probes
 *     bench read-log FILE             its reader alone
 *     bench ask ROUNDS JOURNAL        how long status and why take
 *     bench chart ROUNDS JOURNAL      how long the chart of a target's last day takes
 *     bench mrt FILE...               decoding of MRT archives, as a replay does it
 *     bench elements FILE...          decoding of all that is in MRT archives
 *     bench table PREFIXES PEERS      memory of a whole routing table
 *     bench changes FILE...           how fast real changes go into one
 *     bench probe MS ROUNDS FILE [OTHERS]  asks the targets of a file, one a line, every MS
 *     bench live PREFIXES PEERS       one kept live, by its thread: what it costs the loop
 *     bench read FILE...              every byte of the files, decompressed, and looked at
 *     bench read-early FILE...        the same with the next three files opened early */
#include "app/pipeline.h"
#include "generator.h"
#include "live.h"
#include "out/out.h"
#include "probing.h"
#include "source/mrt/element.h"
#include "source/mrt/mrt_reader.h"
#include "source/stream.h"
#include "store/chart.h"
#include "store/query.h"
#include "sys/clock.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED = 20220126, ROUNDS_MAX = 1000 };

static const struct utc first_round = {INT64_C(1640995200) * NS_PER_S}; /* 2022-01-01 */

static void die(const struct why *why)
{
    fprintf(stderr, "bench: %s\n", why->text);
    exit(1);
}

static double seconds_since(struct mono start)
{
    return (double)mono_diff(clock_mono(), start) / (double)NS_PER_S;
}

static void print(const char *name, double value)
{
    printf("%s %.9g\n", name, value);
}

static void print_rate(uint64_t count, struct mono start)
{
    double seconds = seconds_since(start);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    print("rate", (double)count / seconds);
    print("seconds", seconds);
    print("cpu_seconds", (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                             (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
    print("peak_mib", (double)usage.ru_maxrss / 1024);
}

static uint64_t number_of(const char *text)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end || !number) {
        fprintf(stderr, "bench: '%s' is not a number above 0\n", text);
        exit(2);
    }
    return number;
}

/* ---- the core alone ---- */

struct judging {
    struct core *core;
    struct conclusions conclusions;
    uint64_t drawn;
};

static void judge(void *context, const struct observation *observation)
{
    struct judging *judging = context;
    core_feed(judging->core, observation, &judging->conclusions);
    judging->drawn += judging->conclusions.count;
    conclusions_clear(&judging->conclusions);
}

static void bench_core(uint64_t count)
{
    struct registry *registry = registry_new();
    struct judging judging = {.core = core_new(registry)};
    struct sink sink = {registry, judge, &judging};
    struct generator generator;
    struct observation observation;
    generator_init(&generator, SEED, first_round, &sink);
    struct mono start = clock_mono();
    for (uint64_t i = 0; i < count; i++) {
        generator_next(&generator, &observation);
        observation.seq = i + 1;
        judge(&judging, &observation);
    }
    print_rate(count, start);
    print("conclusions", (double)judging.drawn);
    conclusions_done(&judging.conclusions);
    core_free(judging.core);
    registry_free(registry);
}

/* ---- into a journal ---- */

static uint64_t file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) ? 0 : (uint64_t)status.st_size;
}

/* With what is not yet taken over from the write-ahead log. */
static uint64_t journal_size(const char *path)
{
    char log[4096];
    snprintf(log, sizeof log, "%s-wal", path);
    return file_size(path) + file_size(log);
}

static void bench_pipeline(uint64_t count, const char *path, struct utc begin)
{
    struct pipeline *pipeline;
    struct generator generator;
    struct observation observation;
    struct why why;
    struct mono start = clock_mono();
    if (pipeline_open(path, &pipeline, &why))
        die(&why);
    struct sink sink = pipeline_sink(pipeline);
    generator_init(&generator, SEED, begin, &sink);
    for (uint64_t i = 0; i < count; i++) {
        generator_next(&generator, &observation);
        sink_emit(&sink, &observation);
    }
    if (pipeline_counters(pipeline).dropped && pipeline_error(pipeline, &why))
        die(&why);
    if (pipeline_close(pipeline, &why))
        die(&why);
    print_rate(count, start);
    print("bytes_each", (double)journal_size(path) / (double)count);
}

/* The address that replies, as a prober tells it with each answer. */
static uint32_t peer_of(struct registry *registry, const struct observation *observation)
{
    const char *text = registry_text(registry, observation->target);
    if (observation->outcome != OUTCOME_OK)
        return 0;
    return registry_intern(registry, NAME_ADDRESS, text + 5, strlen(text) - 5); /* "icmp:" */
}

/* A day of one vantage, committed every second as the daemon does it. */
static void bench_day(const char *path)
{
    struct pipeline *pipeline;
    struct generator generator;
    struct observation observation;
    struct why why;
    struct mono start = clock_mono();
    if (pipeline_open(path, &pipeline, &why))
        die(&why);
    struct sink sink = pipeline_sink(pipeline);
    generator_init(&generator, SEED, first_round, &sink);
    struct utc end = utc_add(first_round, NS_PER_DAY), second = first_round;
    uint64_t count = 0;
    for (generator_next(&generator, &observation); observation.time.ns < end.ns;
         generator_next(&generator, &observation)) {
        if (observation.source == generator.vantages[1])
            continue;
        if (observation.kind == OBSERVATION_PROBE)
            observation.peer = peer_of(sink.registry, &observation);
        sink_emit(&sink, &observation);
        count++;
        if (utc_diff(observation.time, second) < NS_PER_S)
            continue;
        second = utc_add(second, NS_PER_S);
        if (pipeline_commit(pipeline, &why))
            die(&why);
    }
    if (pipeline_close(pipeline, &why))
        die(&why);
    print_rate(count, start);
    print("observations", (double)count);
    print("bytes_each", (double)journal_size(path) / (double)count);
}

/* Behind the last observation that is there. */
static void bench_append(uint64_t count, const char *path)
{
    struct journal *journal;
    struct journal_counts counts;
    struct why why;
    if (journal_open(path, JOURNAL_READ, &journal, &why) || query_counts(journal, &counts, &why))
        die(&why);
    journal_close(journal);
    bench_pipeline(count, path, utc_add(counts.last, NS_PER_MINUTE));
}

/* ---- observation logs ---- */

struct log_file {
    FILE *file;
    const struct registry *registry;
    struct buffer lines;
};

static void write_line(void *context, const struct observation *observation)
{
    struct log_file *log = context;
    out_log_line(log->registry, observation, &log->lines);
    if (log->lines.size > 1024 * 1024) {
        fwrite(log->lines.bytes, 1, log->lines.size, log->file);
        buffer_clear(&log->lines);
    }
}

static void bench_write_log(uint64_t count, const char *path)
{
    struct registry *registry = registry_new();
    struct log_file log = {.file = fopen(path, "w"), .registry = registry};
    struct sink sink = {registry, write_line, &log};
    struct generator generator;
    struct observation observation;
    if (!log.file) {
        perror(path);
        exit(1);
    }
    generator_init(&generator, SEED, first_round, &sink);
    struct mono start = clock_mono();
    for (uint64_t i = 0; i < count; i++) {
        generator_next(&generator, &observation);
        write_line(&log, &observation);
    }
    fwrite(log.lines.bytes, 1, log.lines.size, log.file);
    if (fclose(log.file)) {
        perror(path);
        exit(1);
    }
    print_rate(count, start);
    buffer_done(&log.lines);
    registry_free(registry);
}

static uint64_t drain(struct stream *stream)
{
    struct observation observation;
    struct why why;
    uint64_t count = 0;
    int got;
    while ((got = stream->next(stream, &observation, &why)) == 1)
        count++;
    if (got < 0)
        die(&why);
    stream->close(stream);
    return count;
}

static struct input *open_input(const char *path)
{
    struct input *input;
    struct why why;
    if (input_open(path, &input, &why))
        die(&why);
    return input;
}

static void bench_read_log(const char *path)
{
    struct registry *registry = registry_new();
    struct stream_faults faults = {0};
    struct mono start = clock_mono();
    uint64_t count = drain(log_stream_new(open_input(path), "", 0, registry, &faults));
    print_rate(count, start);
    print("bad", (double)faults.bad);
    registry_free(registry);
}

/* ---- questions ---- */

static int compare_numbers(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print_times(const char *name, double *ms, uint64_t count)
{
    qsort(ms, count, sizeof *ms, compare_numbers);
    printf("%s_median %.9g\n%s_worst %.9g\n", name, ms[count / 2], name, ms[count - 1]);
}

/* 0: there is none. */
static uint32_t newest_incident(struct journal *journal)
{
    struct arena arena = {0};
    struct incident_list incidents;
    struct why why;
    if (query_incidents(journal, 0, &arena, &incidents, &why))
        die(&why);
    uint32_t id = incidents.count ? incidents.list[incidents.count - 1].id : 0;
    arena_done(&arena);
    return id;
}

static bool has_incident(const char *path)
{
    struct journal *journal;
    struct why why;
    if (journal_open(path, JOURNAL_READ, &journal, &why))
        die(&why);
    bool has_one = newest_incident(journal) > 0;
    journal_close(journal);
    return has_one;
}

/* As the command does it: open, ask, close. */
static double ask(const char *path, bool is_why)
{
    const struct style style = {.format = FORMAT_TEXT};
    struct journal *journal;
    struct buffer text = {0};
    struct why why;
    struct mono start = clock_mono();
    if (journal_open(path, JOURNAL_READ, &journal, &why))
        die(&why);
    enum err err = is_why ? out_why(journal, newest_incident(journal), &style, &text, &why)
                          : out_status(journal, &style, &text, &why);
    if (err)
        die(&why);
    journal_close(journal);
    double ms = seconds_since(start) * 1e3;
    buffer_done(&text);
    return ms;
}

static void bench_ask(uint64_t rounds, const char *path)
{
    double status_ms[ROUNDS_MAX], why_ms[ROUNDS_MAX];
    if (rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    uint64_t before = journal_size(path);
    bool can_why = has_incident(path);
    for (uint64_t i = 0; i < rounds; i++) {
        status_ms[i] = ask(path, false);
        why_ms[i] = can_why ? ask(path, true) : 0;
        usleep(20000); /* so that the questions meet the writer in all its states */
    }
    print_times("status", status_ms, rounds);
    if (can_why)
        print_times("why", why_ms, rounds);
    print("grown_mib", ((double)journal_size(path) - (double)before) / 1048576);
}

/* The last day of one target, as somebody would ask for it who knows it by its name. */
static double chart_day(const char *path, size_t *points)
{
    static const char target[] = "icmp:10.5.7.1"; /* of the generator */
    struct registry *registry = registry_new();
    struct journal *journal;
    struct journal_counts counts;
    struct arena arena = {0};
    struct chart chart;
    struct why why;
    struct mono start = clock_mono();
    if (journal_open(path, JOURNAL_READ, &journal, &why) ||
        journal_load_registry(journal, registry, &why) || query_counts(journal, &counts, &why) ||
        chart_read(journal, registry_find(registry, NAME_VANTAGE, "lon", 3),
                   registry_find(registry, NAME_TARGET, target, strlen(target)),
                   utc_add(counts.last, -NS_PER_DAY), counts.last, &arena, &chart, &why))
        die(&why);
    double ms = seconds_since(start) * 1e3;
    *points = chart.count;
    arena_done(&arena);
    journal_close(journal);
    registry_free(registry);
    return ms;
}

static void bench_chart(uint64_t rounds, const char *path)
{
    double ms[ROUNDS_MAX];
    size_t points = 0;
    rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
    for (uint64_t i = 0; i < rounds; i++)
        ms[i] = chart_day(path, &points);
    print_times("chart", ms, rounds);
    print("points", (double)points);
}

/* ---- MRT ---- */

/* Every record is decoded; routes of one prefix are kept. */
static void bench_mrt(char **paths)
{
    static const struct prefix prefix = {{{208, 65, 152}, 4}, 22};
    const struct watch watch = {.prefixes = &prefix, .prefix_count = 1};
    struct registry *registry = registry_new();
    struct stream_faults faults = {0};
    uint64_t count = 0;
    struct mono start = clock_mono();
    for (; *paths; paths++)
        count +=
            drain(mrt_stream_new(open_input(*paths), "", 0, "bench", &watch, registry, &faults));
    print_rate(faults.records, start);
    print("observations", (double)count);
    registry_free(registry);
}

static void walk_elements(const char *path, struct element_counts *counts,
                          struct stream_faults *faults)
{
    struct element_walk walk = {.counts = *counts};
    struct mrt_reader reader;
    struct mrt_header header;
    struct reader body;
    struct why why;
    struct input *input = open_input(path);
    mrt_reader_init(&reader, input, "", 0, faults);
    int got;
    while ((got = mrt_reader_next(&reader, &header, &body, &why)) > 0) {
        const char *fault = element_walk_record(&walk, &header, body);
        if (fault)
            mrt_reader_reject(&reader, fault);
    }
    if (got < 0)
        die(&why);
    *counts = walk.counts;
    element_walk_done(&walk);
    mrt_reader_done(&reader);
    input_close(input);
}

/* Every element is decoded and counted, and nothing kept. */
static void bench_elements(char **paths)
{
    static const char *const names[ELEMENT_KINDS] = {"announced", "withdrawn",   "table",
                                                     "states",    "ends_of_rib", "messages"};
    struct element_counts counts = {0};
    struct stream_faults faults = {0};
    uint64_t elements = 0;
    struct mono start = clock_mono();
    for (; *paths; paths++)
        walk_elements(*paths, &counts, &faults);
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        elements += counts.of[i];
    print_rate(elements, start);
    print("records", (double)counts.records);
    print("bad", (double)faults.bad);
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        print(names[i], (double)counts.of[i]);
}

/* ---- files alone ---- */

enum { OPEN_EARLY = 3 };

/* Every byte is looked at: *sum gets what they come to. */
static uint64_t read_file(struct input *input, uint64_t *sum)
{
    static uint8_t bytes[256 * 1024];
    struct why why;
    uint64_t count = 0, word;
    size_t n;
    for (;;) {
        if (input_read(input, bytes, sizeof bytes, &n, &why))
            die(&why);
        if (n == 0)
            break;
        uint64_t all = 0;
        for (size_t i = 0; i + sizeof word <= n; i += sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            all ^= word;
        }
        *sum ^= all;
        count += n;
    }
    input_close(input);
    return count;
}

static void bench_read(char **paths, size_t early)
{
    struct input *open[OPEN_EARLY + 1];
    uint64_t count = 0, sum = 0;
    size_t opened = 0;
    struct mono start = clock_mono();
    for (size_t i = 0; paths[i]; i++) {
        for (; opened <= i + early && paths[opened]; opened++)
            open[opened % (early + 1)] = open_input(paths[opened]);
        count += read_file(open[i % (early + 1)], &sum);
    }
    print_rate(count, start);
    print("bytes", (double)count);
    print("sum", (double)sum);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc == 3 && strcmp(mode, "core") == 0)
        bench_core(number_of(argv[2]));
    else if (argc == 4 && strcmp(mode, "pipeline") == 0)
        bench_pipeline(number_of(argv[2]), argv[3], first_round);
    else if (argc == 3 && strcmp(mode, "day") == 0)
        bench_day(argv[2]);
    else if (argc == 4 && strcmp(mode, "append") == 0)
        bench_append(number_of(argv[2]), argv[3]);
    else if (argc == 4 && strcmp(mode, "write-log") == 0)
        bench_write_log(number_of(argv[2]), argv[3]);
    else if (argc == 3 && strcmp(mode, "read-log") == 0)
        bench_read_log(argv[2]);
    else if (argc == 4 && strcmp(mode, "ask") == 0)
        bench_ask(number_of(argv[2]), argv[3]);
    else if (argc == 4 && strcmp(mode, "chart") == 0)
        bench_chart(number_of(argv[2]), argv[3]);
    else if (argc > 2 && strcmp(mode, "mrt") == 0)
        bench_mrt(argv + 2);
    else if (argc > 2 && strcmp(mode, "elements") == 0)
        bench_elements(argv + 2);
    else if (argc == 4 && strcmp(mode, "table") == 0)
        bench_table(number_of(argv[2]), number_of(argv[3]));
    else if (argc > 2 && strcmp(mode, "changes") == 0)
        bench_changes(argv + 2);
    else if ((argc == 5 || argc == 6) && strcmp(mode, "probe") == 0)
        bench_probe(number_of(argv[2]), number_of(argv[3]), argv[4], argv[5]);
    else if (argc == 4 && strcmp(mode, "live") == 0)
        bench_live(number_of(argv[2]), number_of(argv[3]));
    else if (argc > 2 && strcmp(mode, "read") == 0)
        bench_read(argv + 2, 0);
    else if (argc > 2 && strcmp(mode, "read-early") == 0)
        bench_read(argv + 2, OPEN_EARLY);
    else {
        fprintf(stderr,
                "bench: core N | pipeline N JOURNAL | day JOURNAL | append N JOURNAL | write-log N "
                "FILE | "
                "read-log FILE | ask ROUNDS JOURNAL | chart ROUNDS JOURNAL | mrt FILE... | "
                "elements FILE... | table PREFIXES PEERS | changes FILE... | "
                "probe MS ROUNDS FILE [OTHERS] | live PREFIXES PEERS | read FILE... | "
                "read-early FILE...\n");
        return 2;
    }
    return 0;
}
