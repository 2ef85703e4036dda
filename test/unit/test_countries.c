/* source/origins/countries, and below it spans, delegated and geo: what the registries' files and
 * databases say, how they can be damaged, and who wins where they disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "source/origins/countries.h"
#include "source/origins/delegated.h"
#include "source/origins/geo.h"
#include "mmdb_maker.h"
#include "text_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- spans ---- */

static struct country country_from(const char *code)
{
    struct country country;
    assert_true(country_read(code, 2, &country));
    return country;
}

/* One country for each number, by painting one span after the other. */
static void spans_by_painting(void **state)
{
    (void)state;
    enum { WORLD = 400 };
    static const char *const codes[] = {"AA", "BB", "CC"};
    size_t conflicts = 0, gaps = 0;
    for (uint64_t first = 1; first <= 500; first++) {
        uint64_t seed = first << 32;
        const char *painted[WORLD] = {0};
        struct spans spans = {0};
        for (uint64_t i = 0; i < first % 30; i++) {
            uint64_t x = hash_mix(++seed), from = x % WORLD, n = (x >> 16) % 60;
            const char *code = codes[(x >> 32) % 3];
            uint64_t to = from + n < WORLD ? from + n : WORLD - 1;
            assert_true(spans_add(&spans, from, to, country_from(code)));
            for (uint64_t k = from; k <= to; k++)
                painted[k] = code;
        }
        conflicts += spans_seal(&spans);
        for (uint64_t k = 0; k < WORLD; k++) {
            uint64_t last = k, wanted = k;
            struct country found = spans_find(&spans, k, &last);
            while (painted[k] && wanted + 1 < WORLD && painted[wanted + 1] == painted[k])
                wanted++;
            if (strcmp(found.code, painted[k] ? painted[k] : "") != 0 || last != wanted)
                print_error("seed %u, number %u\n", (unsigned)first, (unsigned)k);
            assert_string_equal(found.code, painted[k] ? painted[k] : "");
            assert_int_equal(last, wanted);
            gaps += !painted[k];
        }
        spans_done(&spans);
    }
    assert_true(conflicts > 1000 && gaps > 1000); /* else it was no trial */
}

static void spans_to_the_last_number(void **state)
{
    (void)state;
    struct spans spans = {0};
    uint64_t last = 0;
    spans_add(&spans, 0, UINT64_MAX, country_from("AA"));
    spans_add(&spans, UINT64_MAX, UINT64_MAX, country_from("BB"));
    assert_int_equal(spans_seal(&spans), 1);
    assert_string_equal(spans_find(&spans, UINT64_MAX, NULL).code, "BB");
    assert_string_equal(spans_find(&spans, UINT64_MAX - 1, &last).code, "AA");
    assert_int_equal(last, UINT64_MAX - 1);
    assert_string_equal(spans_find(&spans, 0, NULL).code, "AA");
    spans_done(&spans);
    assert_int_equal(spans_seal(&spans), 0);
    assert_string_equal(spans_find(&spans, 0, NULL).code, "");
}

/* ---- one file, from memory ---- */

struct reading {
    enum err err;
    struct why why;
    struct told told;
    struct delegations found;
};

static void read_text(struct reading *reading, const char *bytes)
{
    struct text text;
    memset(reading, 0, sizeof *reading);
    told_begin(&reading->told);
    text_of_bytes(&text, "file", bytes, strlen(bytes), &reading->told.faults);
    reading->err = delegated_read(&text, &reading->found, &reading->why);
    text_close(&text);
}

static void end(struct reading *reading)
{
    spans_done(&reading->found.asns);
    spans_done(&reading->found.ipv4);
    spans_done(&reading->found.ipv6);
    told_end(&reading->told);
}

static void lines(void **state)
{
    (void)state;
    /* a line; how many records it is and adds, and what is said of it */
    static const struct {
        const char *line;
        int records, added;
        const char *fault;
    } cases[] = {
        {"apnic|KP|asn|131279|1|20091221|allocated|A91A7381", 1, 1, NULL},
        {"ripencc|KP|ipv4|175.45.176.0|1024|20091221|allocated", 1, 1, NULL},
        {"ripencc|kp|ipv4|175.45.176.0|1024||assigned|x|e-stats", 1, 1, NULL},
        {"arin|US|ipv6|2600::|16|20050601|allocated|x\r", 1, 1, NULL},
        {"lacnic|BR|ipv4|200.0.0.0|768|19940101|assigned", 1, 1, NULL},
        {"afrinic|ZA|asn|0|4294967296|19940101|assigned", 1, 1, NULL},
        {"iana|EU|ipv4|0.0.0.0|4294967296|19940101|assigned", 1, 1, NULL},
        {"ripencc|DE|ipv6|::|0|19940101|assigned", 1, 1, NULL},
        {"ripencc|DE|ipv6|2001:db8:0:ffff::|64|19940101|assigned", 1, 1, NULL},
        {"apnic||ipv4|1.0.0.0|256||available|", 1, 0, NULL},
        {"apnic|ZZ|ipv4|1.0.0.0|256||reserved", 1, 0, NULL},
        {"apnic|ZZ|ipv4|1.0.0.0|256||allocated", 1, 0, NULL},
        {"apnic|*|ipv4|*|12345|summary", 0, 0, NULL},
        {"2|apnic|20241125|86419|19830613|20241124|+1000", 0, 0, NULL},
        {"2.3|nro|20241125|86419|19830613|20241124|+0000", 0, 0, NULL},
        {"# a comment", 0, 0, NULL},
        {"", 0, 0, NULL},
        {"apnic|KP|asn|131279|1|20091221", 1, 0, "\"\" is no status: fields are missing"},
        {"apnic", 1, 0, "\"\" is no status: fields are missing"},
        {"|||||||", 1, 0, "\"\" is no status: fields are missing"},
        {"apnic|KP|asn|AS131279|1|20091221|allocated", 1, 0, "\"AS131279\" is no AS number"},
        {"apnic|KP|asn|4294967296|1|20091221|allocated", 1, 0, "\"4294967296\" is no AS number"},
        {"apnic|KP|asn|4294967295|2|20091221|allocated", 1, 0, "\"2\" are more than there are"},
        {"apnic|KP|asn|1|0|20091221|allocated", 1, 0, "\"0\" is no number of them"},
        {"apnic|KP|asn|1||20091221|allocated", 1, 0, "\"\" is no number of them"},
        {"apnic|KP|ipv4|175.45.176|1024|20091221|allocated", 1, 0,
         "\"175.45.176\" is no IPv4 address"},
        {"apnic|KP|ipv4||1024|20091221|allocated", 1, 0, "\"\" is no IPv4 address"},
        {"apnic|KP|ipv4|2001:db8::|1024|20091221|allocated", 1, 0,
         "\"2001:db8::\" is no IPv4 address"},
        {"apnic|KP|ipv4|255.255.255.0|257|20091221|allocated", 1, 0,
         "\"257\" are more than there are"},
        {"apnic|KP|ipv4|10.0.0.0|18446744073709551616|20091221|allocated", 1, 0,
         "\"18446744073709551616\" is no number of them"},
        {"apnic|KP|ipv4|10.0.0.0|-1|20091221|allocated", 1, 0, "\"-1\" is no number of them"},
        {"apnic|KP|ipv6|10.0.0.0|32|20091221|allocated", 1, 0, "\"10.0.0.0\" is no IPv6 address"},
        {"apnic|KP|ipv6|2001:db8::|65|20091221|allocated", 1, 0,
         "\"65\" is no length of a prefix from 0 to 64"},
        {"apnic|KP|ipv6|2001:db8:1::|32|20091221|allocated", 1, 0,
         "\"32\" is too short for the address before it"},
        {"apnic|K1|asn|1|1|20091221|allocated", 1, 0, "\"K1\" is no country"},
        {"apnic||asn|1|1|20091221|allocated", 1, 0, "\"\" is no country"},
        {"apnic|KPX|asn|1|1|20091221|allocated", 1, 0, "\"KPX\" is no country"},
        {"apnic|\x1b[|asn|1|1|20091221|allocated", 1, 0, "\"?[\" is no country"},
        {"apnic|KP|ipv5|1|1|20091221|allocated", 1, 0, "\"ipv5\" is none of asn, ipv4 and ipv6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        char text[300], wanted[200] = "";
        snprintf(text, sizeof text, "# first\n\n2|x|1|1|1|1|+0\n%s\nx|SE|asn|7|1|1|assigned\n",
                 cases[i].line);
        read_text(&reading, text);
        if (cases[i].fault)
            snprintf(wanted, sizeof wanted, "file:4: %s\n", cases[i].fault);
        assert_int_equal(reading.err, ERR_OK);
        assert_string_equal(reading.told.lines.bytes, wanted);
        assert_int_equal(reading.told.faults.records, cases[i].records + 1);
        assert_int_equal(reading.told.faults.bad, cases[i].fault ? 1 : 0);
        assert_int_equal(reading.found.asns.count + reading.found.ipv4.count +
                             reading.found.ipv6.count,
                         cases[i].added + 1);
        end(&reading);
    }
}

static void foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *why;
    } cases[] = {
        {"<!DOCTYPE html>\n", ERR_INPUT, "file:1: this is no registry's delegated file"},
        {"#\napnic|KP|asn|1|1|1|allocated\n2|apnic\n", ERR_INPUT, "file:2: this is no registry's"},
        {"3|apnic|1\n", ERR_VERSION, "file:1: a registry's file is of a version that is not known"},
        {"2|apnic|1\n\n20|apnic|1\n", ERR_VERSION, "file:3: a registry's file is of a version"},
        {"2.|apnic|1\n", ERR_VERSION, "file:1: a registry's file is of a version"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_text(&reading, cases[i].text);
        assert_int_equal(reading.err, cases[i].err);
        if (strncmp(reading.why.text, cases[i].why, strlen(cases[i].why)) != 0)
            assert_string_equal(reading.why.text, cases[i].why);
        end(&reading);
    }
}

/* ---- files ---- */

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { FILES_MAX = 4 };
struct files {
    char paths[FILES_MAX][40];
    const char *list[FILES_MAX];
    size_t count;
};

static void add_file(struct files *files, const void *bytes, size_t n)
{
    char *path = files->paths[files->count];
    strcpy(path, "/tmp/lastlight-country-XXXXXX");
    text_write(path, bytes, n);
    files->list[files->count++] = path;
}

static void add_text(struct files *files, const char *text)
{
    add_file(files, text, strlen(text));
}

static void add_database(struct files *files, const char *member, const char *const pairs[][2],
                         size_t count)
{
    static struct mmdb_maker maker;
    struct buffer bytes = {0};
    memset(&maker, 0, sizeof maker);
    for (size_t i = 0; i < count; i++)
        mmdb_add(&maker, pairs[i][0], member, pairs[i][1]);
    mmdb_finish(&maker, "Test-Country", &bytes);
    add_file(files, bytes.bytes, bytes.size);
    buffer_done(&bytes);
}

static struct countries *load(const struct files *files, struct why *why)
{
    struct stream_faults faults = {0};
    return countries_load(files->list, files->count, &faults, why);
}

static void remove_files(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        assert_int_equal(unlink(files->list[i]), 0);
    files->count = 0;
}

static void check_prefix(const struct countries *countries, const char *text, const char *code)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    struct country found = countries_of_prefix(countries, &prefix);
    if (strcmp(found.code, code) != 0)
        print_error("%s\n", text);
    assert_string_equal(found.code, code);
}

static void check_addr(const struct countries *countries, const char *text, const char *code)
{
    struct addr addr;
    assert_true(addr_parse(text, strlen(text), &addr));
    assert_string_equal(countries_of_addr(countries, &addr).code, code);
}

static const char ripe[] = "2|ripencc|20241125|4|19830705|20241125|+0100\n"
                           "ripencc|*|ipv4|*|3|summary\n"
                           "ripencc|DE|asn|3320|1|19930101|allocated|a\n"
                           "ripencc|FR|asn|3321|10|19930101|allocated|a\n"
                           "ripencc|DE|ipv4|10.0.0.0|768|19930101|allocated|a\n"
                           "ripencc|DE|ipv4|10.0.3.0|256|19930101|assigned|b\n"
                           "ripencc|FR|ipv4|10.0.4.0|1024|19930101|allocated|a\n"
                           "ripencc|FR|ipv6|2001:db8::|32|19930101|allocated|a\n";

static void registries(void **state)
{
    (void)state;
    struct files files = {0};
    struct why why;
    add_text(&files, ripe);
    struct countries *countries = load(&files, &why);
    assert_non_null(countries);
    assert_string_equal(countries_of_asn(countries, 3320).code, "DE");
    assert_string_equal(countries_of_asn(countries, 3330).code, "FR");
    assert_string_equal(countries_of_asn(countries, 3331).code, "");
    assert_string_equal(countries_of_asn(countries, 0).code, "");
    check_addr(countries, "10.0.2.255", "DE"); /* 768 addresses are no prefix */
    check_addr(countries, "10.0.7.255", "FR");
    check_addr(countries, "10.0.8.0", "");
    check_addr(countries, "9.255.255.255", "");
    check_addr(countries, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "FR");
    check_addr(countries, "2001:db9::", "");
    check_prefix(countries, "10.0.0.0/22", "DE"); /* two delegations side by side */
    check_prefix(countries, "10.0.2.0/23", "DE");
    check_prefix(countries, "10.0.4.0/22", "FR");
    check_prefix(countries, "10.0.0.0/21", ""); /* two countries */
    check_prefix(countries, "10.0.0.0/8", "");  /* and nobody's */
    check_prefix(countries, "0.0.0.0/0", "");
    check_prefix(countries, "::/0", "");
    check_prefix(countries, "2001:db8:1::/48", "FR");
    check_prefix(countries, "2001:db8::1/128", "FR");
    check_prefix(countries, "2001:db8::/31", "");
    assert_int_equal(countries_conflicts(countries), 0);
    countries_free(countries);
    remove_files(&files);
}

/* Whatever their order, the last one that speaks of a number wins, and the same comes out each
 * time. */
static void registries_disagree(void **state)
{
    (void)state;
    static const char other[] = "2|arin|20241125|4|19830705|20241125|+0100\n"
                                "arin|US|ipv4|10.0.1.0|512|19930101|allocated|a\n"
                                "arin||ipv4|10.0.4.0|256||available|\n"
                                "arin|US|asn|3320|1|19930101|allocated|a\n";
    for (int turn = 0; turn < 3; turn++) {
        struct files files = {0};
        struct why why;
        if (turn == 2) { /* both in one file */
            char both[sizeof ripe + sizeof other];
            snprintf(both, sizeof both, "%s%s", ripe, other);
            add_text(&files, both);
        } else {
            add_text(&files, turn ? other : ripe);
            add_text(&files, turn ? ripe : other);
        }
        struct countries *countries = load(&files, &why);
        assert_non_null(countries);
        check_addr(countries, "10.0.0.255", "DE");
        check_addr(countries, "10.0.1.0", turn == 1 ? "DE" : "US");
        check_addr(countries, "10.0.2.255", turn == 1 ? "DE" : "US");
        check_addr(countries, "10.0.3.0", "DE");
        check_addr(countries, "10.0.4.0", "FR"); /* "available" takes nothing away */
        check_prefix(countries, "10.0.0.0/22", turn == 1 ? "DE" : "");
        assert_string_equal(countries_of_asn(countries, 3320).code, turn == 1 ? "DE" : "US");
        assert_int_equal(countries_conflicts(countries), 2);
        countries_free(countries);
        remove_files(&files);
    }
}

static const char *const places[][2] = {
    {"10.0.0.0/23", "US"}, {"10.0.2.0/24", "DE"}, {"10.0.3.0/24", "US"}, {"2001:db8::/32", "JP"}};

static void databases(void **state)
{
    (void)state;
    struct files files = {0};
    struct why why;
    add_database(&files, "country", places, 4);
    struct countries *countries = load(&files, &why);
    assert_non_null(countries);
    check_addr(countries, "10.0.0.0", "US");
    check_addr(countries, "10.0.2.255", "DE");
    check_addr(countries, "10.0.4.0", "");
    check_addr(countries, "2001:db8::1", "JP");
    check_addr(countries, "2001:db9::", "");
    check_prefix(countries, "10.0.0.0/24", "US");
    check_prefix(countries, "10.0.2.0/23", ""); /* its ends are of two */
    check_prefix(countries, "10.0.0.0/22",
                 "US"); /* its ends are of one: what lies between is not asked */
    check_prefix(countries, "10.0.0.0/8", "");
    check_prefix(countries, "::/0", "");
    assert_string_equal(countries_of_asn(countries, 3320).code, "");
    countries_free(countries);
    /* A registry says what the database does not; another database is asked first if it comes
     * later. */
    static const char *const more[][2] = {{"10.0.1.0/24", "KP"}};
    add_text(&files, ripe);
    add_database(&files, "registered_country", more, 1);
    countries = load(&files, &why);
    assert_non_null(countries);
    check_addr(countries, "10.0.0.0", "US");
    check_addr(countries, "10.0.1.0", "KP");
    check_addr(countries, "10.0.4.0", "FR");
    assert_string_equal(countries_of_asn(countries, 3320).code, "DE");
    countries_free(countries);
    remove_files(&files);
}

static void refused(void **state)
{
    (void)state;
    static const char *const asn[][2] = {{"10.0.0.0/24", "DE"}};
    struct why why;
    struct files files = {0};
    add_text(&files, ripe);
    add_database(&files, "autonomous_system", asn, 1);
    assert_null(load(&files, &why));
    assert_non_null(strstr(why.text, "this database (Test-Country) does not say countries"));
    remove_files(&files);
    add_file(&files, "\0\0\0\0", 4);
    assert_null(load(&files, &why));
    assert_non_null(strstr(why.text, "is neither a registry's delegated file nor a MaxMind"));
    remove_files(&files);
    add_text(&files, "2|apnic|1\napnic|*|asn|*|1|summary\n");
    assert_null(load(&files, &why));
    assert_non_null(strstr(why.text, "holds no delegation that can be used"));
    remove_files(&files);
    add_text(&files, "");
    assert_null(load(&files, &why));
    remove_files(&files);
    files = (struct files){.list = {"/tmp/lastlight-is-not-there"}, .count = 1};
    assert_null(load(&files, &why));
    assert_int_equal(why.err, ERR_NOT_FOUND);
    countries_free(NULL);
}

/* 1: refused; 2: it answers with a country; 0: with none. */
static int try_database(const uint8_t *bytes, size_t n)
{
    static const struct addr addrs[] = {{{10, 0, 2}, 4}, {{0x20, 0x01, 0x0d, 0xb8}, 6}};
    struct files files = {0};
    struct geo *geo = NULL;
    struct why why;
    int result = 1;
    add_file(&files, bytes, n);
    if (!geo_open(files.list[0], &geo, &why))
        result = geo_find(geo, &addrs[0], NULL).code[0] && geo_find(geo, &addrs[1], NULL).code[0]
                     ? 2
                     : 0;
    geo_free(geo);
    remove_files(&files);
    return result;
}

/* A database that was cut or changed anywhere is refused, or answers with letters or nothing. */
static void damaged_databases(void **state)
{
    (void)state;
    static struct mmdb_maker maker;
    struct buffer bytes = {0};
    size_t results[3] = {0};
    for (size_t i = 0; i < 4; i++)
        mmdb_add(&maker, places[i][0], "country", places[i][1]);
    mmdb_finish(&maker, "Test-Country", &bytes);
    uint8_t *copy = (uint8_t *)bytes.bytes;
    for (size_t n = 0; n < bytes.size; n++)
        results[try_database(copy, n)]++;
    assert_int_equal(results[1], bytes.size);
    for (size_t i = 0; i < bytes.size; i++) {
        copy[i] ^= 0xff;
        results[try_database(copy, bytes.size)]++;
        copy[i] ^= 0xff;
    }
    print_message("refused %zu, no answer %zu, an answer %zu of %zu\n", results[1] - bytes.size,
                  results[0], results[2], bytes.size);
    assert_true(results[1] > bytes.size && results[0] && results[2]);
    buffer_done(&bytes);
}

static void list_asn(void *context, uint32_t asn)
{
    buffer_printf(context, "%u ", (unsigned)asn);
}

static void list_prefix(void *context, const struct prefix *prefix)
{
    char text[PREFIX_TEXT_MAX];
    buffer_printf(context, "%s ", prefix_format(prefix, text));
}

/* What a country has, in the fewest prefixes: those that adjoin are one, whatever their order. */
static void what_a_country_has(void **state)
{
    (void)state;
    static const char text[] = "2|test|20241125|9|19830705|20241125|+0100\n"
                               "test|KP|asn|10|3|19930101|allocated\n"
                               "test|FR|asn|12|1|19930101|allocated\n"
                               "test|KP|ipv4|10.0.3.0|1280|19930101|allocated\n"
                               "test|KP|ipv4|10.0.1.0|512|19930101|allocated\n"
                               "test|FR|ipv4|10.0.8.0|256|19930101|allocated\n"
                               "test|KP|ipv4|255.255.255.0|256|19930101|allocated\n"
                               "test|KP|ipv4|0.0.0.0|512|19930101|allocated\n"
                               "test|KP|ipv6|2001:db8::|33|19930101|allocated\n"
                               "test|KP|ipv6|2001:db8:8000::|33|19930101|allocated\n"
                               "test|ES|ipv4|64.0.0.0|1073741824|19930101|allocated\n";
    struct files files = {0};
    struct why why;
    struct buffer list = {0};
    add_text(&files, text);
    struct countries *countries = load(&files, &why);
    countries_each(countries, country_from("KP"), list_asn, list_prefix, &list);
    assert_string_equal(list.bytes, "10 11 0.0.0.0/23 10.0.1.0/24 10.0.2.0/23 10.0.4.0/22 "
                                    "255.255.255.0/24 2001:db8::/32 ");
    buffer_clear(&list);
    countries_each(countries, country_from("ES"), list_asn, list_prefix, &list);
    assert_string_equal(list.bytes, "64.0.0.0/2 ");
    buffer_done(&list);
    countries_free(countries);
    remove_files(&files);
}

/* ---- networks ---- */

struct list {
    uint32_t networks[16];
    size_t count;
};

static void take_network(void *context, uint32_t network)
{
    struct list *list = context;
    assert_true(list->count < 16);
    list->networks[list->count++] = network;
}

static void check_networks(const struct files *files, const char *code,
                           const unsigned (*expected)[3], size_t count)
{
    struct why why;
    struct country country;
    struct list list = {.count = 0};
    struct countries *countries = load(files, &why);
    assert_non_null(countries);
    assert_true(country_read(code, 2, &country));
    countries_networks(countries, country, take_network, &list);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list.networks[i],
                         expected[i][0] << 24 | expected[i][1] << 16 | expected[i][2] << 8);
    countries_free(countries);
}

/* Whole ones only: of the halves of 10.0.9.0 one is another's, and those of 10.0.8.0 are side by side. */
static void networks_of_a_country(void **state)
{
    (void)state;
    static const unsigned french[][3] = {{10, 0, 4}, {10, 0, 5}, {10, 0, 6},
                                         {10, 0, 7}, {10, 0, 8}, {10, 1, 1}};
    static const unsigned placed[][3] = {{10, 0, 5}, {10, 0, 6}, {10, 0, 7}, {10, 0, 8},
                                         {10, 1, 1}, {10, 9, 0}, {10, 9, 1}};
    static const char *const pairs[][2] = {{"10.0.4.0/24", "DE"}, {"10.9.0.0/23", "FR"}};
    struct files files = {0};
    add_text(&files, ripe);
    add_text(&files, "2|ripencc|20241125|4|19830705|20241125|+0100\n"
                     "ripencc|FR|ipv4|10.0.8.128|128|19930101|allocated|a\n"
                     "ripencc|FR|ipv4|10.0.8.0|128|19930101|allocated|a\n"
                     "ripencc|FR|ipv4|10.0.9.0|128|19930101|allocated|a\n"
                     "ripencc|DE|ipv4|10.0.9.128|128|19930101|allocated|a\n"
                     "ripencc|FR|ipv4|10.1.0.128|512|19930101|allocated|a\n");
    check_networks(&files, "FR", french, COUNT(french));
    check_networks(&files, "US", NULL, 0);
    add_database(&files, "country", pairs, 2); /* is asked before the registries */
    check_networks(&files, "FR", placed, COUNT(placed));
    remove_files(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_by_painting),
        cmocka_unit_test(spans_to_the_last_number),
        cmocka_unit_test(lines),
        cmocka_unit_test(foreign_files),
        cmocka_unit_test(registries),
        cmocka_unit_test(networks_of_a_country),
        cmocka_unit_test(registries_disagree),
        cmocka_unit_test(what_a_country_has),
        cmocka_unit_test(databases),
        cmocka_unit_test(refused),
        cmocka_unit_test(damaged_databases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
