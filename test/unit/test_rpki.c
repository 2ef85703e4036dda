/* source/origins/rpki: the files of every validator, and all the ways in which they can be
 * damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "source/origins/rpki.h"
#include "source/origins/rpki_read.h"
#include "text_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a reading left behind. */
struct reading {
    enum err err;
    struct why why;
    struct told told;
    struct vrps *vrps; /* sealed */
    struct utc made;
};

static void read_bytes(struct reading *reading, const char *bytes, size_t n)
{
    struct text text;
    *reading = (struct reading){.vrps = vrps_new()};
    told_begin(&reading->told);
    text_of_bytes(&text, "file", bytes, n, &reading->told.faults);
    reading->err = rpki_read(&text, reading->vrps, &reading->made, &reading->why);
    text_close(&text);
    vrps_seal(reading->vrps);
}

static void end(struct reading *reading)
{
    vrps_free(reading->vrps);
    told_end(&reading->told);
}

static enum rpki_state ask(const struct reading *reading, const char *text, uint32_t origin)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    return vrps_validate(reading->vrps, &prefix, origin);
}

/* Each says the same three things. */
static const char *const forms[] = {
    /* rpki-client */
    "{\n\t\"metadata\": {\n\t\t\"buildmachine\": \"host\",\n\t\t\"buildtime\": "
    "\"2024-11-25T10:00:00Z\",\n"
    "\t\t\"elapsedtime\": \"812\",\n\t\t\"vrps\": 3\n\t},\n\n\t\"roas\": [\n"
    "\t\t{ \"asn\": 64500, \"prefix\": \"192.0.2.0/24\", \"maxLength\": 25, \"ta\": \"apnic\", "
    "\"expires\": 1 },\n"
    "\t\t{ \"asn\": 64501, \"prefix\": \"198.51.100.0/24\", \"maxLength\": 24, \"ta\": \"ripe\", "
    "\"expires\": 1 },\n"
    "\t\t{ \"asn\": 64500, \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"ta\": \"ripe\", "
    "\"expires\": 1 }\n"
    "\t],\n\n\t\"bgpsec_keys\": [\n\t\t{ \"asn\": 1, \"ski\": \"00\", \"pubkey\": \"AA==\" "
    "}\n\t],\n"
    "\t\"aspas\": [ { \"customer_asid\": 1, \"expires\": 1, \"providers\": [ 2, 3 ] } ]\n}\n",
    /* Routinator, json */
    "{\n  \"metadata\": {\n    \"generated\": 1732528800,\n    \"generatedTime\": "
    "\"2024-11-25T10:00:00Z\"\n  },\n"
    "  \"roas\": [\n    { \"asn\": \"AS64500\", \"prefix\": \"192.0.2.0/24\", \"maxLength\": 25, "
    "\"ta\": \"apnic\" },\n"
    "    { \"asn\": \"AS64501\", \"prefix\": \"198.51.100.0/24\", \"maxLength\": 24, \"ta\": "
    "\"ripe\" },\n"
    "    { \"asn\": \"AS64500\", \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"ta\": "
    "\"ripe\" }\n  ]\n}",
    /* Routinator, jsonext: with lists and objects in an entry */
    "{\"metadata\":{\"generated\":1732528800},\"roas\":["
    "{\"asn\":\"AS64500\",\"prefix\":\"192.0.2.0/"
    "24\",\"maxLength\":25,\"source\":[{\"type\":\"roa\",\"uri\":"
    "\"rsync://x/"
    "\\\"]}\",\"tal\":\"apnic\",\"validity\":{\"notBefore\":\"2024-01-01T00:00:00Z\"},\"stale\":"
    "null},[]]},"
    "{\"source\":[],\"asn\":\"AS64501\",\"prefix\":\"198.51.100.0/24\",\"maxLength\":24},"
    "{\"asn\":\"AS64500\",\"prefix\":\"2001:db8::/32\",\"maxLength\":48,\"source\":null}],"
    "\"routerKeys\":[{\"asn\":\"AS1\",\"SKI\":\"00\",\"routerPublicKey\":\"AA==\",\"source\":[{}]}]"
    ",\"aspas\":[]}",
    /* OctoRPKI and StayRTR; what is not said of the length, and a list that comes before its
     * metadata */
    "{\"roas\":[{\"prefix\":\"192.0.2.0\\/24\",\"maxLength\":25,\"asn\":\"AS64500\",\"ta\":\"A - "
    "B\"},"
    "{\"prefix\":\"198.51.100.0/24\",\"asn\":\"64501\"},"
    "{\"prefix\":\"2001:db8::/32\",\"maxLength\":48,\"asn\":64500,\"ta\":\"\\u00e9\\\\\"}]"
    ",\"metadata\":{\"counts\":3,\"generated\":1732528800,\"valid\":1732532400,\"signature\":"
    "\"aa\"}}  \n\n",
    /* RIPE's archive */
    "URI,ASN,IP Prefix,Max Length,Not Before,Not After\n"
    "rsync://rpki.example.net/a.roa,AS64500,192.0.2.0/24,25,2024-01-01 00:00:00,2025-07-01 "
    "00:00:00\n"
    "rsync://rpki.example.net/b.roa,AS64501,198.51.100.0/24,,2024-01-01 00:00:00,2025-07-01 "
    "00:00:00\n"
    "rsync://rpki.example.net/c.roa,AS64500,2001:db8::/32,48,2024-01-01 00:00:00,2025-07-01 "
    "00:00:00\n",
    /* validators' CSV, with quotes, other line ends, and none at the end */
    ("ASN,IP Prefix,Max Length,Trust Anchor,Expires\r\nAS64500,192.0.2.0/24,25,\"A, B\",1\r\n\r\n"
     "\"AS64501\",\"198.51.100.0/24\",24,ripe,1\r\n64500,2001:db8::/32,48,ripe,1"),
};

static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct reading reading;
        read_bytes(&reading, forms[i], strlen(forms[i]));
        if (reading.err)
            print_error("form %zu: %s\n", i, reading.why.text);
        assert_int_equal(reading.err, ERR_OK);
        assert_string_equal(reading.told.lines.bytes, "");
        assert_int_equal(reading.told.faults.records, 3);
        assert_int_equal(vrps_count(reading.vrps), 3);
        assert_int_equal(reading.made.ns, i < 4 ? 1732528800 * NS_PER_S : 0);
        assert_int_equal(ask(&reading, "192.0.2.0/25", 64500), RPKI_VALID);
        assert_int_equal(ask(&reading, "192.0.2.0/26", 64500), RPKI_INVALID_LENGTH);
        assert_int_equal(ask(&reading, "198.51.100.0/24", 64501), RPKI_VALID);
        assert_int_equal(ask(&reading, "198.51.100.0/25", 64501), RPKI_INVALID_LENGTH);
        assert_int_equal(ask(&reading, "198.51.100.0/24", 64500), RPKI_INVALID_ORIGIN);
        assert_int_equal(ask(&reading, "2001:db8:1::/48", 64500), RPKI_VALID);
        end(&reading);
    }
}

/* JSON that ends too early is refused wherever it ends. CSV has no end of its own: it is what is
 * there. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t whole = (size_t)(strrchr(forms[i], '}') - forms[i]) + 1;
        for (size_t n = 0; n < whole; n++) {
            struct reading reading;
            read_bytes(&reading, forms[i], n);
            assert_int_not_equal(reading.err, ERR_OK);
            assert_memory_equal(reading.why.text, "file:", 5);
            end(&reading);
        }
    }
}

static void bad_entries(void **state)
{
    (void)state;
    /* what stands between two good entries, and what is said of it */
    static const struct {
        const char *entry, *fault;
    } cases[] = {
        {"{\"asn\":\"AS4294967296\",\"prefix\":\"10.0.0.0/8\",\"maxLength\":8}",
         "\"AS4294967296\" is no AS number"},
        {"{\"asn\":-1,\"prefix\":\"10.0.0.0/8\"}", "\"-1\" is no AS number"},
        {"{\"asn\":true,\"prefix\":\"10.0.0.0/8\"}", "\"true\" is no AS number"},
        {"{\"prefix\":\"10.0.0.0/8\",\"maxLength\":8}", "\"\" is no AS number"},
        {"{\"asn\":{\"a\":[1]},\"prefix\":\"10.0.0.0/8\"}", "\"\" is no AS number"},
        {"{}", "\"\" is no AS number"},
        {"{\"asn\":1}", "\"\" is no prefix"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.1/8\"}", "\"10.0.0.1/8\" is no prefix"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.0/33\"}", "\"10.0.0.0/33\" is no prefix"},
        {"{\"asn\":1,\"prefix\":\"x\\u0000\\u001b\t,\xff\"}",
         "\"x\\u0000\\u001b?,?\" is no prefix"},
        {"{\"asn\":1,\"prefix\":10}", "\"10\" is no prefix"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":7}",
         "\"7\" is shorter than the prefix, or longer than an address"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":33}",
         "\"33\" is shorter than the prefix, or longer than an address"},
        {"{\"asn\":1,\"prefix\":\"2001:db8::/32\",\"maxLength\":129}",
         "\"129\" is shorter than the prefix, or longer than an address"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":264}",
         "\"264\" is shorter than the prefix, or longer than an address"},
        {"{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":null}",
         "\"null\" is shorter than the prefix, or longer than an address"},
        {"null", "is no object in JSON"},
        {"\"a, b\"", "is no object in JSON"},
        {"", "ends too early"},
        {"[{\"asn\":1}]", "is no object in JSON"},
        {"{\"asn\" 1}", "is no object in JSON"},
        {"{\"asn\":1 \"prefix\":\"10.0.0.0/8\"}", "is no object in JSON"},
        {"{\"asn\":,\"prefix\":\"10.0.0.0/8\"}", "has a member without a value"},
        {"{\"asn\":1,}", "is no object in JSON"},
        {"{,\"asn\":1}", "is no object in JSON"},
        {"{asn:1}", "is no object in JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        char text[600], wanted[200];
        snprintf(text, sizeof text,
                 "{\"roas\":[{\"asn\":1,\"prefix\":\"192.0.2.0/24\"},\n%s\n"
                 ",{\"asn\":2,\"prefix\":\"198.51.100.0/24\"}]}",
                 cases[i].entry);
        read_bytes(&reading, text, strlen(text));
        assert_int_equal(reading.err, ERR_OK);
        assert_int_equal(reading.told.faults.records, 3);
        assert_int_equal(reading.told.faults.bad, 1);
        /* a value that is no string goes as far as what follows it */
        size_t line = cases[i].entry[0] == 'n' || !cases[i].entry[0] ? 3 : 2;
        snprintf(wanted, sizeof wanted, "file:%zu: entry 2: %s\n", line, cases[i].fault);
        assert_string_equal(reading.told.lines.bytes, wanted);
        assert_int_equal(vrps_count(reading.vrps), 2);
        assert_int_equal(ask(&reading, "198.51.100.0/24", 2), RPKI_VALID);
        end(&reading);
    }
}

static void bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *why;
    } cases[] = {
        {"", ERR_INPUT, "file:1: this is no object in JSON with a list \"roas\""},
        {"[]", ERR_INPUT, "file:1: this is no object in JSON"},
        {"{}", ERR_CORRUPT, "file:1: the JSON is damaged"},
        {"{\"a\":1}", ERR_INPUT,
         "file: holds no entry that can be used; give what a validator wrote"},
        {"{\"roas\":[]}", ERR_INPUT, "file: holds no entry that can be used"},
        {"{\"roas\":[{}]}", ERR_INPUT, "file: holds no entry that can be used"},
        {"{\"roas\":\n{}}", ERR_INPUT, "file:2: \"roas\" is no list"},
        {"{\"roas\":[{}\n{}]}", ERR_CORRUPT, "file:2: behind entry 1 comes neither another nor"},
        {"{\"roas\":[{},\n{\"a\":[1}, {}]}", ERR_CORRUPT, "file:2: behind entry 2 comes"},
        {"{\"roas\":[{},\n{\"a\":{\"b\":1}, {}", ERR_CORRUPT, "file:2: it ends within entry 2"},
        {"{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\"}]}x", ERR_CORRUPT, "file:1: the JSON is"},
        {"{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\"}]},", ERR_CORRUPT, "file:1: the JSON is"},
        {"{\"a\":1\n\"b\":2}", ERR_CORRUPT, "file:2: the JSON is damaged"},
        {"<html>\n", ERR_INPUT, "file:1: this is neither JSON nor CSV whose first line names the"},
        {"ASN,Prefix,Max Length\n", ERR_INPUT, "file:1: this is neither JSON nor CSV"},
        {"ASN,IP Prefix,Max Length\n", ERR_INPUT, "file: holds no entry that can be used"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_bytes(&reading, cases[i].text, strlen(cases[i].text));
        assert_int_equal(reading.err, cases[i].err);
        if (strncmp(reading.why.text, cases[i].why, strlen(cases[i].why)) != 0)
            assert_string_equal(reading.why.text, cases[i].why);
        end(&reading);
    }
}

static void bad_lines(void **state)
{
    (void)state;
    struct reading reading;
    static const char text[] =
        "ASN,IP Prefix,Max Length,Trust Anchor\n"
        "AS1,192.0.2.0/24,24,a\nASX,192.0.2.0/24,24,a\nAS1\n\"AS2,192.0.2.0/24,24,a\n"
        "AS2,192.0.2.0/24,23,a\nAS2,198.51.100.0/24,32,a\n";
    read_bytes(&reading, text, sizeof text - 1);
    assert_int_equal(reading.err, ERR_OK);
    assert_string_equal(
        reading.told.lines.bytes,
        "file:3: entry 2: \"ASX\" is no AS number\n"
        "file:4: entry 3: \"\" is no prefix\n"
        "file:5: entry 4: \"AS2,192.0.2.0/24,24,a\" is no AS number\n"
        "file:6: entry 5: \"23\" is shorter than the prefix, or longer than an address\n");
    assert_int_equal(reading.told.faults.records, 6);
    assert_int_equal(vrps_count(reading.vrps), 2);
    end(&reading);
}

/* What is longer than any may be is passed over, without memory for it, and what follows is
 * read. */
static void overlong(void **state)
{
    (void)state;
    struct reading reading;
    for (int is_csv = 0; is_csv < 2; is_csv++) {
        struct buffer text = {0};
        buffer_puts(&text, is_csv ? "ASN,IP Prefix\nAS1," : "{\"metadata\":{\"a\":\"");
        for (int i = 0; i < TEXT_LINE_MAX; i++)
            buffer_puts(&text, "0");
        buffer_puts(&text, is_csv ? "\n" : "\"},\"roas\":[{\"a\":\"");
        for (int i = 0; i < TEXT_LINE_MAX && !is_csv; i++)
            buffer_puts(&text, "0");
        buffer_puts(&text, is_csv ? "AS1,192.0.2.0/24\nAS,x\n"
                                  : "\"},{\"asn\":1,\"prefix\":\"192.0.2.0/24\"}]}");
        read_bytes(&reading, text.bytes, text.size);
        assert_int_equal(reading.err, ERR_OK);
        assert_string_equal(reading.told.lines.bytes,
                            is_csv ? "file:2: the line is longer than 65536 bytes\n"
                                     "file:4: entry 2: \"AS\" is no AS number\n"
                                   : "file:1: entry 1: is longer than any may be\n");
        assert_int_equal(vrps_count(reading.vrps), 1);
        end(&reading);
        buffer_done(&text);
    }
}

/* ---- files ---- */

/* Larger than what is read at a time, so that entries lie across its edges. */
static void write_file(char *path, size_t entries)
{
    struct buffer text = {0};
    buffer_puts(&text, "{\"roas\":[");
    for (size_t i = 0; i < entries; i++)
        buffer_printf(&text, "%s{\"asn\":%zu,\"prefix\":\"10.%zu.%zu.0/24\",\"maxLength\":24}",
                      i ? ",\n" : "", i, i >> 8, i & 255);
    buffer_puts(&text, "]}");
    text_write(path, text.bytes, text.size);
    buffer_done(&text);
}

static void from_a_file(void **state)
{
    (void)state;
    enum { ENTRIES = 20000 };
    char path[] = "/tmp/lastlight-rpki-XXXXXX";
    struct why why = {0};
    struct told told;
    struct prefix prefix;
    told_begin(&told);
    write_file(path, ENTRIES);
    struct rpki *rpki = rpki_load(path, &told.faults, &why);
    assert_non_null(rpki);
    assert_int_equal(told.faults.records, ENTRIES);
    assert_int_equal(vrps_count(rpki_vrps(rpki)), ENTRIES);
    assert_true(prefix_parse("10.78.31.0/24", 13, &prefix));
    assert_int_equal(rpki_validate(rpki, &prefix, 78 * 256 + 31), RPKI_VALID);
    assert_int_equal(rpki_validate(rpki, &prefix, 1), RPKI_INVALID_ORIGIN);
    assert_int_equal(rpki_made(rpki).ns, 0);
    rpki_replace(rpki, NULL);
    assert_int_equal(rpki_validate(rpki, &prefix, 1), RPKI_UNKNOWN);
    rpki_free(rpki);
    assert_int_equal(truncate(path, 400000), 0);
    assert_null(rpki_load(path, &told.faults, &why));
    assert_non_null(strstr(why.text, "it ends within entry "));
    unlink(path);
    assert_null(rpki_load(path, &told.faults, &why));
    assert_int_equal(why.err, ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, path));
    assert_null(rpki_load("/tmp", &told.faults, &why));
    rpki_free(NULL);
    told_end(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),  cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(bad_entries), cmocka_unit_test(bad_files),
        cmocka_unit_test(bad_lines),   cmocka_unit_test(overlong),
        cmocka_unit_test(from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
