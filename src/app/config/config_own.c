/* What the vantage asks itself, beside what the configuration names. */
#include "app/config/config_reading.h"

#include "base/endpoint.h"

#include <string.h>

/* Often enough that an onset of what is asked every few seconds need not wait for their word; a resolver and NTP
 * servers are other people's, and NTP servers are asked no more often than NTP itself does (MINPOLL, 2^6 s, in RFC 5905,
 * section 7.2). */
static const struct {
    const char *target;
    int64_t interval_ns, timeout_ns;
} checks[OWN_CHECK_COUNT] = {
    [OWN_CHECK_LINK] = {"self:link", 5 * NS_PER_S, NS_PER_S},
    [OWN_CHECK_GATEWAY] = {"self:gateway", 5 * NS_PER_S, NS_PER_S},
    [OWN_CHECK_RESOLVER] = {"self:resolver", 30 * NS_PER_S, 5 * NS_PER_S},
    [OWN_CHECK_CLOCK] = {"self:clock", 64 * NS_PER_S, 5 * NS_PER_S},
    [OWN_CHECK_LOOP] = {"self:loop", 30 * NS_PER_S, NS_PER_S},
};

static void read_clock(struct reading *reading, const yaml_node_t *node)
{
    struct config *config = &reading->config;
    char shown[DOCUMENT_SHOWN_MAX], prefix[PREFIX_TEXT_MAX];
    const char *text = document_scalar(node);
    struct endpoint endpoint;
    if (!text || !endpoint_parse(text, strlen(text), &endpoint) || !endpoint.host_size) {
        document_fault(
            &reading->document, node,
            "ntp: found %s; expected a host or an address, with a port where it is not 123",
            document_show(node, shown));
        return;
    }
    const struct prefix *excluded =
        endpoint.addr.family ? prefix_set_find(&config->manners.excluded, &endpoint.addr) : NULL;
    if (excluded) {
        document_fault(&reading->document, node,
                       "%s is excluded, as part of %s; expected a server that may be asked", text,
                       prefix_format(excluded, prefix));
        return;
    }
    if (config->clock_count == PROBER_CLOCKS_MAX) {
        document_fault(&reading->document, node, "ntp: more than %d servers; expected fewer",
                       PROBER_CLOCKS_MAX);
        return;
    }
    config->clocks[config->clock_count++] = config_keep(reading, text);
}

void config_read_clocks(struct reading *reading, const yaml_node_t *list)
{
    const yaml_node_t *node;
    size_t at = 0;
    if (document_scalar(list)) { /* ntp: 192.0.2.1 */
        read_clock(reading, list);
        return;
    }
    while ((node = document_next(&reading->document, list, "ntp", &at)))
        read_clock(reading, node);
}

struct probe_plan *config_whole_plan(const struct config *config, size_t *count)
{
    struct probe_plan *plan = mem_new(config->plan_count + OWN_CHECK_COUNT, sizeof *plan);
    *count = config->plan_count;
    for (size_t i = 0; i < config->plan_count; i++)
        plan[i] = config->plan[i];
    for (int i = 0; config->plan_count && i < OWN_CHECK_COUNT; i++)
        plan[(*count)++] = (struct probe_plan){.target = checks[i].target,
                                               .is_control = true,
                                               .interval_ns = checks[i].interval_ns,
                                               .timeout_ns = checks[i].timeout_ns,
                                               .count = 1};
    return plan;
}
