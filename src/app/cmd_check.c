/* check: one group of targets, asked here and now, in the way of a monitoring plugin: one line, figures
 * behind '|', and the status 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN (Monitoring Plugins Development
 * Guidelines, 2.1 to 2.6). If our own controls do not answer, or we cannot ask, it is UNKNOWN: our own broken
 * network is not theirs. */
#include "app/asking.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };
/* What does not answer is asked once more, and once more: one lost packet is no alarm. */
enum { TRIES = 3, NAMED_MOST = 5 };
#define PAUSE_NS (500 * NS_PER_MS)

struct check {
    const struct options *options;
    struct asking *asking;
    const struct subject_spec *subject;
    struct probe_plan *plan;
    struct observation *results; /* the last one of each; kind 0: there is none */
    size_t count;
    unsigned warn, critical; /* per cent of the targets that must answer */
};

static const char *const status_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static int say(const struct options *options, int status, const char *group, const char *text,
               const char *figures)
{
    struct buffer line = {0};
    buffer_printf(&line, "LASTLIGHT %s - %s: ", status_names[status], group);
    buffer_plain(&line, text);
    buffer_puts(&line, figures);
    buffer_puts(&line, "\n");
    return command_print(options, &line) ? CHECK_UNKNOWN : status;
}

/* ---- asking ---- */

static bool is_of(const struct subject_spec *subject, const struct probe_plan *plan)
{
    for (size_t i = 0; i < subject->member_count; i++)
        if (subject->members[i].kind == NAME_TARGET &&
            strcmp(subject->members[i].text, plan->target) == 0)
            return true;
    return false;
}

/* Its targets, and the controls of the vantage. */
static void make_plan(struct check *check, const struct config *config)
{
    check->plan = mem_new(config->plan_count + 1, sizeof *check->plan);
    check->results = mem_new(config->plan_count + 1, sizeof *check->results);
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plan[i].is_control || is_of(check->subject, &config->plan[i]))
            check->plan[check->count++] = config->plan[i];
    for (size_t i = 0; i < check->count; i++)
        check->plan[i].count = 1;
}

static void take(void *context, const struct observation *result)
{
    struct check *check = context;
    const struct registry *registry = asking_registry(check->asking);
    bool is_control = registry_kind(registry, result->target) == NAME_CONTROL;
    for (size_t i = 0; i < check->count; i++)
        if (check->plan[i].is_control == is_control &&
            strcmp(check->plan[i].target, registry_text(registry, result->target)) == 0)
            check->results[i] = *result;
}

static bool is_good(const struct observation *result)
{
    return result->kind && outcome_class((enum outcome)result->outcome) == OUTCOME_CLASS_GOOD;
}

/* What has not answered yet. */
static size_t plan_rest(const struct check *check, struct probe_plan *rest)
{
    size_t count = 0;
    for (size_t i = 0; i < check->count; i++)
        if (!is_good(&check->results[i]))
            rest[count++] = check->plan[i];
    return count;
}

static enum err ask(struct check *check, struct why *why)
{
    struct probe_plan *rest = mem_new(check->count + 1, sizeof *rest);
    enum err err = ERR_OK;
    for (int i = 0; i < TRIES && !err; i++) {
        size_t count = plan_rest(check, rest);
        if (!count || asking_is_stopped(check->asking))
            break;
        if (i)
            asking_pause(check->asking, PAUSE_NS);
        err = asking_round(check->asking, rest, count, take, check, why);
    }
    free(rest);
    return err;
}

/* ---- judging ---- */

struct tally {
    unsigned all, good, ours, bad; /* ours: we failed, which says nothing */
};

static struct tally count(const struct check *check, bool is_control)
{
    struct tally tally = {0};
    for (size_t i = 0; i < check->count; i++) {
        const struct observation *result = &check->results[i];
        if (check->plan[i].is_control != is_control)
            continue;
        bool is_ours =
            !result->kind || outcome_class((enum outcome)result->outcome) == OUTCOME_CLASS_OURS;
        tally.all++;
        tally.good += is_good(result);
        tally.ours += is_ours;
        tally.bad += !is_good(result) && !is_ours;
    }
    return tally;
}

static int judge(const struct check *check, const struct tally *targets,
                 const struct tally *controls)
{
    unsigned known = targets->good + targets->bad;
    if (!known || (controls->all && !controls->good && !targets->good))
        return CHECK_UNKNOWN;
    if (targets->good * 100 < known * check->critical)
        return CHECK_CRITICAL;
    return targets->good * 100 < known * check->warn ? CHECK_WARNING : CHECK_OK;
}

static void add_failures(const struct check *check, struct buffer *out)
{
    unsigned named = 0, more = 0;
    for (size_t i = 0; i < check->count; i++) {
        const struct observation *result = &check->results[i];
        if (check->plan[i].is_control || is_good(result))
            continue;
        if (named == NAMED_MOST) {
            more++;
            continue;
        }
        buffer_printf(out, "%s%s %s", named++ ? ", " : "; ", check->plan[i].target,
                      result->kind ? outcome_name((enum outcome)result->outcome) : "not asked");
    }
    if (more)
        buffer_printf(out, " and %u more", more);
}

/* 'label'=value[UOM];warn;crit;min;max, where a single quote in a label is doubled. */
static void add_label(struct buffer *out, const char *text)
{
    buffer_puts(out, " '");
    for (; *text; text++) {
        buffer_add(out, *text == '=' ? "_" : text, 1);
        if (*text == '\'')
            buffer_add(out, "'", 1);
    }
    buffer_puts(out, "'=");
}

static void add_figures(const struct check *check, const struct tally *targets, struct buffer *out)
{
    unsigned known = targets->good + targets->bad;
    buffer_printf(out, " | answering=%u;%u:;%u:;0;%u", targets->good,
                  (known * check->warn + 99) / 100, (known * check->critical + 99) / 100,
                  targets->all);
    for (size_t i = 0; i < check->count; i++) {
        const struct observation *result = &check->results[i];
        if (check->plan[i].is_control || !is_good(result) || !result->rtt_ns)
            continue;
        add_label(out, check->plan[i].target);
        buffer_printf(out, "%.6fs;;;0;", (double)result->rtt_ns / (double)NS_PER_S);
    }
}

static int report(const struct check *check)
{
    struct tally targets = count(check, false), controls = count(check, true);
    struct buffer text = {0}, figures = {0};
    int status = judge(check, &targets, &controls);
    if (controls.all && !controls.good)
        buffer_puts(&text, "no control answers: our own network may be what fails; ");
    buffer_printf(&text, "%u of %u targets answer", targets.good, targets.all);
    if (targets.ours)
        buffer_printf(&text, ", %u could not be asked", targets.ours);
    if (!controls.all)
        buffer_puts(&text, ", without controls");
    add_failures(check, &text);
    add_figures(check, &targets, &figures);
    status = say(check->options, status, check->subject->name, text.bytes, figures.bytes);
    buffer_done(&text);
    buffer_done(&figures);
    return status;
}

/* ---- the command ---- */

static bool read_percent(const struct options *options, enum option option, unsigned usual,
                         unsigned *out)
{
    const char *text = options_get(options, option);
    char *end;
    *out = usual;
    if (!text)
        return true;
    unsigned long percent = strtoul(text, &end, 10);
    if (end == text || (*end && strcmp(end, "%") != 0) || percent > 100)
        return false;
    *out = (unsigned)percent;
    return true;
}

static bool wants_ping(const struct check *check)
{
    for (size_t i = 0; i < check->count; i++)
        if (prober_pings(check->plan[i].target))
            return true;
    return false;
}

static int check_group(struct check *check, const struct config *config)
{
    struct asking_options options = {.config = config};
    struct why why;
    int status;
    make_plan(check, config);
    check->asking = asking_new(&options, wants_ping(check));
    if (!count(check, false).all)
        status = say(check->options, CHECK_UNKNOWN, check->subject->name,
                     "it has no targets that could be asked here and now; 'lastlight status' tells "
                     "what the daemon sees of its routes",
                     "");
    else if (ask(check, &why))
        status = say(check->options, CHECK_UNKNOWN, check->subject->name, why.text, "");
    else
        status = report(check);
    asking_free(check->asking);
    free(check->plan);
    free(check->results);
    return status;
}

int cmd_check(const struct options *options)
{
    const char *group = options->arguments[0];
    struct config config;
    struct check check = {.options = options};
    if (!read_percent(options, OPTION_WARN, 100, &check.warn) ||
        !read_percent(options, OPTION_CRITICAL, 50, &check.critical))
        return say(options, CHECK_UNKNOWN, group, "--warn and --critical take per cent, 0 to 100",
                   "");
    if (asking_config(options, &config))
        return say(options, CHECK_UNKNOWN, group, "the configuration has errors", "");
    check.subject = config_find_subject(&config, group);
    int status = check.subject ? check_group(&check, &config)
                               : say(options, CHECK_UNKNOWN, group,
                                     "the configuration has no subject of this name", "");
    config_done(&config);
    return status;
}
