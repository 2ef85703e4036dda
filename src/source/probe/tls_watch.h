/* The TLS side of web probes: one store of trusted certificates for all, and a look at what each
 * server showed, also where it was not good enough. OpenSSL behind libcurl. */
#ifndef SOURCE_PROBE_TLS_WATCH_H
#define SOURCE_PROBE_TLS_WATCH_H

#include "source/probe/account.h"

#include <stdbool.h>
#include <stdint.h>

struct tls_store;

/* The system's certificates (or those that SSL_CERT_FILE and SSL_CERT_DIR name). */
struct tls_store *tls_store_new(void);
void tls_store_free(struct tls_store *store);

/* What one handshake showed. Must outlive the connection. */
struct tls_watch {
    int64_t not_after; /* of the server's own certificate, seconds since 1970; 0: none was shown */
    bool has_failed;   /* the chain was not accepted */
    bool is_expired;   /* ... since a certificate in it has expired */
    struct account
        *account; /* gets versions, names, chain and what is wrong with it; may be NULL */
    bool is_told;
    bool is_strict;
};

/* Makes a context (an SSL_CTX, as CURLOPT_SSL_CTX_FUNCTION gives it) use the store and report to
 * `watch`. is_strict: a chain with faults ends the handshake; else they are told, all of them. */
void tls_watch_context(struct tls_watch *watch, const struct tls_store *store, void *ssl_context,
                       bool is_strict);

#endif
