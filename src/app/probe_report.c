#include "app/probe_report.h"

#include "base/mem.h"
#include "model/detail.h"
#include "out/out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- for people ---- */

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
    case VALUE_HOPS:
        buffer_printf(out, ", %" PRId64 " hop%s away", result->value,
                      result->value == 1 ? "" : "s");
        break;
    case VALUE_BELIEF: /* blocks are not probed once */
    case VALUE_NUMBER:
        break;
    }
}

static void add_ms(struct buffer *out, int64_t ns)
{
    buffer_printf(out, "%.*f ms", ns < NS_PER_MS ? 3 : 1, (double)ns / NS_PER_MS);
}

/* "TIME  outcome  12.3 ms  from ADDRESS, status 200", or where it failed and what that means. */
static void add_result(const struct probe_style *style, const struct registry *registry,
                       const struct observation *result, struct buffer *out)
{
    enum outcome outcome = (enum outcome)result->outcome;
    const struct target *target = registry_target(registry, result->target);
    char time[UTC_TEXT_MAX];
    struct utc sent = {result->time.ns / NS_PER_MS * NS_PER_MS};
    buffer_printf(out, "%s  ", utc_format(sent, time));
    if (style->names_target)
        buffer_printf(out, "%s: ", registry_text(registry, result->target));
    buffer_puts(out, outcome_name(outcome));
    if (outcome != OUTCOME_OK)
        buffer_printf(out, " at %s: %s", stage_name((enum stage)result->stage),
                      outcome_sentence(outcome));
    if (result->rtt_ns) {
        buffer_puts(out, ", ");
        add_ms(out, result->rtt_ns);
    }
    if (result->peer)
        buffer_printf(out, ", %s %s",
                      outcome != OUTCOME_TIMEOUT     ? "from"
                      : target->kind == TARGET_TRACE ? "last heard of"
                                                     : "asked",
                      registry_text(registry, result->peer));
    add_code(out, result, (enum target_kind)target->kind);
    add_value(out, result, (enum target_kind)target->kind);
    buffer_puts(out, "\n");
}

/* "  reached: resolve after 1.2 ms, connect after 9.8 ms" */
static void add_stages(const struct account *account, struct buffer *out)
{
    bool is_first = true;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        int64_t reached_ns = account_reached_ns(account, stage);
        if (!reached_ns)
            continue;
        buffer_printf(out, "%s%s after ", is_first ? "  reached: " : ", ", stage_name(stage));
        add_ms(out, reached_ns);
        is_first = false;
    }
    buffer_puts(out, is_first ? "" : "\n");
}

static void add_facts(const struct account *account, struct buffer *out)
{
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        if (!account_has(account, fact))
            continue;
        buffer_printf(out, "  %s: ", fact_label(fact));
        account_fact_plain(account, fact, out);
        buffer_puts(out, "\n");
    }
}

/* ---- for programs ---- */

static void add_json_steps(const struct account *account, struct buffer *out)
{
    struct buffer line = {0};
    const char *step = account_steps(account);
    buffer_puts(out, ",\"steps\":[");
    for (bool is_first = true; *step; is_first = false) {
        size_t n = strcspn(step, "\n");
        buffer_clear(&line);
        buffer_add(&line, step, n);
        buffer_puts(out, is_first ? "" : ",");
        buffer_json(out, line.bytes);
        step += n + (step[n] == '\n');
    }
    buffer_puts(out, "]");
    buffer_done(&line);
}

static void add_json_account(const struct probe_style *style, const struct account *account,
                             struct buffer *out)
{
    bool is_first = true;
    buffer_puts(out, ",\"reached_ms\":{");
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        int64_t reached_ns = account_reached_ns(account, stage);
        if (!reached_ns)
            continue;
        buffer_printf(out, "%s\"%s\":%.6g", is_first ? "" : ",", stage_name(stage),
                      (double)reached_ns / NS_PER_MS);
        is_first = false;
    }
    buffer_puts(out, "},\"facts\":{");
    is_first = true;
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        if (!account_has(account, fact))
            continue;
        buffer_printf(out, "%s\"%s\":", is_first ? "" : ",", fact_name(fact));
        account_fact_json(account, fact, out);
        is_first = false;
    }
    buffer_puts(out, "}");
    if (style->is_verbose)
        add_json_steps(account, out);
}

/* The log's line, with all of the account instead of what a journal would keep of it. */
static void add_json(const struct probe_style *style, const struct registry *registry,
                     const struct observation *result, const struct account *account,
                     struct buffer *out)
{
    struct buffer line = {0};
    struct observation plain = *result;
    plain.extra = 0;
    out_log_line(registry, &plain, &line);
    buffer_add(out, line.bytes, strlen(line.bytes) - strlen("}\n"));
    add_json_account(style, account, out);
    buffer_puts(out, "}\n");
    buffer_done(&line);
}

void probe_report(const struct probe_style *style, const struct registry *registry,
                  const struct observation *result, const struct account *account,
                  struct buffer *out)
{
    if (style->is_json) {
        add_json(style, registry, result, account, out);
        return;
    }
    if (style->is_verbose)
        buffer_puts(out, account_steps(account));
    add_result(style, registry, result, out);
    if (style->is_verbose) {
        add_stages(account, out);
        add_facts(account, out);
        buffer_puts(out, "\n");
    }
}

/* ---- sums ---- */

void probe_sums_add(struct probe_sums *sums, const struct observation *result)
{
    sums->asked++;
    if (result->outcome != OUTCOME_OK)
        return;
    sums->rtts_ns = mem_grow(sums->rtts_ns, &sums->capacity, sums->ok + 1, sizeof *sums->rtts_ns);
    sums->rtts_ns[sums->ok++] = result->rtt_ns;
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The smallest that so large a share of them does not exceed (nearest rank). */
static int64_t quantile(const struct probe_sums *sums, double share)
{
    size_t rank = (size_t)(share * sums->ok + 0.999999);
    return sums->rtts_ns[rank ? rank - 1 : 0];
}

void probe_sums_report(struct probe_sums *sums, struct buffer *out)
{
    static const struct {
        double share;
        const char *words;
    } quantiles[] = {
        {0, "; RTT at least "}, {0.5, ", median "}, {0.9, ", p90 "}, {1, ", at most "}};
    buffer_printf(out, "%s: %u of %u answered as hoped", sums->target, sums->ok, sums->asked);
    if (sums->ok)
        qsort(sums->rtts_ns, sums->ok, sizeof *sums->rtts_ns, compare);
    for (size_t i = 0; sums->ok && i < sizeof quantiles / sizeof *quantiles; i++) {
        buffer_puts(out, quantiles[i].words);
        add_ms(out, quantile(sums, quantiles[i].share));
    }
    buffer_puts(out, "\n");
}

void probe_sums_done(struct probe_sums *sums)
{
    free(sums->rtts_ns);
    *sums = (struct probe_sums){0};
}
