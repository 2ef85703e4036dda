/* One request over HTTP or HTTPS (RFC 9110), and what came of it; blocking, for a thread that may wait.
 * Certificates are verified. Bytes are handed on as they are in the file: nothing is asked for in a
 * Content-Encoding, and nothing is unpacked. What to do about a failure is for the caller to say; this
 * only sorts them: some pass when they are tried again, some do not.
 *
 *     struct web_client *client = web_client_new(&options);
 *     struct web_ask ask = {.url = url, .body = keep, .context = file};
 *     web_client_get(client, &ask, &answer);
 *     if (answer.end == WEB_AGAIN && web_client_wait(client, NS_PER_S)) ...
 *
 * A client keeps its connections for the next request. It belongs to one thread, but for
 * web_client_stop(). */
#ifndef SYS_WEB_H
#define SYS_WEB_H

#include "base/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEB_TAG_MAX = 256,
    WEB_DATE_MAX = 64,
    WEB_REDIRECTS_MAX = 5,
    WEB_HEAD_MAX = 64 * 1024 /* bytes of all heads of one request */
};

/* All must be set. */
struct web_options {
    const char *agent;   /* what we are called */
    int64_t connect_ns;  /* to connect, with the TLS handshake, at most */
    int64_t stall_ns;    /* given up if hardly a byte comes in so long */
    const char *ca_file; /* certificates to trust beside those of the system; NULL: none */
};

/* The head of the final reply. */
struct web_head {
    int status;                  /* 0: none came */
    bool is_part;                /* 206: from `offset` on */
    uint64_t offset;             /* of its first byte in the file */
    int64_t size;                /* of the whole file; -1: not said */
    char etag[WEB_TAG_MAX];      /* with its quotes; "" if none, or too long */
    char modified[WEB_DATE_MAX]; /* Last-Modified; "" if none */
    struct utc date;             /* when the server sent it, by its own clock; 0: not said */
    char encoding[32];           /* Content-Encoding; "" if none */
};

struct web_ask {
    const char *url;
    uint64_t offset;      /* of the first byte that is wanted */
    const char *if_range; /* RFC 9110, 13.1.5: the whole, if it is no longer this; NULL: none */
    const char *if_none_match; /* 13.1.2: only if it is no longer this ETag; NULL */
    const char *if_modified;   /* 13.1.3: only if it was changed since; NULL */
    uint64_t body_max;         /* bytes; 0: no limit */
    /* Called before the first byte of a 200 or 206, and of an empty one at its end; may be NULL. If it
     * returns false, the transfer ends with WEB_OURS. */
    bool (*head)(void *context, const struct web_head *head);
    bool (*body)(void *context, const void *bytes, size_t n); /* the same */
    void *context;
};

enum web_end {
    WEB_DONE,      /* all of a 200 or 206 came */
    WEB_UNCHANGED, /* 304 */
    WEB_ABSENT,    /* 404, 410 */
    WEB_NO_RANGE,  /* 416, or not the part that was asked for: the whole must be asked for */
    WEB_AGAIN,     /* not reached, broken off, stalled, too busy: may pass */
    WEB_REFUSED,   /* any other reply, or one that must not be followed or trusted: will not pass */
    WEB_TOO_LARGE, /* than body_max */
    WEB_OURS,      /* head() or body() gave up */
    WEB_STOPPED    /* web_client_stop() */
};

struct web_answer {
    enum web_end end;
    struct web_head head;
    int64_t retry_after_ns; /* that the server asks for; 0: does not say */
    char what[256];         /* what happened, to follow "URL: "; "" if WEB_DONE */
};

struct web_client;
struct web_client *web_client_new(const struct web_options *options);
void web_client_free(struct web_client *client); /* NULL is fine */

void web_client_get(struct web_client *client, const struct web_ask *ask,
                    struct web_answer *answer);

/* Waits; false if it was stopped. */
bool web_client_wait(struct web_client *client, int64_t ns);

/* From any thread: what is running ends soon, and nothing is begun any more. */
void web_client_stop(struct web_client *client);
bool web_client_is_stopped(const struct web_client *client);

/* Seconds of a date as Last-Modified has it (RFC 9110, 5.6.7); unknown if it is none. */
struct utc web_date(const char *text);

#endif
