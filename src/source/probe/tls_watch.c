#include "source/probe/tls_watch.h"

#include "base/addr.h"
#include "base/mem.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Seconds since 1970; 0 if it is no time. */
static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) : 0;
}

static void tell_name(struct account *account, enum fact fact, const X509_NAME *name)
{
    char text[ACCOUNT_TEXT_MAX + 1] = "";
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        int n = BIO_read(bio, text, ACCOUNT_TEXT_MAX);
        text[n > 0 ? n : 0] = '\0';
    }
    BIO_free(bio);
    if (fact == FACT_CERT_CHAIN)
        account_add(account, fact, text, strlen(text));
    else
        account_text(account, fact, text, strlen(text));
}

static void tell_address(struct account *account, const ASN1_OCTET_STRING *bytes)
{
    char text[ADDR_TEXT_MAX];
    size_t n = (size_t)ASN1_STRING_length(bytes);
    struct addr addr = {.family = n == 4 ? 4 : n == 16 ? 6 : 0};
    if (addr.family)
        memcpy(addr.bytes, ASN1_STRING_get0_data(bytes), n);
    addr_format(&addr, text);
    account_add(account, FACT_CERT_NAMES, text, strlen(text));
}

static void tell_names(struct account *account, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            account_add(account, FACT_CERT_NAMES,
                        (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                        (size_t)ASN1_STRING_length(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            tell_address(account, name->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
}

static void tell_fingerprint(struct account *account, X509 *certificate)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    if (!X509_digest(certificate, EVP_sha256(), hash, &n))
        return;
    for (unsigned i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    account_text(account, FACT_CERT_SHA256, text, 2 * (size_t)n);
}

/* What the server showed, whatever is wrong with it. */
static void tell_all(struct account *account, const SSL *ssl, X509 *certificate,
                     const STACK_OF(X509) * chain)
{
    const char *version = SSL_get_version(ssl), *cipher = SSL_get_cipher_name(ssl);
    account_text(account, FACT_TLS_VERSION, version, strlen(version));
    if (cipher)
        account_text(account, FACT_TLS_CIPHER, cipher, strlen(cipher));
    tell_name(account, FACT_CERT_SUBJECT, X509_get_subject_name(certificate));
    tell_name(account, FACT_CERT_ISSUER, X509_get_issuer_name(certificate));
    tell_names(account, certificate);
    tell_fingerprint(account, certificate);
    account_number(account, FACT_CERT_NOT_BEFORE, seconds_of(X509_get0_notBefore(certificate)));
    account_number(account, FACT_CERT_NOT_AFTER, seconds_of(X509_get0_notAfter(certificate)));
    for (int i = 0; i < sk_X509_num(chain); i++)
        tell_name(account, FACT_CERT_CHAIN, X509_get_subject_name(sk_X509_value(chain, i)));
}

static void tell_fault(struct account *account, X509_STORE_CTX *verification)
{
    char text[ACCOUNT_TEXT_MAX];
    int error = X509_STORE_CTX_get_error(verification);
    int n = snprintf(text, sizeof text, "%s (certificate %d of the chain)",
                     X509_verify_cert_error_string(error),
                     X509_STORE_CTX_get_error_depth(verification) + 1);
    account_add(account, FACT_CERT_FAULTS, text, (size_t)n);
}

/* Called for each certificate of the chain, and for each fault in it, before anything is decided.
 */
static int on_verify(int is_good, X509_STORE_CTX *verification)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_watch *watch = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    X509 *shown = X509_STORE_CTX_get0_cert(verification);
    if (shown)
        watch->not_after = seconds_of(X509_get0_notAfter(shown));
    if (shown && watch->account && !watch->is_told)
        tell_all(watch->account, ssl, shown, X509_STORE_CTX_get0_untrusted(verification));
    watch->is_told = true;
    if (!is_good && watch->account)
        tell_fault(watch->account, verification);
    if (!is_good) {
        watch->has_failed = true;
        watch->is_expired |= X509_STORE_CTX_get_error(verification) == X509_V_ERR_CERT_HAS_EXPIRED;
    }
    return is_good || !watch->is_strict;
}

void tls_watch_context(struct tls_watch *watch, const struct tls_store *store, void *ssl_context,
                       bool is_strict)
{
    SSL_CTX *context = ssl_context;
    SSL_CTX_set1_cert_store(context, store->store);
    SSL_CTX_set_app_data(context, watch);
    watch->is_strict = is_strict;
    SSL_CTX_set_verify(context, is_strict ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_verify);
}
