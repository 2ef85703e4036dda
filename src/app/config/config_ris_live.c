/* RIS Live: which of RIPE's collectors are listened to, and how they are asked. */
#include "app/config/config_reading.h"

#include "source/bgp/ris_live_message.h"
#include "source/http_stream.h"

#include <string.h>

static void read_url(struct reading *reading, const yaml_node_t *node)
{
    const char *text;
    if (!document_text(&reading->document, node, "the URL of RIS Live", CONFIG_PATH_LONGEST, &text))
        return;
    const char *fault = http_stream_fault(text);
    if (fault)
        document_fault(&reading->document, node,
                       "url: found '%.80s', but %s; expected " RIS_LIVE_URL " or one like it", text,
                       fault);
    else
        reading->config.ris_live.url = config_keep(reading, text);
}

static void read_client(struct reading *reading, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    if (text && ris_live_is_client(text))
        reading->config.ris_live.client = config_keep(reading, text);
    else
        document_fault(&reading->document, node,
                       "client: found %s; expected a name of letters, digits, '-', '.' and '_', by "
                       "which those who run the service know us",
                       document_show(node, shown));
}

static void read_host(struct reading *reading, const yaml_node_t *node)
{
    struct ris_live_config *ris = &reading->config.ris_live;
    char shown[DOCUMENT_SHOWN_MAX], host[RIS_HOST_MAX + 1];
    const char *text = document_scalar(node);
    if (!text || !ris_host(text, strlen(text), host)) {
        document_fault(&reading->document, node,
                       "hosts: found %s; expected the name of a collector, such as rrc00",
                       document_show(node, shown));
        return;
    }
    if (!config_is_new(reading, node, NAME_COLLECTOR, host, "collector"))
        return;
    if (ris->host_count == RIS_HOSTS_MAX) {
        document_fault(&reading->document, node,
                       "more than %d hosts; expected fewer, or none at all for all that there are",
                       RIS_HOSTS_MAX);
        return;
    }
    ris->hosts = mem_grow(ris->hosts, &ris->host_capacity, ris->host_count + 1, sizeof *ris->hosts);
    ris->hosts[ris->host_count++] = config_keep(reading, host);
}

static void read_hosts(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *host;
    size_t at = 0;
    while ((host = document_next(&reading->document, node, "hosts", &at)))
        read_host(reading, host);
    if (at == 0)
        document_fault(&reading->document, node,
                       "hosts: the list is empty; expected at least one, or no list for all");
}

void config_read_ris_live(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *url = NULL, *hosts = NULL, *client = NULL;
    const struct field fields[] = {{"url", &url}, {"hosts", &hosts}, {"client", &client}};
    const char *word = document_scalar(node);
    char shown[DOCUMENT_SHOWN_MAX];
    if (word && strcmp(word, "no") == 0)
        return;
    reading->config.ris_live.is_wanted = true;
    if (word && strcmp(word, "yes") == 0)
        return;
    if (!document_is_mapping(node)) {
        document_fault(&reading->document, node,
                       "ris_live: found %s; expected yes, no, or {hosts: [rrc00]}",
                       document_show(node, shown));
        return;
    }
    if (!document_fields(&reading->document, node, "ris_live", fields, 3))
        return;
    if (url)
        read_url(reading, url);
    if (client)
        read_client(reading, client);
    if (hosts)
        read_hosts(reading, hosts);
}

/* Whether a collector of that name is among those that are listened to, as far as names are known. */
static bool has_host(const struct ris_live_config *ris, const char *name)
{
    for (size_t i = 0; name && i < ris->host_count; i++)
        if (strcmp(ris->hosts[i], name) == 0)
            return true;
    return false;
}

/* Two sources of one collector would each call the other's peers lost. */
void config_check_ris_live(struct reading *reading, const yaml_node_t *node)
{
    const struct config *config = &reading->config;
    const char *twin = config->bmp && has_host(&config->ris_live, config->collector) ? "bmp"
                       : has_host(&config->ris_live, config->bgp.collector)          ? "bgp"
                                                                                     : NULL;
    if (twin)
        document_fault(
            &reading->document, node,
            "%s and ris_live have a collector of the same name; expected two names: each "
            "is in a gap when its own routers are away",
            twin);
}

/* The vantage's name tells those who run the service who it is. */
void config_fill_in_ris_live(struct reading *reading)
{
    struct config *config = &reading->config;
    if (!config->ris_live.is_wanted || config->ris_live.client)
        return;
    const char *name = arena_printf(&config->arena, "lastlight-%s", config->vantage);
    config->ris_live.client = ris_live_is_client(name) ? name : "lastlight";
}

bool config_has_same_ris_live(const struct config *a, const struct config *b)
{
    const struct ris_live_config *x = &a->ris_live, *y = &b->ris_live;
    if (!config_is_same_text(x->url, y->url) || !config_is_same_text(x->client, y->client) ||
        x->host_count != y->host_count)
        return false;
    for (size_t i = 0; i < x->host_count; i++)
        if (strcmp(x->hosts[i], y->hosts[i]) != 0)
            return false;
    return true;
}
