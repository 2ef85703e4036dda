/* source/origins/asn_db: of which AS an address is, by a database made here; and what is no such database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/origins/asn_db.h"
#include "mmdb_maker.h"

#include <stdio.h>
#include <unistd.h>

static char path[64];

static void write_file(const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static struct buffer make(bool of_asns)
{
    static struct mmdb_maker maker;
    struct buffer bytes = {0};
    memset(&maker, 0, sizeof maker);
    if (of_asns) {
        mmdb_add_asn(&maker, "192.0.2.0/24", 64500);
        mmdb_add_asn(&maker, "198.51.100.0/25", 4200000000);
        mmdb_add_asn(&maker, "2001:db8::/32", 64501);
    } else {
        mmdb_add(&maker, "192.0.2.0/24", "country", "KP");
    }
    mmdb_finish(&maker, of_asns ? "Test-ASN" : "Test-Country", &bytes);
    return bytes;
}

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, strlen(text), &addr));
    return addr;
}

static void addresses_have_an_as(void **state)
{
    (void)state;
    static const struct {
        const char *addr;
        uint32_t asn;
    } cases[] = {{"192.0.2.1", 64500},  {"192.0.2.255", 64500}, {"198.51.100.7", 4200000000},
                 {"198.51.100.200", 0}, {"203.0.113.1", 0},     {"2001:db8::9", 64501},
                 {"2001:db9::", 0}};
    struct buffer bytes = make(true);
    struct asn_db *db;
    struct why why;
    write_file(bytes.bytes, bytes.size);
    assert_int_equal(asn_db_open(path, &db, &why), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr addr = addr_of(cases[i].addr);
        assert_int_equal(asn_db_find(db, &addr), cases[i].asn);
    }
    asn_db_free(db);
    buffer_done(&bytes);
}

static void refuse(const char *says)
{
    struct asn_db *db = NULL;
    struct why why;
    assert_int_equal(asn_db_open(path, &db, &why), ERR_INPUT);
    assert_null(db);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, says));
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct buffer bytes = make(false);
    write_file(bytes.bytes, bytes.size);
    refuse("(Test-Country) does not say AS numbers");
    write_file("hello", 5);
    refuse("is no MaxMind database");
    assert_int_equal(unlink(path), 0);
    refuse("is no MaxMind database");
    buffer_done(&bytes);
}

/* Cut or changed anywhere it is refused, or gives some number. */
static void damage_is_survived(void **state)
{
    (void)state;
    static const char *const addresses[] = {"192.0.2.1", "198.51.100.7", "2001:db8::1"};
    struct buffer bytes = make(true);
    size_t refused = 0;
    for (size_t i = 0; i < 2 * bytes.size; i++) {
        struct asn_db *db = NULL;
        struct why why;
        bool is_cut = i < bytes.size;
        size_t at = i % bytes.size;
        bytes.bytes[at] = (char)(is_cut ? bytes.bytes[at] : ~bytes.bytes[at]);
        write_file(bytes.bytes, is_cut ? at : bytes.size);
        bytes.bytes[at] = (char)(is_cut ? bytes.bytes[at] : ~bytes.bytes[at]);
        refused += asn_db_open(path, &db, &why) != ERR_OK;
        for (size_t k = 0; db && k < 3; k++) {
            struct addr addr = addr_of(addresses[k]);
            asn_db_find(db, &addr);
        }
        asn_db_free(db);
    }
    assert_true(refused >= bytes.size); /* all that were cut */
    buffer_done(&bytes);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/test-asn-db-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(addresses_have_an_as, tear_down),
        cmocka_unit_test_teardown(other_files_are_refused, tear_down),
        cmocka_unit_test_teardown(damage_is_survived, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
