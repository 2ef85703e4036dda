#include "app/rpki_source.h"

#include "app/command.h"
#include "base/endpoint.h"
#include "base/mem.h"
#include "source/origins/rtr_client.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rpki_source {
    struct rpki *file;
    /* The loop does not run any more once there is a table: it stays as it came. */
    struct loop *loop;
    struct rtr_client *client;
    struct utc heard; /* when the client had its table */
};

/* While there is no table, whoever waits wants to know why. */
static void hear(void *context, const char *text)
{
    const struct rpki_source *source = context;
    if (!rpki_vrps(rtr_client_rpki(source->client)))
        command_say("%s", text);
}

static void changed(void *context)
{
    struct rpki_source *source = context;
    if (!rpki_vrps(rtr_client_rpki(source->client)))
        return;
    source->heard = clock_utc();
    loop_stop(source->loop);
}

static void give_up(void *context)
{
    struct rpki_source *source = context;
    loop_stop(source->loop);
}

static enum err ask(struct rpki_source *source, const char *text, struct why *why)
{
    char host[256];
    struct endpoint at;
    if (!endpoint_parse(text, strlen(text), &at) || !at.host_size || at.host_size >= sizeof host)
        return why_set(why, ERR_USAGE,
                       "--rpki: '%.60s' is no validator; expected rtr:HOST, rtr:HOST:PORT or "
                       "rtr:[ADDRESS]:PORT",
                       text);
    struct rtr_options options = {
        .host = host, .port = at.port, .say = hear, .changed = changed, .context = source};
    snprintf(host, sizeof host, "%.*s", (int)at.host_size, at.host);
    source->loop = loop_new();
    source->client = rtr_client_new(source->loop, &options);
    struct loop_timer *patience = loop_timer_new(source->loop, give_up, source);
    loop_timer_start(patience, RPKI_PATIENCE_NS, 0);
    loop_run(source->loop);
    loop_timer_free(patience);
    if (rpki_vrps(rtr_client_rpki(source->client)))
        return ERR_OK;
    return why_set(why, ERR_IO, "--rpki: no table came from %s within %d s", text,
                   (int)(RPKI_PATIENCE_NS / NS_PER_S));
}

struct rpki_source *rpki_source_open(const char *text, struct stream_faults *faults,
                                     struct why *why)
{
    struct rpki_source *source = mem_new(1, sizeof *source);
    bool is_live = strncmp(text, RPKI_RTR, strlen(RPKI_RTR)) == 0;
    enum err err = ERR_OK;
    if (is_live) {
        err = ask(source, text + strlen(RPKI_RTR), why);
    } else {
        source->file = rpki_load(text, faults, why);
        err = source->file ? ERR_OK : why->err;
    }
    if (!err)
        return source;
    rpki_source_close(source);
    return NULL;
}

void rpki_source_close(struct rpki_source *source)
{
    if (!source)
        return;
    rtr_client_free(source->client);
    if (source->loop)
        loop_free(source->loop);
    rpki_free(source->file);
    free(source);
}

const struct rpki *rpki_source_rpki(const struct rpki_source *source)
{
    return source->client ? rtr_client_rpki(source->client) : source->file;
}

struct utc rpki_source_made(const struct rpki_source *source)
{
    return source->client ? source->heard : rpki_made(source->file);
}
