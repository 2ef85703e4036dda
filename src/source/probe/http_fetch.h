/* One fetch: what libcurl is told, what it reports on the way, and what that comes to. http.c
 * drives it. */
#ifndef SOURCE_PROBE_HTTP_FETCH_H
#define SOURCE_PROBE_HTTP_FETCH_H

#include "base/buffer.h"
#include "source/probe/account.h"
#include "source/probe/judge.h"
#include "source/probe/page_text.h"
#include "source/probe/tls_watch.h"
#include "sys/resolver.h"

#include <curl/curl.h>
#include <stddef.h>

struct fetch {
    CURL *easy; /* once prepared */
    const struct target *target;
    const char *text;
    int expect_status;
    char *expect_text;       /* owned; NULL: nothing in particular */
    struct account *account; /* NULL: nobody wants one */
    int64_t before_ns;       /* that had passed before the transfer, since the question was asked */
    const struct tls_store *store;
    struct stopwatch watch;
    struct tls_watch tls;
    struct curl_slist *addresses; /* CURLOPT_RESOLVE */
    struct addr tried;            /* the last address that a connection was begun to */
    struct net_icmp_fault fault;  /* what ICMP said of it */
    bool has_fault;
    bool is_shaking;  /* connected, and the handshake has begun */
    bool is_ready;    /* connected, and the handshake is over */
    bool has_headers; /* the head of the reply is complete */
    bool has_retry_after;
    bool is_enough;    /* we ended the body ourselves */
    bool is_oversized; /* the head never ended */
    long status;       /* of the head that is coming, or has come; 0: none */
    size_t header_bytes, body_bytes;
    struct buffer body;    /* the first HTTP_BODY_MAX bytes, if it must contain a text */
    struct page_text page; /* of a body that has begun, where there is an account */
};

/* Prepares a transfer of the target. `result` NULL: the target names an address. */
void fetch_prepare(struct fetch *fetch, CURL *easy, const char *user_agent,
                   const struct lookup_result *result);

/* Tells the account what a finished transfer showed. */
void fetch_tell(struct fetch *fetch, CURL *easy, CURLcode code);
/* Where a finished transfer redirects to, as a whole URL; NULL if it does not. */
const char *fetch_location(CURL *easy);

void fetch_done(struct fetch *fetch);

/* What a finished transfer came to; of a time-out, OUTCOME_TIMEOUT: whether we were late the caller
 * knows. */
struct answer fetch_judge(const struct fetch *fetch, CURL *easy, CURLcode code);

#endif
