#include "source/probe/tls_watch.h"

#include "base/mem.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

struct tls_store {
    X509_STORE *store;
};

struct tls_store *tls_store_new(void)
{
    struct tls_store *store = mem_new(1, sizeof *store);
    store->store = X509_STORE_new();
    assert(store->store);
    X509_STORE_set_default_paths(store->store);
    return store;
}

void tls_store_free(struct tls_store *store)
{
    if (!store)
        return;
    X509_STORE_free(store->store);
    free(store);
}

static int64_t not_after_of(const X509 *certificate)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm))
        return 0;
    return (int64_t)timegm(&tm);
}

/* Called for each certificate of the chain, and for each fault in it, before anything is decided.
 */
static int on_verify(int is_good, X509_STORE_CTX *verification)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_watch *watch = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    X509 *shown = X509_STORE_CTX_get0_cert(verification);
    if (shown)
        watch->not_after = not_after_of(shown);
    if (!is_good) {
        watch->has_failed = true;
        watch->is_expired |= X509_STORE_CTX_get_error(verification) == X509_V_ERR_CERT_HAS_EXPIRED;
    }
    return is_good;
}

void tls_watch_context(struct tls_watch *watch, const struct tls_store *store, void *ssl_context)
{
    SSL_CTX *context = ssl_context;
    SSL_CTX_set1_cert_store(context, store->store);
    SSL_CTX_set_app_data(context, watch);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
}
