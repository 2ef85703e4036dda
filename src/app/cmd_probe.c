/* probe: asks one target here and now, and tells what came of it. */
#include "app/command.h"

#include "model/detail.h"
#include "source/probe/prober.h"
#include "sys/output.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1000 };
#define TIMEOUT_NS (5 * NS_PER_S)
#define PAUSE_NS NS_PER_S
/* The prober asks again by itself; here that is done after each answer. */
#define NEVER_NS (365 * NS_PER_DAY)

struct asking {
    struct loop *loop;
    struct loop_timer *pause;
    struct registry *registry;
    struct prober *prober;
    struct probe_plan plan;
    struct output *output;
    struct why failed; /* writing a result */
    bool is_json;
    unsigned left, asked, ok;
};

static void add_code(struct buffer *out, const struct observation *result, enum target_kind kind)
{
    enum outcome outcome = (enum outcome)result->outcome;
    enum code_meaning meaning = code_meaning(kind, outcome);
    if (!code_is_known(meaning, outcome, result->code))
        return;
    const char *name = meaning == CODE_RCODE ? rcode_name(result->code) : NULL;
    if (name)
        buffer_printf(out, ", %s", name);
    else if (meaning == CODE_ICMP)
        buffer_printf(out, ", ICMP type %u code %u", result->code >> 8, result->code & 0xffU);
    else
        buffer_printf(out, ", %s %u", meaning == CODE_STATUS ? "status" : "rcode", result->code);
}

static void add_value(struct buffer *out, const struct observation *result, enum target_kind kind)
{
    char text[UTC_TEXT_MAX];
    if (!result->value)
        return;
    switch (value_meaning(kind)) {
    case VALUE_SERIAL:
        buffer_printf(out, ", serial %" PRId64, result->value);
        break;
    case VALUE_NOT_AFTER:
        buffer_printf(out, ", certificate until %s",
                      utc_format((struct utc){result->value * NS_PER_S}, text));
        break;
    case VALUE_TTL:
        buffer_printf(out, ", TTL %" PRId64, result->value);
        break;
    case VALUE_NUMBER:
        break;
    }
}

/* "TIME  outcome  12.3 ms  from ADDRESS, status 200", or where it failed and what that means. */
static void add_result(const struct asking *asking, const struct observation *result,
                       struct buffer *out)
{
    enum outcome outcome = (enum outcome)result->outcome;
    const struct target *target = registry_target(asking->registry, result->target);
    char time[UTC_TEXT_MAX];
    struct utc sent = {result->time.ns / NS_PER_MS * NS_PER_MS};
    buffer_printf(out, "%s  %s", utc_format(sent, time), outcome_name(outcome));
    if (outcome != OUTCOME_OK)
        buffer_printf(out, " at %s: %s", stage_name((enum stage)result->stage),
                      outcome_sentence(outcome));
    if (result->rtt_ns)
        buffer_printf(out, ", %.*f ms", result->rtt_ns < NS_PER_MS ? 3 : 1,
                      (double)result->rtt_ns / NS_PER_MS);
    if (result->peer)
        buffer_printf(out, ", %s %s", outcome == OUTCOME_TIMEOUT ? "asked" : "from",
                      registry_text(asking->registry, result->peer));
    add_code(out, result, (enum target_kind)target->kind);
    add_value(out, result, (enum target_kind)target->kind);
    buffer_puts(out, "\n");
}

static void take_result(void *context, const struct observation *result)
{
    struct asking *asking = context;
    struct buffer line = {0};
    asking->asked++;
    asking->ok += result->outcome == OUTCOME_OK;
    if (asking->is_json)
        out_log_line(asking->registry, result, &line);
    else
        add_result(asking, result, &line);
    enum err err = output_write(asking->output, line.bytes, line.size, &asking->failed);
    buffer_done(&line);
    if (--asking->left == 0 || err)
        loop_stop(asking->loop);
    else
        loop_timer_start(asking->pause, PAUSE_NS, 0);
}

/* As a new target of the plan it is asked at once. */
static void ask_again(void *context)
{
    struct asking *asking = context;
    prober_set_plan(asking->prober, NULL, 0, NULL);
    prober_set_plan(asking->prober, &asking->plan, 1, NULL);
}

static void stop(void *context)
{
    loop_stop(context);
}

static int run(struct asking *asking)
{
    struct prober_options options = {.vantage = "here", .at_once = true};
    const struct sink sink = {asking->registry, take_result, asking};
    struct why why;
    asking->prober = prober_new(asking->loop, &options, &sink, &why);
    if (why.err && strncmp(asking->plan.target, "icmp:", 5) == 0)
        command_say("%s", why.text);
    int status = EXIT_DONE;
    if (prober_set_plan(asking->prober, &asking->plan, 1, &why)) {
        command_say("%s", why.text);
        status = EXIT_USAGE;
    } else {
        loop_run(asking->loop);
    }
    prober_free(asking->prober);
    return status;
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

int cmd_probe(const struct options *options)
{
    struct asking asking = {
        .plan = {.target = options->arguments[0],
                 .interval_ns = NEVER_NS,
                 .timeout_ns = TIMEOUT_NS,
                 .count = 1,
                 .expect_text = options_get(options, OPTION_TEXT)},
        .is_json = options_has(options, OPTION_JSON),
        .left = number_of_questions(options),
    };
    if (!asking.left) {
        command_say("'%.60s' is no number of questions; expected 1 to %d",
                    options_get(options, OPTION_COUNT_OF), COUNT_MAX);
        return EXIT_USAGE;
    }
    struct why why;
    if (output_open("-", &asking.output, &why))
        return command_fail(&why);
    asking.loop = loop_new();
    asking.registry = registry_new();
    asking.pause = loop_timer_new(asking.loop, ask_again, &asking);
    loop_signal_new(asking.loop, SIGINT, stop, asking.loop);
    int status = run(&asking);
    loop_free(asking.loop);
    registry_free(asking.registry);
    if (output_close(asking.output, asking.failed.err, &asking.failed))
        return command_fail(&asking.failed);
    if (status)
        return status;
    if (asking.asked > 1 && !asking.is_json)
        command_say("%u of %u answered as hoped", asking.ok, asking.asked);
    return asking.ok ? EXIT_DONE : EXIT_FAILED;
}
