/* What would be sent, to whom and how often, for --dry-run: nothing is looked up or asked. */
#include "app/config.h"

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
        buffer_puts(out, "a traceroute");
        return;
    case TARGET_HTTP:
    case TARGET_HTTPS:
        buffer_puts(out, "GET of the page");
        return;
    case TARGET_SELF:
        add_own_check(out, config, (enum own_check)target->check);
        return;
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

void config_dry_run(const struct config *config, bool is_json, struct buffer *out)
{
    struct buffer agent = {0};
    if (is_json) {
        add_json(out, config);
        return;
    }
    add_text(out, config);
    config_user_agent(config, &agent);
    buffer_printf(
        out,
        "In all %.3g probes a second, at most %.0f, and %.0f to one /24, /48 or host name; "
        "called %s. Never asked: %zu range%s. Nothing was sent.\n",
        config_rate(config), config->manners.rate, config->manners.neighbour_rate, agent.bytes,
        config->manners.excluded.count, config->manners.excluded.count == 1 ? "" : "s");
    buffer_done(&agent);
}
