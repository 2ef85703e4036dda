/* Files of the web by way of a folder of copies: what is there and cannot have changed is used without
 * asking anybody; what may have grown since is asked for again; the rest is fetched, gone on with where
 * it broke off, and tried again when there is hope. No copy is ever half a file (sys/cache_file.h).
 *
 *     struct web_cache_options options;
 *     web_cache_options_init(&options, folder);
 *     struct web_cache *cache = web_cache_new(&options);
 *     err = web_cache_get(cache, &(struct web_wish){.url = url}, &file, &why);
 *     ... read file.path ...
 *     web_cache_free(cache);
 *
 * A host that cannot be reached is given up after a few files, so that a thousand of them do not each
 * take their minute. A cache belongs to one thread, but for web_cache_stop() and web_cache_state(). */
#ifndef SOURCE_WEB_WEB_CACHE_H
#define SOURCE_WEB_WEB_CACHE_H

#include "base/err.h"
#include "sys/cache_file.h"
#include "sys/web.h"

enum {
    WEB_ATTEMPTS = 5,
    WEB_HOST_FAILURES_MAX = 3, /* files in a row, then its host is not asked any more */
    WEB_HOSTS_MAX = 64         /* whose failures are counted */
};
#define WEB_FILE_MAX (UINT64_C(4) << 30)
/* The newest archive may still grow: what its server changed so shortly before we asked is asked for
 * again the next time. */
#define WEB_SETTLED_NS NS_PER_HOUR
/* A Last-Modified that was so old when the server sent it is of one version of the file, however its clocks
 * may go (RFC 7232, 2.2.2). */
#define WEB_STRONG_DATE_NS NS_PER_MINUTE

struct web_cache_options {
    const char *folder;
    const char *agent;   /* NULL: name and version */
    const char *ca_file; /* NULL: the system's certificates */
    int attempts;        /* at one file */
    int64_t backoff_ns;  /* before the second attempt; doubled before each that follows */
    int64_t backoff_max_ns;
    int64_t retry_after_max_ns; /* a server may ask us to wait so long, and we do */
    int64_t connect_ns;
    int64_t stall_ns;
    uint64_t size_max;
};

void web_cache_options_init(struct web_cache_options *options, const char *folder);

/* What is wanted. */
struct web_wish {
    const char *url;
    /* A page that is made anew all the time, but says nothing new from this moment on: a copy that was
     * asked for later than that stays. 0: the server's Last-Modified says. */
    struct utc final_at;
    uint64_t size_max; /* 0: that of the options */
};

struct web_file {
    char path[CACHE_PATH_MAX];
    uint64_t size;
    /* The server could not be asked whether this copy is still what it has; `why` says. */
    bool is_old;
};

struct web_cache;
struct web_cache *web_cache_new(const struct web_cache_options *options);
void web_cache_free(struct web_cache *cache); /* NULL is fine */

/* ERR_NOT_FOUND: the server has no such file. ERR_FULL or ERR_DENIED: the folder cannot be written, and
 * what is asked for next will fail likewise. ERR_CLOSED: stopped. Any other: it could not be fetched. */
enum err web_cache_get(struct web_cache *cache, const struct web_wish *wish, struct web_file *out,
                       struct why *why);

/* From any thread. */
void web_cache_stop(struct web_cache *cache);
struct web_state {
    uint64_t done, size; /* bytes of the file under way; size 0: not known */
    int attempt;         /* from 1; 0: none under way */
    bool is_waiting;     /* before the next attempt */
};
struct web_state web_cache_state(const struct web_cache *cache);
/* Requests that were sent, for tests and counters. */
uint64_t web_cache_requests(const struct web_cache *cache);

#endif
