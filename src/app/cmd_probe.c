/* probe: asks targets here and now, and tells what came of it. */
#include "app/asking.h"
#include "app/hop_origins.h"
#include "app/probe_report.h"

#include "base/mem.h"
#include "sys/output.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1000 };
#define TIMEOUT_NS (5 * NS_PER_S)
#define ZONE_TIMEOUT_NS (10 * NS_PER_S)
#define PAUSE_NS NS_PER_S

struct probing {
    struct asking *asking;
    struct probe_plan *plan;
    struct probe_sums *sums; /* of each of the plan */
    size_t count;
    unsigned rounds;
    struct output *output;
    struct why failed; /* writing a result */
    struct probe_style style;
};

static void write_out(struct probing *probing, struct buffer *text)
{
    if (!probing->failed.err && text->size)
        output_write(probing->output, text->bytes, text->size, &probing->failed);
    buffer_done(text);
}

static void tell(void *context, const struct observation *result, const struct account *account)
{
    struct probing *probing = context;
    struct buffer text = {0};
    probe_report(&probing->style, asking_registry(probing->asking), result, account, &text);
    write_out(probing, &text);
    if (probing->failed.err)
        asking_stop(probing->asking);
}

static void take(void *context, const struct observation *result)
{
    struct probing *probing = context;
    const char *target = registry_text(asking_registry(probing->asking), result->target);
    for (size_t i = 0; i < probing->count; i++)
        if (strcmp(probing->plan[i].target, target) == 0)
            probe_sums_add(&probing->sums[i], result);
}

/* 0 if it is no number of questions. */
static unsigned number_of_questions(const struct options *options)
{
    const char *text = options_get(options, OPTION_COUNT_OF);
    char *end;
    if (!text)
        return 1;
    long number = strtol(text, &end, 10);
    return *end || end == text || number < 1 || number > COUNT_MAX ? 0 : (unsigned)number;
}

static bool is_there(const struct probing *probing, const char *target)
{
    for (size_t i = 0; i < probing->count; i++)
        if (strcmp(probing->plan[i].target, target) == 0)
            return true;
    return false;
}

static bool is_page(const char *target)
{
    return strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0;
}

static uint8_t family_of(const struct options *options)
{
    bool is_4 = options_has(options, OPTION_ASK_IPV4), is_6 = options_has(options, OPTION_ASK_IPV6);
    return is_4 == is_6 ? 0 : is_4 ? 4 : 6;
}

/* A zone is looked at as the configuration says, and for as long as `run` does. */
static void set_zone(struct probe_plan *plan, const struct config *config)
{
    if (strncmp(plan->target, "zone:", 5) != 0)
        return;
    plan->interval_ns = plan->timeout_ns = ZONE_TIMEOUT_NS;
    for (size_t i = 0; i < config->plan_count; i++)
        if (strcmp(config->plan[i].target, plan->target) == 0)
            plan->zone = config->plan[i].zone;
}

static void make_plan(struct probing *probing, const struct options *options,
                      const struct config *config)
{
    const struct probe_plan plan = {.interval_ns = TIMEOUT_NS, /* it is taken back before */
                                    .timeout_ns = TIMEOUT_NS,
                                    .count = 1,
                                    .expect_text = options_get(options, OPTION_TEXT),
                                    .family = family_of(options),
                                    .all_addresses = options_has(options, OPTION_ALL_ADDRESSES)};
    probing->plan = mem_new(options->argument_count, sizeof *probing->plan);
    probing->sums = mem_new(options->argument_count, sizeof *probing->sums);
    for (size_t i = 0; i < options->argument_count; i++) {
        const char *target = options->arguments[i];
        if (is_there(probing, target))
            continue;
        probing->plan[probing->count] = plan;
        probing->plan[probing->count].target = target;
        probing->plan[probing->count].is_control = strncmp(target, "self:", 5) == 0;
        set_zone(&probing->plan[probing->count], config);
        if (options_has(options, OPTION_FOLLOW) && is_page(target))
            probing->plan[probing->count].redirects = PROBER_REDIRECTS_MAX;
        probing->sums[probing->count++].target = target;
    }
}

static int ask(struct probing *probing)
{
    struct why why;
    for (unsigned round = 0; round < probing->rounds; round++) {
        if (round)
            asking_pause(probing->asking, PAUSE_NS);
        if (asking_is_stopped(probing->asking))
            break;
        if (asking_round(probing->asking, probing->plan, probing->count, take, probing, &why)) {
            command_say("%s", why.text);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

/* Whether each target answered as hoped at least once. */
static int sum_up(struct probing *probing)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < probing->count; i++) {
        struct buffer text = {0};
        if (probing->rounds > 1 && !probing->style.is_json)
            probe_sums_report(&probing->sums[i], &text);
        write_out(probing, &text);
        status = probing->sums[i].ok ? status : EXIT_FAILED;
    }
    return status;
}

static bool wants_ping(const struct options *options)
{
    for (size_t i = 0; i < options->argument_count; i++)
        if (prober_pings(options->arguments[i]))
            return true;
    return false;
}

static int probe(struct probing *probing, const struct options *options,
                 const struct config *config)
{
    struct asking_options asking = {.config = config, .tell = tell, .context = probing};
    const char *database = options_get(options, OPTION_ASN_DB);
    struct hop_origins origins = {0};
    struct why why;
    if (hop_origins_open(&origins, database ? database : config->asn_db, &why) ||
        output_open("-", &probing->output, &why))
        return command_fail(&why);
    asking.origins = hop_origins_finder(&origins);
    make_plan(probing, options, config);
    probing->asking = asking_new(&asking, wants_ping(options));
    int status = ask(probing);
    status = status ? status : sum_up(probing);
    asking_free(probing->asking);
    hop_origins_done(&origins);
    for (size_t i = 0; i < probing->count; i++)
        probe_sums_done(&probing->sums[i]);
    free(probing->plan);
    free(probing->sums);
    if (output_close(probing->output, probing->failed.err, &probing->failed))
        return command_fail(&probing->failed);
    return status;
}

int cmd_probe(const struct options *options)
{
    struct config config;
    struct probing probing = {.rounds = number_of_questions(options),
                              .style = {.is_json = options_has(options, OPTION_JSON),
                                        .is_verbose = options_has(options, OPTION_VERBOSE),
                                        .names_target = options->argument_count > 1}};
    if (!probing.rounds) {
        command_say("'%.60s' is no number of questions; expected 1 to %d",
                    options_get(options, OPTION_COUNT_OF), COUNT_MAX);
        return EXIT_USAGE;
    }
    int status = asking_config(options, &config);
    if (status)
        return status;
    status = probe(&probing, options, &config);
    config_done(&config);
    return status;
}
