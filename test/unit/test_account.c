/* Accounts of probes, and what of them is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/probe/account.h"
#include "source/probe/fact_memory.h"

#include <stdio.h>
#include <string.h>

static void assert_json(const struct account *account, enum fact fact, const char *expected)
{
    struct buffer out = {0};
    account_fact_json(account, fact, &out);
    assert_string_equal(out.bytes, expected);
    buffer_done(&out);
}

static void assert_plain(const struct account *account, enum fact fact, const char *expected)
{
    struct buffer out = {0};
    account_fact_plain(account, fact, &out);
    assert_string_equal(out.bytes, expected);
    buffer_done(&out);
}

static void test_forms(void **state)
{
    (void)state;
    struct account *account = account_new(false);
    assert_false(account_has(account, FACT_HTTP_SERVER));
    account_text(account, FACT_HTTP_SERVER, "apache", 6);
    account_text(account, FACT_HTTP_SERVER, "nginx \"1\"\x1b[2J", 13);
    account_add(account, FACT_CERT_NAMES, "kcna.kp", 7);
    account_add(account, FACT_CERT_NAMES, "www.kcna.kp\0.example", 20);
    account_number(account, FACT_BODY_BYTES, 1234);
    account_number(account, FACT_CERT_NOT_AFTER, 1643148000);
    account_number(account, FACT_IS_STARTTLS, 1);
    assert_true(account_has(account, FACT_HTTP_SERVER));
    assert_json(account, FACT_HTTP_SERVER, "\"nginx \\\"1\\\"\\u001b[2J\"");
    assert_plain(account, FACT_HTTP_SERVER, "nginx \"1\" [2J");
    assert_json(account, FACT_CERT_NAMES, "[\"kcna.kp\",\"www.kcna.kp\"]");
    assert_plain(account, FACT_CERT_NAMES, "kcna.kp, www.kcna.kp");
    assert_json(account, FACT_BODY_BYTES, "1234");
    assert_json(account, FACT_CERT_NOT_AFTER, "\"2022-01-25T22:00:00Z\"");
    assert_json(account, FACT_IS_STARTTLS, "true");
    assert_plain(account, FACT_IS_STARTTLS, "yes");
    account_free(account);
}

/* A server may say what it likes, as long as it likes. */
static void test_caps(void **state)
{
    (void)state;
    struct account *account = account_new(true);
    char *flood = test_calloc(1, 100000);
    struct buffer out = {0};
    memset(flood, 'x', 99999);
    account_text(account, FACT_BANNER, flood, 99999);
    account_fact_plain(account, FACT_BANNER, &out);
    assert_int_equal(out.size, ACCOUNT_TEXT_MAX);
    for (int i = 0; i < 1000; i++)
        account_add(account, FACT_ANSWERS, "a", 1);
    buffer_clear(&out);
    account_fact_json(account, FACT_ANSWERS, &out);
    assert_int_equal(out.size, 2 + ACCOUNT_LIST_MAX * 4 - 1);
    for (int i = 0; i < 1000; i++)
        account_say(account, i, "%s", flood);
    assert_in_range(strlen(account_steps(account)), ACCOUNT_STEPS_MAX, ACCOUNT_STEPS_MAX + 1000);
    assert_non_null(strstr(account_steps(account), "which is left out"));
    account_number(account, FACT_CERT_NOT_AFTER, INT64_MAX); /* no year that could be written */
    account_fact_json(account, FACT_CERT_NOT_AFTER, &out);
    buffer_done(&out);
    test_free(flood);
    account_free(account);
}

static void test_steps(void **state)
{
    (void)state;
    struct account *account = account_new(true);
    account_say(account, 1234567, "< 220 mx\r\n%s", "ready");
    account_reached(account, STAGE_CONNECT, 1200000);
    assert_string_equal(account_steps(account), "     1.235 ms  < 220 mx  ready\n");
    assert_int_equal(account_reached_ns(account, STAGE_CONNECT), 1200000);
    assert_int_equal(account_reached_ns(account, STAGE_TLS), 0);
    account_free(account);
    account = account_new(false);
    account_say(account, 1, "unwanted");
    assert_string_equal(account_steps(account), "");
    account_free(account);
    account_say(NULL, 1, "nobody listens");
    account_text(NULL, FACT_BANNER, "x", 1);
    account_add(NULL, FACT_ANSWERS, "x", 1);
    account_number(NULL, FACT_BODY_BYTES, 1);
    account_reached(NULL, STAGE_CONNECT, 1);
    assert_false(account_has(NULL, FACT_BANNER));
}

static struct buffer kept;

static const char *keep(struct fact_memory *memory, const char *server, const char *hash,
                        int64_t at)
{
    struct account *account = account_new(false);
    if (server)
        account_text(account, FACT_HTTP_SERVER, server, strlen(server));
    if (hash)
        account_text(account, FACT_BODY_SHA256, hash, strlen(hash));
    account_number(account, FACT_BODY_BYTES, at); /* told, never kept */
    buffer_clear(&kept);
    fact_memory_keep(memory, account, (struct mono){at}, &kept);
    account_free(account);
    return kept.size ? kept.bytes : "";
}

static void test_kept(void **state)
{
    (void)state;
    struct fact_memory memory;
    fact_memory_init(&memory, (struct mono){0});
    assert_string_equal(keep(&memory, NULL, NULL, 1), "");
    assert_string_equal(keep(&memory, "nginx", NULL, 2), "{\"facts\":{\"http_server\":\"nginx\"}}");
    assert_string_equal(keep(&memory, "nginx", "00", 3),
                        "{\"facts\":{\"http_server\":\"nginx\",\"body_sha256\":\"00\"}}");
    assert_string_equal(keep(&memory, NULL, NULL, 4), "");
    assert_string_equal(keep(&memory, "nginx", NULL, 5), "{\"facts\":{\"http_server\":\"nginx\"}}");
    buffer_done(&kept);
}

/* What changes each time is left out after a while, alone, and comes back when it is quiet. */
static void test_restless(void **state)
{
    (void)state;
    static const char steady[] = "{\"facts\":{\"http_server\":\"nginx\"}}";
    struct fact_memory memory;
    char hash[20];
    int with = 0;
    fact_memory_init(&memory, (struct mono){0});
    for (int i = 0; i < 1000; i++) {
        snprintf(hash, sizeof hash, "%d", i);
        with += strcmp(keep(&memory, "nginx", hash, i), steady) != 0;
    }
    assert_int_equal(with, FACT_CHANGES);
    assert_string_equal(keep(&memory, "nginx", "999", FACT_REFILL_NS - 1), steady);
    assert_string_equal(keep(&memory, "nginx", "999", FACT_REFILL_NS),
                        "{\"facts\":{\"http_server\":\"nginx\",\"body_sha256\":\"999\"}}");
    assert_string_equal(keep(&memory, "nginx", "1000", FACT_REFILL_NS), steady);
    /* However long it was quiet, there are no more than so many changes at once. */
    with = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(hash, sizeof hash, "%d", i);
        with += strcmp(keep(&memory, "nginx", hash, 1000 * FACT_REFILL_NS), steady) != 0;
    }
    assert_int_equal(with, FACT_CHANGES - 1);
    buffer_done(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms), cmocka_unit_test(test_caps),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_kept),  cmocka_unit_test(test_restless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
