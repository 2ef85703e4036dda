/* sys/web, by way of source/web/web_cache: whatever a server answers, and who it is. */
#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_redirects(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/moved.gz", .location = "/there.gz"},
                               {.path = "/there.gz", .bytes = trial_bytes, .size = TRIAL_SIZE},
                               {.path = "/loop.gz", .location = "/loop.gz"},
                               {.path = "/file.gz", .location = "file:///etc/passwd"},
                               {.path = "/nowhere.gz", .location = "/missing.gz"}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/moved.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_has(trial.file.path, "/moved.gz");
    trial_check_requests(&trial, 2);
    assert_int_equal(trial_get(&trial, "/loop.gz"), ERR_IO);
    assert_has(trial.why.text, "/loop.gz: it is redirected on and on; check the address");
    trial_check_requests(&trial, 2 + WEB_REDIRECTS_MAX + 1);
    assert_int_equal(trial_get(&trial, "/file.gz"), ERR_IO);
    assert_has(trial.why.text, "it leads to something that is not http or https");
    assert_int_equal(trial_get(&trial, "/nowhere.gz"), ERR_NOT_FOUND);
    trial_end(&trial);
}

static void test_endless(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/body", .bytes = "", .is_endless = true, .etag = "\"1\""},
        {.path = "/head", .bytes = "", .has_endless_head = true},
        {.path = "/large", .bytes = trial_bytes, .size = TRIAL_SIZE, .etag = "\"1\""}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/body", web_server_port(trial.server));
    struct web_wish wish = {.url = url, .size_max = 100000};
    assert_int_equal(web_cache_get(trial.cache, &wish, &trial.file, &trial.why), ERR_LIMIT);
    assert_has(trial.why.text, "/body: larger than the 100000 bytes that are taken");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/large", web_server_port(trial.server));
    assert_int_equal(web_cache_get(trial.cache, &wish, &trial.file, &trial.why), ERR_LIMIT);
    assert_int_equal(trial_get(&trial, "/head"), ERR_IO);
    assert_has(trial.why.text, "/head: the head of the reply does not end");
    trial_check_requests(&trial, 3);
    assert_int_equal(trial_count_files(""), 0); /* and they take no room */
    trial_end(&trial);
}

/* libcurl's own, but for one call that fails, as it does when memory runs out. */
static int failing_call; /* the how manieth from now; 0: none */

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
    static CURLMcode (*real)(CURLM * multi, int *running);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_perform");
    return failing_call && --failing_call == 0 ? CURLM_OUT_OF_MEMORY : real(multi, running);
}

/* What broke off for a reason of our own is not taken for all. */
static void test_own_failure(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE, .has_no_length = true}};
    for (int i = 1; i < 4; i++) {
        struct trial trial;
        trial_begin(&trial, pages, COUNT(pages));
        failing_call = i;
        assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
        trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
        assert_int_equal(web_cache_requests(trial.cache), 2);
        trial_end(&trial);
        trial_clean(NULL);
    }
}

/* What comes back in a question must not break its lines. */
static void test_odd_tag(void **state)
{
    (void)state;
    char young[64];
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\rX-Odd: 1\"",
                                .modified = trial_date(60, young)}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    for (int i = 0; i < 2; i++)
        assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_requests(&trial, 2);
    assert_string_equal(trial_seen(&trial, 1).if_none_match, "");
    assert_string_equal(trial_seen(&trial, 1).if_modified, young);
    trial_end(&trial);
}

/* What is packed in the file stays packed; what the server packs on the way is not the file. */
static void test_encodings(void **state)
{
    (void)state;
    static const char page[] = "<html>Please log in</html>";
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fields = "Content-Encoding: gzip\r\n"},
                               {.path = "/x.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fields = "Content-Encoding: x-gzip\r\n"},
                               {.path = "/a.bz2",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fields = "Content-Encoding: gzip\r\n"},
                               {.path = "/b.gz", .bytes = page, .size = sizeof page - 1},
                               {.path = "/b.xz", .bytes = page, .size = sizeof page - 1},
                               {.path = "/a.zst", .bytes = "\x28\xb5\x2f\xfd\x24", .size = 5},
                               {.path = "/a.xz",
                                .bytes = "\xfd\x37\x7a\x58\x5a\0",
                                .size = 6,
                                .fields = "Content-Encoding: xz\r\n"}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_int_equal(trial_get(&trial, "/x.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_int_equal(trial_get(&trial, "/a.bz2"), ERR_IO);
    assert_has(trial.why.text, "/a.bz2: the server sends it packed once more (gzip)");
    assert_int_equal(trial_get(&trial, "/b.gz"), ERR_IO);
    assert_has(trial.why.text, "/b.gz: what the server sends is no archive");
    assert_int_equal(trial_get(&trial, "/b.xz"), ERR_IO);
    assert_int_equal(trial_get(&trial, "/a.zst"), ERR_OK);
    assert_int_equal(trial_get(&trial, "/a.xz"), ERR_OK);
    trial_check_requests(&trial, 7);
    assert_int_equal(trial_count_files(".part"), 0);
    trial_end(&trial);
}

/* TLS: a certificate that nobody vouches for is refused. */

static SSL_CTX *tls_context(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"a test", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, name, -1);
    X509_EXTENSION_free(name);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    FILE *pem = fopen("ca.pem", "w");
    assert_non_null(pem);
    assert_int_equal(PEM_write_X509(pem, certificate), 1);
    fclose(pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

static void test_certificates(void **state)
{
    (void)state;
    SSL_CTX *context = tls_context();
    struct web_page pages[] = {{.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE},
                               {.path = "/down.gz", .location = "http://127.0.0.1/a.gz"}};
    struct web_server *server = web_server_start(pages, COUNT(pages), context);
    struct web_cache_options options;
    struct web_file out;
    struct why why;
    char url[128];
    web_cache_options_init(&options, "cache");
    options.attempts = 2;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/a.gz", web_server_port(server));
    struct web_wish wish = {.url = url};
    struct web_cache *cache = web_cache_new(&options);
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_IO);
    assert_has(why.text, "certificate");
    assert_int_equal(web_cache_requests(cache), 1);
    web_cache_free(cache);
    options.ca_file = "ca.pem";
    cache = web_cache_new(&options);
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_OK);
    assert_int_equal(out.size, TRIAL_SIZE);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down.gz", web_server_port(server));
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_IO);
    assert_has(why.text, "it leads to something that is not");
    web_cache_free(cache);
    web_server_stop(server);
    SSL_CTX_free(context);
    unlink("ca.pem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_redirects, trial_clean),
        cmocka_unit_test_teardown(test_endless, trial_clean),
        cmocka_unit_test_teardown(test_own_failure, trial_clean),
        cmocka_unit_test_teardown(test_odd_tag, trial_clean),
        cmocka_unit_test_teardown(test_encodings, trial_clean),
        cmocka_unit_test_teardown(test_certificates, trial_clean),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
