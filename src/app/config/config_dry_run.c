/* What would be sent, to whom and how often, for --dry-run: nothing is looked up or asked. */
#include "app/config/config.h"

#include "source/paths.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void add_own_check(struct buffer *out, const struct config *config, enum own_check check)
{
    if (check == OWN_CHECK_GATEWAY)
        buffer_puts(out, "an ICMP echo request to each default gateway");
    else if (check == OWN_CHECK_RESOLVER)
        buffer_puts(out, "a DNS question to each server of resolv.conf");
    else if (check == OWN_CHECK_CLOCK && config->clock_count)
        buffer_printf(out, "an NTP request to %zu server%s", config->clock_count,
                      config->clock_count == 1 ? "" : "s");
    else
        buffer_puts(out, "a look at this machine, to which nothing is sent");
}

/* What one question is, in the words of who would meet it in a packet dump. */
static void add_question(struct buffer *out, const struct config *config,
                         const struct probe_plan *plan, const struct target *target)
{
    const char *text = plan->target;
    switch ((enum target_kind)target->kind) {
    case TARGET_ICMP:
        buffer_printf(out, "%u ICMP echo request%s", plan->count, plan->count == 1 ? "" : "s");
        return;
    case TARGET_TCP:
        buffer_printf(out,
                      "a TCP connection to port %u, closed at once, and a ping if it is refused",
                      target->port);
        return;
    case TARGET_TLS:
        buffer_printf(out, "a TLS handshake at port %u", target->port);
        return;
    case TARGET_SMTP:
        buffer_printf(out, "EHLO and QUIT by SMTP at port %u", target->port);
        return;
    case TARGET_DNS:
        buffer_printf(out, "a DNS question for %.*s of %.*s%s", target->type.n,
                      text + target->type.at, target->name.n, text + target->name.at,
                      target->is_tcp ? " by TCP" : "");
        return;
    case TARGET_ZONE:
        buffer_puts(out, "DNS questions to the servers above it, and up to five to each address of "
                         "its own");
        return;
    case TARGET_TRACE:
        buffer_printf(out, "a traceroute%s",
                      !target->port    ? ""
                      : target->is_tcp ? " by TCP"
                                       : " by UDP");
        return;
    case TARGET_HTTP:
    case TARGET_HTTPS:
        buffer_puts(out, "GET of the page");
        return;
    case TARGET_SELF:
        add_own_check(out, config, (enum own_check)target->check);
        return;
    case TARGET_BLOCK: /* never in a plan */
    case TARGET_KIND_COUNT:
        break;
    }
}

static void add_text(struct buffer *out, const struct config *config)
{
    char interval[DURATION_TEXT_MAX], timeout[DURATION_TEXT_MAX];
    struct target target;
    size_t count;
    struct probe_plan *all = config_whole_plan(config, &count);
    for (size_t i = 0; i < count; i++) {
        const struct probe_plan *plan = &all[i];
        target_parse(plan->target, strlen(plan->target), &target, NULL);
        buffer_printf(out, "%s%s: every %s, ", plan->target,
                      plan->is_control && target.kind != TARGET_SELF ? " (control)" : "",
                      duration_format(plan->interval_ns, interval));
        add_question(out, config, plan, &target);
        buffer_printf(out, "; answer within %s\n", duration_format(plan->timeout_ns, timeout));
    }
    free(all);
}

/* All at the same pace. */
static void add_blocks(struct buffer *out, const struct config *config)
{
    const struct block_settings *settings = &config->blocks.settings;
    char round[DURATION_TEXT_MAX], timeout[DURATION_TEXT_MAX], target[BLOCK_TARGET_MAX];
    for (size_t i = 0; i < config->blocks.count; i++)
        buffer_printf(out,
                      "%s: every %s, 1 to %d ICMP echo requests, each to another address; answer "
                      "within %s\n",
                      block_plan_target(&config->blocks.plan[i], target),
                      duration_format(settings->round_ns, round), TRINOCULAR_PROBES_MAX,
                      duration_format(settings->timeout_ns, timeout));
}

static void add_blocks_json(struct buffer *out, const struct config *config)
{
    const struct block_settings *settings = &config->blocks.settings;
    char target[BLOCK_TARGET_MAX];
    for (size_t i = 0; i < config->blocks.count; i++)
        buffer_printf(
            out,
            "{\"target\":\"%s\",\"question\":\"1 to %d ICMP echo requests, each to another "
            "address\",\"control\":false,\"interval_s\":%g,\"timeout_s\":%g}\n",
            block_plan_target(&config->blocks.plan[i], target), TRINOCULAR_PROBES_MAX,
            (double)settings->round_ns / (double)NS_PER_S,
            (double)settings->timeout_ns / (double)NS_PER_S);
}

/* What whole networks may take beside all else. */
static void add_block_rate(struct buffer *out, const struct config *config)
{
    if (config->blocks.count)
        buffer_printf(out, " and up to %.3g for whole networks", config_block_rate(config));
}

static void add_json(struct buffer *out, const struct config *config)
{
    struct buffer question = {0};
    struct target target;
    size_t count;
    struct probe_plan *all = config_whole_plan(config, &count);
    for (size_t i = 0; i < count; i++) {
        const struct probe_plan *plan = &all[i];
        target_parse(plan->target, strlen(plan->target), &target, NULL);
        buffer_clear(&question);
        add_question(&question, config, plan, &target);
        buffer_puts(out, "{\"target\":");
        buffer_json(out, plan->target);
        buffer_puts(out, ",\"question\":");
        buffer_json(out, question.bytes);
        buffer_printf(out, ",\"control\":%s,\"interval_s\":%g,\"timeout_s\":%g}\n",
                      plan->is_control ? "true" : "false",
                      (double)plan->interval_ns / (double)NS_PER_S,
                      (double)plan->timeout_ns / (double)NS_PER_S);
    }
    free(all);
    buffer_done(&question);
}

/* Archives that are to be fetched. */
struct fetching {
    bool is_json;
    const char *question;
    struct buffer *out;
};

static void add_url(void *context, const char *url)
{
    const struct fetching *fetching = context;
    if (!fetching->is_json) {
        buffer_printf(fetching->out, "%s: once, if there is no copy of it here, %s\n", url,
                      fetching->question);
        return;
    }
    buffer_puts(fetching->out, "{\"url\":");
    buffer_json(fetching->out, url);
    buffer_puts(fetching->out, ",\"question\":");
    buffer_json(fetching->out, fetching->question);
    buffer_puts(fetching->out, "}\n");
}

/* Which archives there are of a span of time only its index pages can say. */
static void add_span(struct fetching *fetching, const struct config *config)
{
    struct buffer question = {0};
    struct archive_span span = config->archive_span;
    char from[UTC_TEXT_MAX], until[UTC_TEXT_MAX];
    span.now = clock_utc();
    buffer_printf(&question,
                  "GET of the list of archives, then of each that holds a part of %s to %s%s",
                  utc_format(span.from, from), utc_format(span.until, until),
                  span.with_table ? ", or the table before" : "");
    fetching->question = question.bytes;
    archive_list_pages(&span, add_url, fetching, NULL);
    buffer_done(&question);
}

static void add_archives(struct buffer *out, const struct config *config, bool is_json)
{
    struct fetching fetching = {is_json, "GET of the archive", out};
    for (size_t i = 0; i < config->archive_count; i++)
        if (path_is_url(config->archives[i]))
            add_url(&fetching, config->archives[i]);
    if (config->archive_span.collector)
        add_span(&fetching, config);
}

static void add_follow_up(struct buffer *out, const struct manners_options *manners)
{
    if (manners->follow_rate <= 0) {
        buffer_puts(out, "Nothing is asked out of turn. ");
        return;
    }
    buffer_printf(
        out,
        "What goes dark or comes back is asked again every 2 s, then ever more rarely, with its "
        "neighbours, the controls and a traceroute: %.0f of these a second at most. ",
        manners->follow_rate);
}

void config_dry_run(const struct config *config, bool is_json, struct buffer *out)
{
    struct buffer agent = {0};
    add_archives(out, config, is_json);
    if (is_json) {
        add_json(out, config);
        add_blocks_json(out, config);
        return;
    }
    add_text(out, config);
    add_blocks(out, config);
    config_user_agent(config, &agent);
    buffer_printf(out, "In all %.3g probes a second", config_rate(config));
    add_block_rate(out, config);
    buffer_printf(out,
                  ", at most %.0f, and %.0f to one /24, /48 or host name; "
                  "called %s. Never asked: %zu range%s. ",
                  config->manners.rate, config->manners.neighbour_rate, agent.bytes,
                  config->manners.excluded.count, config->manners.excluded.count == 1 ? "" : "s");
    add_follow_up(out, &config->manners);
    buffer_puts(out, "Nothing was sent.\n");
    buffer_done(&agent);
}
