/* Asking targets here and now, for commands that are no daemon.
 *
 *     asking_new(options, &tell, &asking, &status)
 *     while (asking_round(asking, plan, count, take, context)) ...
 *     asking_free(asking);
 *
 * Whom not to ask and what we are called is what the configuration says (-c, or lastlight.yaml in the
 * current folder, if there is one). What may be asked is for who sits here to say: names may lead to
 * private addresses, too. */
#ifndef APP_ASKING_H
#define APP_ASKING_H

#include "app/command.h"
#include "source/probe/prober.h"

struct asking;

struct asking_options {
    const struct config *config; /* may be empty, but for its times */
    /* As in struct prober_options. */
    void (*tell)(void *context, const struct observation *result, const struct account *account);
    void *context;
    struct origin_finder origins;
};

/* Tells why hosts cannot be pinged, if `wants_ping`. */
struct asking *asking_new(const struct asking_options *options, bool wants_ping);
void asking_free(struct asking *asking);
struct registry *asking_registry(const struct asking *asking);

/* Asks every target of the plan once, all at the same time, and waits for the answers; take() is called
 * with each. Targets are there once. ERR_OK, also if it was interrupted. */
enum err asking_round(struct asking *asking, const struct probe_plan *plan, size_t count,
                      void (*take)(void *context, const struct observation *result), void *context,
                      struct why *why);
void asking_pause(struct asking *asking, int64_t pause_ns);
void asking_stop(struct asking *asking); /* from within take() or tell() */
/* By asking_stop() or an interrupt (SIGINT). */
bool asking_is_stopped(const struct asking *asking);

/* The configuration that -c names or that lies in the current folder; empty if there is none. The exit
 * status, after faults were told. */
int asking_config(const struct options *options, struct config *out);

#endif
