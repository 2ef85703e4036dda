/* HTTP and HTTPS by libcurl, and the handshake alone for tls targets. Every probe is fresh: its own
 * look-up, connection and handshake; nothing is cached, no proxy of the environment is used, and a
 * redirect is an answer and not followed, unless the question says so. At most
 * HTTP_BODY_MAX bytes of the page are taken, and kept until its end if it must contain a text; a
 * page that is longer and has the text only beyond them counts as one without it. HTTP_CONCURRENT
 * probes go on at once: more wait, HTTP_QUEUE_MAX at most. */
#ifndef SOURCE_PROBE_HTTP_H
#define SOURCE_PROBE_HTTP_H

#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "source/probe/reset_watch.h"
#include "source/probe/tls_watch.h"
#include "sys/resolver.h"

enum {
    HTTP_CONCURRENT = 256,
    HTTP_QUEUE_MAX = 4096,
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_HEADER_MAX = 64 * 1024,
};

struct http_engine;

/* The store is not owned. */
struct http_engine *http_new(struct agenda *agenda, struct resolver *resolver,
                             const struct tls_store *store, struct reset_watch *resets,
                             const char *user_agent);
void http_free(struct http_engine *engine);
void http_ask(struct http_engine *engine, const struct question *question);

struct http_counters {
    uint64_t queued;  /* had to wait for others */
    uint64_t refused; /* the queue was full: answered with SELF */
};
struct http_counters http_counters(const struct http_engine *engine);

#endif
