#include "probing.h"

#include "base/mem.h"
#include "source/probe/prober.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TIMEOUT_MS_MAX = 3000, SEED = 20220126 };

/* The plan; `texts` are what its targets point into. */
struct task {
    struct probe_plan *plan;
    size_t count, capacity;
    char *texts[2];
};

struct probing {
    struct loop *loop;
    struct registry *registry;
    struct prober *prober;
    bool *is_timed; /* by number of the target */
    uint32_t numbers;
    int64_t *rtts;
    size_t rtt_count, rtt_capacity;
    uint64_t of[OUTCOME_COUNT];
};

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t n = 0, capacity = 0, got;
    char *text = NULL;
    if (!file) {
        perror(path);
        exit(1);
    }
    do {
        text = mem_grow(text, &capacity, n + BUFSIZ + 1, 1);
        got = fread(text + n, 1, BUFSIZ, file);
        n += got;
    } while (got);
    text[n] = '\0';
    fclose(file);
    return text;
}

static void add_targets(struct task *task, char *text, int64_t interval_ns)
{
    int64_t longest = TIMEOUT_MS_MAX * NS_PER_MS;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        task->plan = mem_grow(task->plan, &task->capacity, task->count + 1, sizeof *task->plan);
        task->plan[task->count++] = (struct probe_plan){
            .target = line,
            .interval_ns = interval_ns,
            .timeout_ns = interval_ns < longest ? interval_ns : longest,
            .count = 1,
        };
    }
}

static void take(void *context, const struct observation *result)
{
    struct probing *probing = context;
    probing->of[result->outcome]++;
    if (result->target >= probing->numbers || !probing->is_timed[result->target] ||
        result->outcome != OUTCOME_OK)
        return;
    probing->rtts = mem_grow(probing->rtts, &probing->rtt_capacity, probing->rtt_count + 1,
                             sizeof *probing->rtts);
    probing->rtts[probing->rtt_count++] = result->rtt_ns;
}

static void mark_timed(struct probing *probing, const struct task *task, size_t timed)
{
    probing->numbers = registry_count(probing->registry) + 1;
    probing->is_timed = mem_new(probing->numbers, sizeof *probing->is_timed);
    for (size_t i = 0; i < timed; i++) {
        const char *text = task->plan[i].target;
        probing->is_timed[registry_find(probing->registry, NAME_TARGET, text, strlen(text))] = true;
    }
}

static void stop(void *context)
{
    struct probing *probing = context;
    loop_stop(probing->loop);
}

static void drain(void *context)
{
    struct probing *probing = context;
    prober_drain(probing->prober, stop, probing);
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void print_result(struct probing *probing, double kib, struct mono start)
{
    printf("seconds %.3f\n", (double)mono_diff(clock_mono(), start) / 1e9);
    struct prober_counters counters = prober_counters(probing->prober);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("user_seconds %.6f\nsystem_seconds %.6f\n", seconds_of(usage.ru_utime),
           seconds_of(usage.ru_stime));
    printf("resident_kib %.0f\n", kib);
    printf("asked %" PRIu64 "\nanswered %" PRIu64 "\nmissed %" PRIu64 "\noverflow %" PRIu64 "\n",
           counters.asked, counters.answered, counters.missed, counters.echo_overflow);
    printf("late_p99_ms %.3f\nlate_worst_ms %.3f\nsent_late %" PRIu64 "\n",
           (double)counters.late_p99_ns / 1e6, (double)counters.late_worst_ns / 1e6,
           counters.sent_late);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (probing->of[i])
            printf("outcome-%s %" PRIu64 "\n", outcome_name((enum outcome)i), probing->of[i]);
    if (!probing->rtt_count)
        return;
    qsort(probing->rtts, probing->rtt_count, sizeof *probing->rtts, compare_times);
    printf("rtt_median_us %.3f\nrtt_p90_us %.3f\n",
           (double)probing->rtts[probing->rtt_count / 2] / 1e3,
           (double)probing->rtts[probing->rtt_count * 9 / 10] / 1e3);
}

static void set_plan(struct probing *probing, struct task *task, size_t timed)
{
    struct why why;
    if (prober_set_plan(probing->prober, task->plan, task->count, &why)) {
        fprintf(stderr, "bench: %s\n", why.text);
        exit(1);
    }
    mark_timed(probing, task, timed);
    free(task->plan); /* so that what is measured is what the prober keeps */
    free(task->texts[0]);
    free(task->texts[1]);
}

void bench_probe(uint64_t interval_ms, uint64_t rounds, const char *path, const char *others)
{
    int64_t interval_ns = (int64_t)interval_ms * NS_PER_MS;
    struct task task = {.texts = {read_all(path), others ? read_all(others) : NULL}};
    struct probing probing = {.loop = loop_new(), .registry = registry_new()};
    struct sink sink = {probing.registry, take, &probing};
    /* As a daemon has them, only beyond what is measured. */
    struct manners_options manners = {.rate = 1e7, .neighbour_rate = 1e6};
    struct prober_options options = {.vantage = "bench", .seed = SEED, .manners = &manners};
    struct why why;
    add_targets(&task, task.texts[0], interval_ns);
    size_t timed = task.count;
    if (others)
        add_targets(&task, task.texts[1], interval_ns);
    probing.prober = prober_new(probing.loop, &options, &sink, &why);
    if (why.err) {
        fprintf(stderr, "bench: %s\n", why.text);
        exit(1);
    }
    set_plan(&probing, &task, timed);
    struct loop_timer *end = loop_timer_new(probing.loop, drain, &probing);
    loop_timer_start(end, interval_ns * (int64_t)rounds, 0);
    struct mono start = clock_mono();
    loop_run(probing.loop);
    print_result(&probing, resident_kib(), start);
    loop_timer_free(end);
    prober_free(probing.prober);
    loop_free(probing.loop);
    registry_free(probing.registry);
    free(probing.is_timed);
    free(probing.rtts);
}
