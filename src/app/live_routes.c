#include "app/live_routes.h"

#include "app/command.h"

static void tell(void *context, const char *text)
{
    (void)context;
    command_say("%s", text);
}

/* ---- BMP: routers that connect here ---- */

static bool wants_bmp(const struct config *config)
{
    return config->bmp != NULL;
}

static enum err start_bmp(struct live_routes *live, const struct config *config, struct why *why)
{
    struct bmp_options options = {.address = config->bmp_address,
                                  .port = config->bmp_port,
                                  .collector = config->collector,
                                  .table = config->bmp_table,
                                  .watch = &config->watch,
                                  .ear = live->ear,
                                  .say = tell};
    live->bmp = bmp_listener_new(live->loop, &options, &live->sink, why);
    if (!live->bmp)
        return why->err;
    command_say("listening for BMP at %s", config->bmp);
    return ERR_OK;
}

static void stop_bmp(struct live_routes *live)
{
    bmp_listener_free(live->bmp);
    live->bmp = NULL;
}

/* ---- BGP: routers that peer with us ---- */

static bool wants_bgp(const struct config *config)
{
    return config->bgp.listen != NULL;
}

static enum err start_bgp(struct live_routes *live, const struct config *config, struct why *why)
{
    const struct bgp_config *bgp = &config->bgp;
    const uint8_t *id = bgp->id.bytes;
    struct bgp_options options = {.address = bgp->address,
                                  .port = bgp->port,
                                  .asn = bgp->asn,
                                  .id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 |
                                        (uint32_t)id[2] << 8 | id[3],
                                  .hold_s = bgp->hold_s,
                                  .collector = bgp->collector,
                                  .peers = bgp->peers,
                                  .peer_count = bgp->peer_count,
                                  .watch = &config->watch,
                                  .ear = live->ear,
                                  .say = tell};
    live->bgp = bgp_listener_new(live->loop, &options, &live->sink, why);
    if (!live->bgp)
        return why->err;
    command_say("listening for BGP at %s, as AS%u, for %zu peer%s", bgp->listen, bgp->asn,
                bgp->peer_count, bgp->peer_count == 1 ? "" : "s");
    return ERR_OK;
}

static void stop_bgp(struct live_routes *live)
{
    bgp_listener_free(live->bgp);
    live->bgp = NULL;
}

/* Without losing a session that can tell its table again. */
static void renew_bgp(struct live_routes *live)
{
    if (live->bgp)
        bgp_listener_renew(live->bgp);
}

/* ---- RIS Live: RIPE's collectors ---- */

static bool wants_ris(const struct config *config)
{
    return config->ris_live.is_wanted;
}

static enum err start_ris(struct live_routes *live, const struct config *config, struct why *why)
{
    const struct ris_live_config *ris = &config->ris_live;
    struct buffer agent = {0};
    config_user_agent(config, &agent);
    struct ris_options options = {.url = ris->url,
                                  .hosts = ris->hosts,
                                  .host_count = ris->host_count,
                                  .client = ris->client,
                                  .user_agent = agent.bytes,
                                  .watch = &config->watch,
                                  .ear = live->ear,
                                  .say = tell};
    live->ris = ris_live_new(live->loop, &options, &live->sink, why);
    buffer_done(&agent);
    if (!live->ris)
        return why->err;
    if (ris->host_count)
        command_say("listening to RIS Live at %s, to %zu collector%s",
                    ris->url ? ris->url : RIS_LIVE_URL, ris->host_count,
                    ris->host_count == 1 ? "" : "s");
    else
        command_say("listening to RIS Live at %s, to all collectors",
                    ris->url ? ris->url : RIS_LIVE_URL);
    return ERR_OK;
}

static void stop_ris(struct live_routes *live)
{
    ris_live_free(live->ris);
    live->ris = NULL;
}

static void renew_ris(struct live_routes *live)
{
    if (live->ris)
        ris_live_renew(live->ris);
}

/* ---- all of them ---- */

static const struct way {
    bool (*is_wanted)(const struct config *config);
    /* Whether two configurations that both want it want the same. */
    bool (*is_same)(const struct config *a, const struct config *b);
    enum err (*start)(struct live_routes *live, const struct config *config, struct why *why);
    void (*stop)(struct live_routes *live); /* also if it is not there */
    /* Makes everybody tell the whole anew; NULL: by a restart. */
    void (*renew)(struct live_routes *live);
} ways[] = {
    {wants_bmp, config_has_same_bmp, start_bmp, stop_bmp, NULL},
    {wants_bgp, config_has_same_bgp, start_bgp, stop_bgp, renew_bgp},
    {wants_ris, config_has_same_ris_live, start_ris, stop_ris, renew_ris},
};
enum { WAYS = sizeof ways / sizeof *ways };

bool live_routes_are_wanted(const struct config *config)
{
    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].is_wanted(config))
            return true;
    return false;
}

void live_routes_init(struct live_routes *live, struct loop *loop, const struct sink *sink,
                      const struct ear *ear)
{
    *live = (struct live_routes){.loop = loop, .sink = *sink, .ear = ear};
}

enum err live_routes_start(struct live_routes *live, const struct config *config, struct why *why)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < WAYS; i++)
        if (ways[i].is_wanted(config))
            err = ways[i].start(live, config, why);
    return err;
}

static void restart(struct live_routes *live, const struct way *way, const struct config *config)
{
    struct why why;
    way->stop(live);
    if (way->is_wanted(config) && way->start(live, config, &why))
        command_say("%s; there are no live routes from there now", why.text);
}

void live_routes_take_up(struct live_routes *live, const struct config *before,
                         const struct config *config)
{
    bool has_same_watch = config_has_same_watch(before, config);
    for (size_t i = 0; i < WAYS; i++) {
        bool was_wanted = ways[i].is_wanted(before), is_wanted = ways[i].is_wanted(config);
        bool is_same = was_wanted == is_wanted &&
                       (!is_wanted || (has_same_watch && ways[i].is_same(before, config)));
        if (!is_same)
            restart(live, &ways[i], config);
    }
}

void live_routes_renew(struct live_routes *live, const struct config *config)
{
    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].is_wanted(config) && ways[i].renew)
            ways[i].renew(live);
        else if (ways[i].is_wanted(config))
            restart(live, &ways[i], config);
}

void live_routes_stop(struct live_routes *live)
{
    for (size_t i = 0; i < WAYS; i++)
        ways[i].stop(live);
}
