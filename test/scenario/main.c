/* Plays scenarios (README.md has the language) with several seeds and judges what the core makes
 * of them.
 *
 *     scenario [-v] [-n SEEDS] [-s FIRST_SEED] FILE...
 *     scenario --log OUT [-s SEED] FILE        writes the observation log of one instead: an
 * example, a fixture scenario --fails TEXT FILE               succeeds only if the file fails and
 * says so with TEXT
 *     scenario --follow ...                    with what is asked out of turn when something goes dark
 *     scenario --score [-n SEEDS] FILE...      also says how good the verdicts were where a truth
 * is declared
 *
 * Exit: 0 all as expected, 1 not, 2 a file or the command line is wrong. */
#include "core/core.h"
#include "out/log_line.h"
#include "out/out.h"
#include "scenario.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How near the last verdicts came to the declared truths: sums over incidents. */
struct score {
    double brier;    /* of all causes: 0 is perfect, 2 the worst */
    double log_loss; /* nats */
    unsigned in_set, set_sizes, leading, called, called_wrong, verdicts;
    unsigned plays, as_expected;
};

struct options {
    bool is_verbose;
    bool is_scored, is_followed;
    struct score *score;
    unsigned seeds;
    uint64_t first_seed;
    const char *log;
    const char *fails;
};

/* What one core makes of it all, saved and loaded again every so many observations (0: never).
 * False if it could not be loaded. */
static bool feed(const struct observations *seen, const struct registry *registry,
                 size_t load_every, struct outcome_set *set, struct core_counters *counters)
{
    struct conclusions conclusions = {0};
    struct buffer saved = {0};
    struct core *core = core_new(registry);
    for (size_t i = 0; i < seen->count && core; i++) {
        core_feed(core, &seen->list[i], &conclusions);
        for (size_t k = 0; k < conclusions.count; k++)
            outcome_add(set, &conclusions.list[k]);
        conclusions_clear(&conclusions);
        if (load_every && i % load_every == load_every - 1) {
            buffer_clear(&saved);
            core_save(core, &saved);
            core_free(core);
            core = core_load(registry, saved.bytes, saved.size);
        }
    }
    if (core)
        *counters = core_counters(core);
    bool is_fed = core != NULL;
    core_free(core);
    buffer_done(&saved);
    conclusions_done(&conclusions);
    return is_fed;
}

/* The first line in which two texts differ. */
static void report_difference(const char *a, const char *b, struct buffer *report)
{
    size_t at = 0, line = 0;
    for (; a[at] && a[at] == b[at]; at++)
        if (a[at] == '\n')
            line = at + 1;
    buffer_printf(report, "    in one go: %.*s\n    otherwise: %.*s\n",
                  (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"), b + line);
}

/* The same observations, late within the bound and with the core saved and loaded on the way, must
 * give the same conclusions. Returns 1 if they do not. */
static int play_again(struct observations *seen, uint64_t seed, const struct registry *registry,
                      const struct buffer *straight, struct buffer *report)
{
    struct outcome_set set = {0};
    struct core_counters counters = {0};
    struct buffer said = {0};
    enum { LOAD_EVERY = 1009 };
    observations_delay(seen, LATENESS_NS - NS_PER_S, seed);
    bool is_fed = feed(seen, registry, LOAD_EVERY, &set, &counters);
    outcome_print(&set, registry, &said);
    bool is_same = is_fed && strcmp(straight->bytes, said.bytes) == 0;
    if (!is_fed)
        buffer_puts(report, "the core does not load what it saved\n");
    if (is_fed && !is_same) {
        buffer_puts(report,
                    "stopped, resumed and late within the bound, it concludes otherwise:\n");
        report_difference(straight->bytes, said.bytes, report);
    }
    buffer_done(&said);
    outcome_done(&set);
    return is_same ? 0 : 1;
}

static void add_score(struct score *score, enum cause truth, const struct outcome_set *set)
{
    for (size_t i = 0; i < set->verdict_count; i++) {
        const struct verdict *verdict = &set->verdicts[i];
        for (int cause = 0; cause < CAUSE_COUNT; cause++) {
            double off = verdict->posterior[cause] - (cause == (int)truth ? 1 : 0);
            score->brier += off * off;
        }
        score->log_loss -= log(fmax(verdict->posterior[truth], 1e-6));
        for (size_t k = 0; k < verdict->set_size; k++)
            score->in_set += verdict->order[k] == truth;
        score->set_sizes += verdict->set_size;
        score->leading += verdict->order[0] == truth;
        score->called += verdict->call == truth;
        score->called_wrong += verdict->call != truth && verdict->call != CAUSE_COUNT;
        score->verdicts++;
    }
}

static void print_score(const struct score *score)
{
    double n = score->verdicts ? score->verdicts : 1;
    printf("as expected %u of %u plays\n", score->as_expected, score->plays);
    printf(
        "verdicts with known truth %u: Brier %.3f, log loss %.3f, truth in the 80 %% set %.1f %% "
        "(mean size %.1f), leading %.1f %%, called %.1f %%, something else called %.1f %%\n",
        score->verdicts, score->brier / n, score->log_loss / n, 100 * score->in_set / n,
        score->set_sizes / n, 100 * score->leading / n, 100 * score->called / n,
        100 * score->called_wrong / n);
}

/* Returns how much was not as expected. */
static int play(const struct world *world, uint64_t seed, const struct options *options,
                struct buffer *report)
{
    struct registry *registry = registry_new();
    struct observations seen = {0};
    struct outcome_set set = {0};
    struct core_counters counters = {0};
    struct buffer said = {0};
    world_play(world, seed, registry, &seen);
    feed(&seen, registry, 0, &set, &counters);
    outcome_print(&set, registry, &said);
    if (options->is_verbose)
        printf("%s, seed %llu: %zu observations\n%s", world->title, (unsigned long long)seed,
               seen.count, said.bytes);
    int failures = world_judge(world, &set, registry, report);
    if (world->has_truth)
        add_score(options->score, world->truth, &set);
    if (counters.late || counters.capped) {
        buffer_printf(report, "the core passed over %llu late and %llu capped observations\n",
                      (unsigned long long)counters.late, (unsigned long long)counters.capped);
        failures++;
    }
    failures += play_again(&seen, seed, registry, &said, report);
    buffer_done(&said);
    outcome_done(&set);
    free(seen.list);
    registry_free(registry);
    return failures;
}

/* A subject and its members make one line. Returns how many observations that took. */
static size_t write_lines(const struct observations *seen, size_t at,
                          const struct registry *registry, struct buffer *lines)
{
    size_t members = 0;
    if (seen->list[at].kind != OBSERVATION_SUBJECT) {
        out_log_line(registry, &seen->list[at], lines);
        return 1;
    }
    while (at + 1 + members < seen->count &&
           seen->list[at + 1 + members].kind == OBSERVATION_MEMBER)
        members++;
    log_line_meta(registry, &seen->list[at], &seen->list[at + 1], members, lines);
    return 1 + members;
}

static int write_log(const struct world *world, const struct options *options)
{
    struct registry *registry = registry_new();
    struct observations seen = {0};
    struct buffer lines = {0};
    world_play(world, options->first_seed, registry, &seen);
    for (size_t i = 0; i < seen.count;)
        i += write_lines(&seen, i, registry, &lines);
    FILE *file = fopen(options->log, "wb");
    bool is_written = file && fwrite(lines.bytes, 1, lines.size, file) == lines.size;
    is_written = file && fclose(file) == 0 && is_written;
    if (!is_written)
        fprintf(stderr, "scenario: %s: %s\n", options->log, strerror(errno));
    buffer_done(&lines);
    free(seen.list);
    registry_free(registry);
    return is_written ? 0 : 2;
}

static int run_seeds(const struct world *world, const struct options *options,
                     struct buffer *report)
{
    int failed = 0;
    for (unsigned i = 0; i < options->seeds; i++) {
        struct buffer one = {0};
        uint64_t seed = options->first_seed + i;
        if (play(world, seed, options, &one)) {
            buffer_printf(report, "not as expected with seed %llu:\n", (unsigned long long)seed);
            buffer_puts(report, one.bytes);
            failed++;
        }
        options->score->plays++;
        buffer_done(&one);
    }
    options->score->as_expected += options->seeds - (unsigned)failed;
    return failed;
}

/* Whether the scenario failed as it was meant to. */
static int judge_failure(const struct options *options, int status, const struct buffer *report)
{
    const char *said = report->bytes ? report->bytes : "";
    if (status && strstr(said, options->fails))
        return 0;
    printf("was meant to fail with '%s', but %s:\n%s", options->fails,
           status ? "said" : "did not fail", said);
    return 1;
}

static int run_file(const char *path, const struct options *options)
{
    struct world world;
    struct why why;
    struct buffer report = {0};
    int status = 0;
    if (world_read(path, &world, &why)) {
        buffer_printf(&report, "%s\n", why.text);
        status = 2;
    } else if (options->log) {
        world.is_followed = options->is_followed;
        status = write_log(&world, options);
        world_done(&world);
    } else {
        world.is_followed = options->is_followed;
        status = run_seeds(&world, options, &report) ? 1 : 0;
        if (!status && !options->fails)
            printf("ok: %s: %s (seeds %llu to %llu)\n", path, world.title,
                   (unsigned long long)options->first_seed,
                   (unsigned long long)(options->first_seed + options->seeds - 1));
        world_done(&world);
    }
    if (options->fails)
        status = judge_failure(options, status, &report);
    else if (report.size)
        fputs(report.bytes, stdout);
    buffer_done(&report);
    return status;
}

static int usage(void)
{
    fprintf(stderr, "usage: scenario [-v] [-n SEEDS] [-s FIRST_SEED] FILE...\n"
                    "       scenario --log OUT [-s SEED] FILE\n"
                    "       scenario --follow ...\n"
                    "       scenario --score [-n SEEDS] FILE...\n"
                    "       scenario --fails TEXT FILE\n");
    return 2;
}

int main(int count, char **words)
{
    struct score score = {0};
    struct options options = {.seeds = 3, .first_seed = 1, .score = &score};
    int at = 1, worst = 0;
    for (; at < count && words[at][0] == '-'; at++) {
        if (strcmp(words[at], "-v") == 0) {
            options.is_verbose = true;
            continue;
        }
        if (strcmp(words[at], "--follow") == 0) {
            options.is_followed = true;
            continue;
        }
        if (strcmp(words[at], "--score") == 0) {
            options.is_scored = true;
            continue;
        }
        if (at + 1 == count)
            return usage();
        const char *value = words[at + 1];
        if (strcmp(words[at], "-n") == 0)
            options.seeds = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(words[at], "-s") == 0)
            options.first_seed = strtoull(value, NULL, 10);
        else if (strcmp(words[at], "--log") == 0)
            options.log = value;
        else if (strcmp(words[at], "--fails") == 0)
            options.fails = value;
        else
            return usage();
        at++;
    }
    if (at == count || !options.seeds)
        return usage();
    for (; at < count; at++) {
        int status = run_file(words[at], &options);
        worst = status > worst ? status : worst;
    }
    if (options.is_scored)
        print_score(&score);
    return worst;
}
