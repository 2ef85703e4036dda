#include "app/asking.h"

#include "base/mem.h"
#include "sys/folder.h"
#include "sys/privileges.h"

#include <signal.h>
#include <stdlib.h>

struct asking {
    struct loop *loop;
    struct loop_timer *timer;
    struct registry *registry;
    struct buffer user_agent;
    struct manners_options manners;
    struct prober *prober;
    size_t left; /* answers of this round */
    bool is_stopped;
    void (*take)(void *context, const struct observation *result);
    void *context;
};

static void on_result(void *context, const struct observation *result)
{
    struct asking *asking = context;
    asking->take(asking->context, result);
    if (--asking->left == 0)
        loop_stop(asking->loop);
}

static void on_interrupt(void *context)
{
    asking_stop(context);
}

static void on_timer(void *context)
{
    struct asking *asking = context;
    loop_stop(asking->loop);
}

static void set_manners(struct asking *asking, const struct config *config)
{
    static const struct prefix everywhere[] = {{.addr = {.family = 4}}, {.addr = {.family = 6}}};
    asking->manners.excluded = config->manners.excluded;
    for (size_t i = 0; i < 2; i++)
        prefix_set_add(&asking->manners.allowed, &everywhere[i]);
    prefix_set_seal(&asking->manners.allowed);
}

struct asking *asking_new(const struct asking_options *options, bool wants_ping)
{
    struct asking *asking = mem_new(1, sizeof *asking);
    struct probe_sockets sockets;
    struct why why;
    probe_sockets_open(&sockets);
    if (privileges_drop(&why))
        command_say("%s", why.text);
    asking->loop = loop_new();
    asking->registry = registry_new();
    asking->timer = loop_timer_new(asking->loop, on_timer, asking);
    loop_signal_new(asking->loop, SIGINT, on_interrupt, asking);
    config_user_agent(options->config, &asking->user_agent);
    set_manners(asking, options->config);
    struct prober_options prober = {.vantage = "here",
                                    .at_once = true,
                                    .user_agent = asking->user_agent.bytes,
                                    .manners = &asking->manners,
                                    .origins = options->origins,
                                    .sockets = &sockets,
                                    .tell = options->tell,
                                    .tell_context = options->context};
    const struct sink sink = {asking->registry, on_result, asking};
    asking->prober = prober_new(asking->loop, &prober, &sink, &why);
    prober_set_clocks(asking->prober, options->config->clocks, options->config->clock_count);
    if (why.err && wants_ping)
        command_say("%s", why.text);
    return asking;
}

void asking_free(struct asking *asking)
{
    if (!asking)
        return;
    prober_free(asking->prober);
    loop_free(asking->loop);
    registry_free(asking->registry);
    buffer_done(&asking->user_agent);
    prefix_set_done(&asking->manners.allowed);
    free(asking);
}

struct registry *asking_registry(const struct asking *asking)
{
    return asking->registry;
}

/* New targets of a plan are asked at once. */
enum err asking_round(struct asking *asking, const struct probe_plan *plan, size_t count,
                      void (*take)(void *context, const struct observation *result), void *context,
                      struct why *why)
{
    asking->left = count;
    asking->take = take;
    asking->context = context;
    enum err err = prober_set_plan(asking->prober, plan, count, why);
    if (!err && count && !asking->is_stopped)
        loop_run(asking->loop);
    prober_set_plan(asking->prober, NULL, 0, NULL);
    return err;
}

void asking_pause(struct asking *asking, int64_t pause_ns)
{
    if (asking->is_stopped)
        return;
    loop_timer_start(asking->timer, pause_ns, 0);
    loop_run(asking->loop);
}

void asking_stop(struct asking *asking)
{
    asking->is_stopped = true;
    loop_stop(asking->loop);
}

bool asking_is_stopped(const struct asking *asking)
{
    return asking->is_stopped;
}

int asking_config(const struct options *options, struct config *out)
{
    const char *path = options_get(options, OPTION_CONFIG);
    *out = (struct config){0};
    if (!path && !file_is_there(COMMAND_CONFIG_FILE))
        return EXIT_DONE;
    return command_config(path ? path : COMMAND_CONFIG_FILE, out);
}
