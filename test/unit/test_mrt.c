/* MRT: records made by hand through wire/mrt and source/bgp, damage of every kind, and the real
 * archives where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "archive_maker.h"
#include "base/buffer.h"
#include "source/mrt/collector.h"
#include "source/mrt/element.h"
#include "source/mrt/mrt_reader.h"
#include "source/stream.h"
#include "wire/mrt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What came out of a file, a line each, and its faults. */
struct result {
    struct buffer text;
    struct buffer faults;
    uint64_t bad;
    uint64_t records;
    int end; /* as stream->next gave it last */
    struct why why;
};

static void note_fault(void *context, const char *fault)
{
    struct buffer *faults = context;
    buffer_printf(faults, "%s\n", fault);
}

static void result_done(struct result *result)
{
    buffer_done(&result->text);
    buffer_done(&result->faults);
}

static void print(struct buffer *out, const struct registry *registry,
                  const struct observation *observation)
{
    static const char *const route_ops[] = {"", "announce", "withdraw", "table"};
    static const char *const peer_ops[] = {"", "up", "down", "table"};
    char time[UTC_TEXT_MAX];
    utc_format(observation->time, time);
    buffer_printf(out, "%s %s ", time + 11, registry_text(registry, observation->source));
    if (observation->kind == OBSERVATION_ROUTE)
        buffer_printf(out, "%s %s [%s]", route_ops[observation->code],
                      registry_text(registry, observation->target),
                      registry_text(registry, observation->path));
    else
        buffer_printf(out, "peer %s %lld", peer_ops[observation->code],
                      (long long)observation->value);
    buffer_printf(out, " %s\n", registry_text(registry, observation->peer));
}

static struct watch watch_of(const char *prefix, uint32_t asn)
{
    static struct prefix prefixes[1];
    static uint32_t asns[1];
    asns[0] = asn;
    if (prefix)
        assert_true(prefix_parse(prefix, strlen(prefix), &prefixes[0]));
    return (struct watch){prefixes, prefix != NULL, asns, asn != 0};
}

static struct result run(const void *bytes, size_t n, struct watch watch)
{
    struct result result = {.end = 1};
    struct stream_faults faults = {.report = note_fault, .context = &result.faults};
    struct registry *registry = registry_new();
    struct input *input;
    struct why why;
    char path[] = "/tmp/lastlight-mrt-XXXXXX";
    archive_write(path, bytes, n);
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    struct stream *stream = mrt_stream_new(input, NULL, 0, "rrc00", &watch, registry, &faults);
    struct observation observation;
    buffer_puts(&result.text, "");
    buffer_puts(&result.faults, "");
    while ((result.end = stream->next(stream, &observation, &result.why)) > 0)
        print(&result.text, registry, &observation);
    stream->close(stream);
    registry_free(registry);
    unlink(path);
    result.bad = faults.bad;
    result.records = faults.records;
    return result;
}

/* Runs what was built, compares, and clears it. */
static void expect(struct buffer *file, struct watch watch, const char *want, uint64_t bad)
{
    struct result result = run(file->bytes, file->size, watch);
    assert_string_equal(result.text.bytes, want);
    assert_int_equal(result.bad, bad);
    assert_int_equal(result.end, 0);
    result_done(&result);
    buffer_clear(file);
}

#define P9 " 192.0.2.9 65000\n"

static void test_updates(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 100, NULL, "65000 4837 131279", "175.45.176.0/24 10.0.0.0/8");
    archive_update(&file, 101, "175.45.176.0/24", NULL, NULL);
    expect(&file, watch_of("175.45.176.0/22", 0),
           "00:01:40Z rrc00 peer up 0" P9
           "00:01:40Z rrc00 announce 175.45.176.0/24 [65000 4837 131279]" P9
           "00:01:41Z rrc00 withdraw 175.45.176.0/24 []" P9,
           0);
    buffer_done(&file);
}

/* Equal, more specific, covering; but no default route and nothing shorter than a /8. */
static void test_filter(void **state)
{
    (void)state;
    static const struct {
        const char *watched, *seen;
        bool passes;
    } cases[] = {
        {"175.45.176.0/22", "175.45.176.0/22", true},
        {"175.45.176.0/22", "175.45.179.128/25", true},
        {"175.45.176.0/22", "175.44.0.0/15", true},
        {"175.45.176.0/22", "175.0.0.0/8", true},
        {"175.45.176.0/22", "174.0.0.0/7", false},
        {"175.45.176.0/22", "0.0.0.0/0", false},
        {"175.45.176.0/22", "175.45.180.0/24", false},
        {"175.45.176.0/22", "175.45.172.0/22", false},
        {"0.0.0.0/0", "0.0.0.0/0", true},
        {"0.0.0.0/0", "9.0.0.0/8", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer file = {0};
        archive_update(&file, 100, cases[i].seen, NULL, NULL);
        struct result result = run(file.bytes, file.size, watch_of(cases[i].watched, 0));
        assert_int_equal(strstr(result.text.bytes, "withdraw") != NULL, cases[i].passes);
        result_done(&result);
        buffer_done(&file);
    }
}

/* By origin; from then on the prefix is watched, so that its withdrawal, and somebody else's
 * announcement of it or of a part, are seen. */
static void test_origin(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 99, "208.65.152.0/22", NULL, NULL);
    archive_update(&file, 100, NULL, "65000 36561", "208.65.152.0/22");
    archive_update(&file, 101, NULL, "65000 3491 17557", "208.65.153.0/24 208.66.0.0/16");
    archive_update(&file, 102, "208.65.152.0/22", NULL, NULL);
    expect(&file, watch_of(NULL, 36561),
           "00:01:39Z rrc00 peer up 0" P9
           "00:01:40Z rrc00 announce 208.65.152.0/22 [65000 36561]" P9
           "00:01:41Z rrc00 announce 208.65.153.0/24 [65000 3491 17557]" P9
           "00:01:42Z rrc00 withdraw 208.65.152.0/22 []" P9,
           0);
    buffer_done(&file);
}

static void test_sessions(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_state(&file, 100, 3, 5);
    archive_state(&file, 101, 5, 6);
    archive_update(&file, 102, "9.0.0.0/8", NULL, NULL);
    archive_state(&file, 103, 6, 1);
    archive_state(&file, 104, 1, 2);
    archive_update(&file, 105, "9.0.0.0/8", NULL, NULL); /* so the session is back, unseen */
    archive_message(&file, 106, BGP_NOTIFICATION, "\6\2", 2);
    archive_state(&file, 107, 6, 1); /* is told already */
    expect(&file, watch_of(NULL, 1),
           "00:01:41Z rrc00 peer up 0" P9 "00:01:43Z rrc00 peer down 0" P9
           "00:01:45Z rrc00 peer up 0" P9 "00:01:46Z rrc00 peer down 0" P9,
           0);
    /* The first that is heard of a peer may be its end; a new session may follow one whose end was
     * lost. */
    archive_state(&file, 100, 6, 1);
    archive_state(&file, 101, 5, 6);
    archive_state(&file, 102, 5, 6);
    expect(&file, watch_of(NULL, 1),
           "00:01:40Z rrc00 peer down 0" P9 "00:01:41Z rrc00 peer up 0" P9
           "00:01:42Z rrc00 peer up 0" P9,
           0);
    /* These are about connections that never were the session. */
    archive_update(&file, 100, "9.0.0.0/8", NULL, NULL);
    archive_message(&file, 101, BGP_NOTIFICATION, "\6\7", 2);
    archive_message(&file, 102, BGP_NOTIFICATION, "\6\5", 2);
    archive_message(&file, 103, BGP_NOTIFICATION, "\2\2", 2);
    archive_message(&file, 104, BGP_NOTIFICATION, "\4\0", 2); /* but this is: hold timer expired */
    expect(&file, watch_of(NULL, 1),
           "00:01:40Z rrc00 peer up 0" P9 "00:01:44Z rrc00 peer down 0" P9, 0);
    buffer_done(&file);
}

/* What the collector itself sent is no route that it heard. */
static void test_local(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 100, "9.0.0.0/8", NULL, NULL);
    file.bytes[7] = 7; /* BGP4MP_MESSAGE_AS4_LOCAL */
    expect(&file, watch_of("9.0.0.0/8", 0), "", 0);
    buffer_done(&file);
}

static void test_add_path(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 100, NULL, "65000 1", "9.0.0.0/8#1");
    archive_update(&file, 101, NULL, "65000 2", "9.0.0.0/8#2");
    archive_update(&file, 102, "9.0.0.0/8#1", NULL, NULL); /* the other path is left */
    archive_update(&file, 103, "9.0.0.0/8#2", NULL, NULL);
    expect(&file, watch_of("9.0.0.0/8", 0),
           "00:01:40Z rrc00 peer up 0" P9 "00:01:40Z rrc00 announce 9.0.0.0/8 [65000 1]" P9
           "00:01:41Z rrc00 announce 9.0.0.0/8 [65000 2]" P9
           "00:01:42Z rrc00 announce 9.0.0.0/8 [65000 2]" P9
           "00:01:43Z rrc00 withdraw 9.0.0.0/8 []" P9,
           0);
    buffer_done(&file);
}

static void test_treat_as_withdraw(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 100, NULL, "65000 1", "9.0.0.0/8");
    /* ORIGIN of the first update: 40 01 01 00 -> 3, which does not exist */
    for (size_t i = 0; i + 4 <= file.size; i++) {
        if (memcmp(file.bytes + i, "\x40\x01\x01\x00", 4) == 0) {
            file.bytes[i + 3] = 3;
            break;
        }
    }
    struct result result = run(file.bytes, file.size, watch_of("9.0.0.0/8", 0));
    assert_int_equal(result.bad, 1);
    assert_non_null(strstr(result.text.bytes, "00:01:40Z rrc00 withdraw 9.0.0.0/8"));
    assert_non_null(strstr(result.faults.bytes, ": byte 0: ORIGIN is malformed"));
    result_done(&result);
    buffer_done(&file);
}

static void test_dumps(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_peer_table(&file, 100, "192.0.2.9 65000 2001:db8::9 65001");
    archive_rib(&file, 100, "175.45.176.0/24", "0 1");
    archive_rib(&file, 100, "9.0.0.0/8", "1");
    archive_rib(&file, 100, "2001:db8::/32", "0");
    archive_peer_table(&file, 100, "2001:db8::9 65001"); /* other places from here on */
    archive_rib(&file, 100, "175.45.177.0/24", "0");
    expect(&file, watch_of("175.45.176.0/22", 0),
           "00:01:40Z rrc00 peer up 0" P9 "00:01:40Z rrc00 table 175.45.176.0/24 [65000 4837]" P9
           "00:01:40Z rrc00 peer up 0 2001:db8::9 65001\n"
           "00:01:40Z rrc00 table 175.45.176.0/24 [65000 4837] 2001:db8::9 65001\n"
           "00:01:40Z rrc00 table 175.45.177.0/24 [65000 4837] 2001:db8::9 65001\n"
           "00:01:40Z rrc00 peer table 2" P9 "00:01:40Z rrc00 peer table 3 2001:db8::9 65001\n",
           0);
    /* An entry of a peer that the table does not have is told; the others count. */
    archive_peer_table(&file, 100, "192.0.2.9 65000");
    archive_rib(&file, 100, "9.0.0.0/8", "0 7");
    archive_update(&file, 200, "9.0.0.0/8", NULL, NULL); /* ends the dump */
    expect(&file, watch_of("175.45.176.0/22", 0),
           "00:01:40Z rrc00 peer up 0" P9 "00:01:40Z rrc00 peer table 1" P9, 1);
    buffer_done(&file);
}

/* Zebra did not always know whose session changed: an element, but nothing for a replay. */
static void test_nameless_state(void **state)
{
    (void)state;
    struct buffer file = {0}, body = {0};
    buffer_add(&body, "\0\0\0\0\0\3\0\4", 8);
    make_record(&file, 100, 16, 0, &body);
    archive_state(&file, 101, 5, 6);
    expect(&file, watch_of(NULL, 1), "00:01:41Z rrc00 peer up 0" P9, 1);
    buffer_done(&file);
}

static const char *decode(unsigned subtype, const char *bytes, size_t n, struct mrt_record *out)
{
    struct mrt_header header = {
        .seconds = 100, .type = MRT_BGP4MP, .subtype = (uint16_t)subtype, .length = (uint32_t)n};
    return mrt_record_decode(&header, reader_of(bytes, n), out);
}

/* Both ASNs, an interface, AFI 1 and both addresses; then BGP4MP_ENTRY's view, status and time. */
#define TWO_BYTE_PEER(asns) asns "\0\0\0\1\xc0\0\2\x09\xc0\0\2\1"
#define ENTRY_HEAD TWO_BYTE_PEER("\xfd\xe8\x31\x6e") "\0\0\0\1\0\0\0\x64"

/* A table with routes of families that are not ours: they are passed over, whatever their prefixes
 * look like. */
static void test_entries(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum mrt_kind kind;
    } cases[] = {
#define ENTRY(rest) ENTRY_HEAD rest, sizeof(ENTRY_HEAD rest) - 1
        {ENTRY("\0\1\1\4\xc0\0\2\1\x18\xaf\x2d\xb0\0\0"), MRT_KIND_TABLE},
        /* VPN-IPv4 (RFC 4364): label, route distinguisher and 24 bits */
        {ENTRY("\0\1\x80\x0c\0\0\0\0\0\0\0\0\xc0\0\2\1\x70\0\0\1\0\0\0\0\0\0\0\1\xaf\x2d\xb0\0\0"),
         MRT_KIND_OTHER},
        /* EVPN (RFC 7432): AFI 25 */
        {ENTRY("\0\x19\x46\4\xc0\0\2\1\xff\0\0"), MRT_KIND_OTHER},
#undef ENTRY
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mrt_record record;
        assert_null(decode(2, cases[i].bytes, cases[i].n, &record));
        assert_int_equal(record.kind, cases[i].kind);
    }
}

/* A session within an AS, as far as the record tells: where both ASNs are AS_TRANS it does not. */
static void test_internal_sessions(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool is_internal;
    } cases[] = {
#define KEEPALIVE "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x13\4"
        {TWO_BYTE_PEER("\xfd\xe8\xfd\xe8") KEEPALIVE, true},
        {TWO_BYTE_PEER("\xfd\xe8\x31\x6e") KEEPALIVE, false},
        {TWO_BYTE_PEER("\x5b\xa0\x5b\xa0") KEEPALIVE, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mrt_record record;
        const size_t n = sizeof(TWO_BYTE_PEER("ASNs") KEEPALIVE) - 1;
        assert_null(decode(1, cases[i].bytes, n, &record));
        assert_int_equal(record.message.form.is_internal, cases[i].is_internal);
    }
}

static void test_microseconds(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_update(&file, 100, "9.0.0.0/8", NULL, NULL);
    archive_make_extended(&file, 250000);
    expect(&file, watch_of("9.0.0.0/8", 0),
           "00:01:40.250Z rrc00 peer up 0" P9 "00:01:40.250Z rrc00 withdraw 9.0.0.0/8 []" P9, 0);
    buffer_done(&file);
}

/* Three records of distinct times, with something wrong about the middle. */
enum { START = 1000000000 };
static void three_records(struct buffer *file, size_t ends[3])
{
    buffer_clear(file);
    for (uint32_t i = 0; i < 3; i++) {
        archive_update(file, START + i, "9.0.0.0/8 10.0.0.0/8", NULL, NULL);
        ends[i] = file->size;
    }
}

static int withdrawals(const struct result *result)
{
    int n = 0;
    for (const char *at = result->text.bytes; (at = strstr(at, "withdraw")); at++)
        n++;
    return n;
}

/* Cut after each byte: all whole records are used, and the place of the cut one is told. */
static void test_truncated(void **state)
{
    (void)state;
    struct buffer file = {0};
    size_t ends[3];
    three_records(&file, ends);
    for (size_t n = 1; n < file.size; n++) {
        struct result result = run(file.bytes, n, watch_of("9.0.0.0/8", 0));
        int whole = n >= ends[1] ? 2 : n >= ends[0] ? 1 : 0;
        bool is_clean = n == ends[0] || n == ends[1];
        char place[32];
        snprintf(place, sizeof place, "byte %zu: ", whole ? ends[whole - 1] : 0);
        assert_int_equal(withdrawals(&result), whole);
        assert_int_equal(result.end, is_clean ? 0 : -1);
        assert_int_equal(result.bad, 0);
        if (!is_clean)
            assert_non_null(strstr(result.why.text, place));
        result_done(&result);
    }
    buffer_done(&file);
}

/* The first and the third are there, whatever became of the second. */
static void check_outer_records(const struct result *result)
{
    assert_non_null(strstr(result->text.bytes, "01:46:40Z rrc00 withdraw 9.0.0.0/8"));
    assert_non_null(strstr(result->text.bytes, "01:46:42Z rrc00 withdraw 9.0.0.0/8"));
}

static void check_damaged(const struct buffer *file, int want, uint64_t bad, const char *fault)
{
    struct result result = run(file->bytes, file->size, watch_of("9.0.0.0/8", 0));
    assert_int_equal(withdrawals(&result), want);
    assert_int_equal(result.bad, bad);
    assert_non_null(strstr(result.faults.bytes, fault));
    assert_int_equal(result.end, 0);
    result_done(&result);
}

static void insert(struct buffer *file, size_t at, const char *bytes, size_t n)
{
    struct buffer copy = {0};
    buffer_add(&copy, file->bytes, at);
    buffer_add(&copy, bytes, n);
    buffer_add(&copy, file->bytes + at, file->size - at);
    buffer_done(file);
    *file = copy;
}

static void test_damage(void **state)
{
    (void)state;
    struct buffer file = {0};
    size_t ends[3];
    char fault[128];
    /* garbage between records, and at the end */
    three_records(&file, ends);
    insert(&file, ends[0], "some garbage that is no record", 30);
    snprintf(fault, sizeof fault, "byte %zu: no MRT record begins here; 30 bytes", ends[0]);
    check_damaged(&file, 3, 1, fault);
    three_records(&file, ends);
    insert(&file, ends[2], "some garbage that is no record", 30);
    snprintf(fault, sizeof fault, "byte %zu: no MRT record begins here; 30 bytes", ends[2]);
    check_damaged(&file, 3, 1, fault);
    /* a length that is too long, too short, or absurd: the second record is lost, the third is not
     */
    snprintf(fault, sizeof fault, "byte %zu: ", ends[0]);
    for (int length = 0; length < 200; length++) {
        three_records(&file, ends);
        if (length == (int)(ends[1] - ends[0]) - 12)
            continue;
        file.bytes[ends[0] + 11] = (char)length;
        struct result result = run(file.bytes, file.size, watch_of("9.0.0.0/8", 0));
        check_outer_records(&result);
        assert_true(result.bad >= 1);
        assert_non_null(strstr(result.faults.bytes, fault));
        result_done(&result);
    }
    three_records(&file, ends);
    file.bytes[ends[0] + 8] = 0x7f;
    check_damaged(&file, 2, 1, fault);
    /* a type that nobody knows, and a record of no length */
    three_records(&file, ends);
    file.bytes[ends[0] + 5] = 99;
    check_damaged(&file, 2, 1, "unknown form: type 99");
    three_records(&file, ends);
    insert(&file, ends[0], "\x3b\x9a\xca\x00\x00\x10\x00\x01\x00\x00\x00\x00", 12);
    check_damaged(&file, 3, 1, "unknown form: type 16, subtype 1, 0 bytes");
    buffer_done(&file);
}

/* Any byte changed to any of some values: never a crash, and never more than the record lost. */
static void test_flipped(void **state)
{
    (void)state;
    struct buffer file = {0};
    size_t ends[3];
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    three_records(&file, ends);
    for (size_t at = ends[0]; at < ends[1]; at++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            file.bytes[at] = (char)(file.bytes[at] ^ masks[m]);
            struct result result = run(file.bytes, file.size, watch_of("9.0.0.0/8", 0));
            check_outer_records(&result);
            result_done(&result);
            file.bytes[at] = (char)(file.bytes[at] ^ masks[m]);
        }
    }
    buffer_done(&file);
}

static void test_no_archive(void **state)
{
    (void)state;
    static const char text[] = "# This is a README, and no archive at all.\n";
    struct result result = run(text, sizeof text - 1, watch_of("9.0.0.0/8", 0));
    assert_int_equal(result.end, -1);
    assert_int_equal(result.why.err, ERR_INPUT);
    assert_non_null(strstr(result.why.text, "there is no MRT record in it"));
    result_done(&result);
    result = run("", 0, watch_of("9.0.0.0/8", 0));
    assert_int_equal(result.end, 0);
    result_done(&result);
}

static void test_collector_names(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
    } cases[] = {
        {"rrc06/2022.02/updates.20220207.0530.gz", "rrc06"},
        {"data/ris.rrc06.updates.1427846400.gz", "rrc06"},
        {"bgpkit_rrc15_2010.02_updates.gz", "rrc15"},
        {"route-views2.oregon-ix.net/updates.bz2", "route-views2.oregon-ix"},
        {"archive/route-views2/updates.20080224.1854.bz2", "route-views2"},
        {"routeviews.route-views.jinx.updates.1427846400.bz2", "route-views.jinx"},
        {"https://archive.routeviews.org/bgpdata/2008.02/UPDATES/u.bz2", "route-views2"},
        {"c/archive.routeviews.org/route-views.jinx/bgpdata/2022.02/u.bz2", "route-views.jinx"},
        {"https://archive.routeviews.org/amsix.ams/bgpdata/2022.02/u.bz2", "amsix.ams"},
        {"https://archive.routeviews.org/", "routeviews"},
        {"https://archive.routeviews.org/x", "routeviews"},
        {"https://archive.routeviews.org/x/", "routeviews"},
        {"routeviews-2008-02-24/updates.20080224.1854.bz2", "routeviews"},
        {"arrc01/updates", NULL},
        {"updates.20080224.1854.bz2", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[COLLECTOR_TEXT_MAX];
        bool is_found = collector_from_path(cases[i].path, name);
        assert_int_equal(is_found, cases[i].name != NULL);
        if (is_found)
            assert_string_equal(name, cases[i].name);
    }
}

/* Elements of a file as other readers count them: one for each prefix announced, withdrawn or
 * dumped. */
struct elements {
    uint64_t routes;
    uint64_t bad;
    int end;
};

/* Bytes of which each twelve may begin a record of 15 MB: they are not all tried. */
static void test_nothing_but_headers(void **state)
{
    (void)state;
    static const char header[] = "\x62\x00\x98\x58\x00\x0d\x00\x02\x00\xf0\x00\x00";
    struct buffer file = {0};
    while (file.size < 32 * 1024 * 1024)
        buffer_add(&file, header, 12);
    struct result result = run(file.bytes, file.size, watch_of("9.0.0.0/8", 0));
    assert_in_range(result.bad, 1, 100);
    result_done(&result);
    buffer_done(&file);
}

static void report_to_reader(void *context, const char *fault)
{
    mrt_reader_report(context, fault);
}

static struct elements count_elements(const char *path)
{
    struct elements elements = {0};
    struct stream_faults faults = {0};
    struct mrt_reader reader;
    struct element_walk walk = {.report = report_to_reader, .context = &reader};
    struct mrt_header header;
    struct reader body;
    struct input *input;
    struct why why;
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    mrt_reader_init(&reader, input, NULL, 0, &faults);
    while ((elements.end = mrt_reader_next(&reader, &header, &body, &why)) > 0) {
        const char *fault = element_walk_record(&walk, &header, body);
        if (fault)
            mrt_reader_reject(&reader, fault);
    }
    elements.routes = walk.counts.of[ELEMENT_ANNOUNCE] + walk.counts.of[ELEMENT_WITHDRAW] +
                      walk.counts.of[ELEMENT_TABLE];
    elements.bad = faults.bad;
    element_walk_done(&walk);
    mrt_reader_done(&reader);
    input_close(input);
    return elements;
}

/* The real archives: LASTLIGHT_DATA, or a folder beside the source tree. */
static void data_path(const char *name, char out[640])
{
    const char *folder = getenv("LASTLIGHT_DATA"), *root = getenv("LASTLIGHT_ROOT");
    if (folder)
        snprintf(out, 640, "%s/%s", folder, name);
    else
        snprintf(out, 640, "%s/../shared/data/%s", root ? root : ".", name);
    if (access(out, R_OK) == 0)
        return;
    print_message("skipped: there is no %s; LASTLIGHT_DATA may name the folder\n", out);
    skip();
}

/* The counts that are right for files on which readers disagree, and those that all find. */
static void test_real_archives(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t routes, bad;
        int end;
    } cases[] = {
        /* ADD-PATH under a subtype that does not say so; bgpdump finds 816 */
        {"bgpipe_sample.mrt", 744, 0, 0},
        {"mrtparse_bird_bgp", 14, 0, 0},
        {"mrtparse_bird6_bgp", 14, 0, 0},
        {"ripencc-bgpdump_bview.ipv4_unicast_add_path.gz", 62, 0, 0},
        {"ripencc-bgpdump_bview.ipv6_unicast_add_path.gz", 62, 0, 0},
        {"mrtparse_bird-mrtdump_rib", 18, 0, 0},
        {"mrtparse_bird-mrtdump_bgp", 12, 0, 0},
        /* MRTd and Zebra */
        {"bgpkit_rrc00_1999.09_updates.19990903.1041.gz", 65311, 0, 0},
        {"bgpkit_rrc00_1999.12_updates.19991214.1621.gz", 55489, 0, 0},
        {"bgpkit_rrc00_2000.01_updates.20000102.2014.gz", 6343, 0, 0},
        /* many entries in a record, lengths 4 short; bgpdump finds 1 */
        {"bgpkit_rrc00_2000.01_bview.20000111.0032.gz", 452018, 0, 0},
        /* damaged: bgpdump stops at 2,046 */
        {"bgpkit_rrc00_2000.03_updates.20000325.0345.gz", 5378, 2, 0},
        /* messages that name no peer are told */
        {"bgpkit_rrc01_2000.11_updates.20001104.0124.gz", 519, 21, 0},
        {"mrtparse_openbgpd_rib_table-mp", 31, 0, 0},
        {"ripencc-bgpdump_updates.long_withdrawal.gz", 4096, 0, 0},
        {"ripencc-bgpdump_updates.nlri_mask_trailing_bits.gz", 1, 1, 0},
        {"ripencc-bgpdump_bview.64k_stream_overflow.gz", 23, 0, 0},
        /* an AS_PATH with AS 0 (RFC 7607) */
        {"ripencc-bgpdump_updates.et-header.2015.gz", 577740, 1, 0},
        {"ripencc-bgpdump_bview.20020722.2337.gz", 115521, 0, 0},
        /* cut short in the middle of a bzip2 block */
        {"pyasn_rib6.20151101.0600_firstMB.bz2", 149578, 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[128], path[640];
        snprintf(name, sizeof name, "mrt-samples/%s", cases[i].name);
        data_path(name, path);
        struct elements elements = count_elements(path);
        if (elements.routes != cases[i].routes || elements.bad != cases[i].bad)
            print_error("%s\n", cases[i].name);
        assert_int_equal(elements.routes, cases[i].routes);
        assert_int_equal(elements.bad, cases[i].bad);
        assert_int_equal(elements.end, cases[i].end);
    }
}

/* Lines of `bgpdump -m` that are routes; -1 if it could not be run. */
static long bgpdump_count(const char *path)
{
    char command[800], line[256];
    snprintf(command, sizeof command, "bgpdump -q -m '%s' 2>/dev/null | cut -c -40", path);
    FILE *pipe = popen(command, "r");
    long n = 0;
    if (!pipe)
        return -1;
    while (fgets(line, sizeof line, pipe))
        n += strstr(line, "|STATE|") == NULL;
    return pclose(pipe) == 0 ? n : -1;
}

/* A second opinion on files where nothing is in dispute: all but the names of the test before this,
 * where bgpdump is known to be wrong. */
static void test_against_bgpdump(void **state)
{
    (void)state;
    static const char *const names[] = {
        "mrt-samples/inim_rrc_updates.20190821.1600.gz",
        "mrt-samples/bgpkit_rrc15_2010.02_updates.20100227.1600.gz",
        "mrt-samples/ripencc-bgpdump_updates.20070211.0141.gz", /* with IPv4 multicast */
        "mrt-samples/ripencc-bgpdump_updates.20071015.1505.gz",
        "mrt-samples/ripencc-bgpdump_updates.20160811.1600.gz",
        "mrt-samples/ris.rrc06.updates.1427846400.gz",
        "mrt-samples/bgpkit_rrc15_2010.02_updates.20100227.1610.gz",
        "mrt-samples/ripencc-bgpdump_updates.20020722.2238.gz",
        "mrt-samples/routeviews.route-views.jinx.updates.1427846400.bz2",
        "mrt-samples/mrtparse_quagga_bgp",
        "mrt-samples/mrtparse_openbgpd_rib_table-v2",
        "ris-2022-02/updates.20220207.0535.gz",
    };
    if (access("/usr/bin/bgpdump", X_OK) != 0) {
        print_message("skipped: bgpdump is not installed\n");
        skip();
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[640];
        data_path(names[i], path);
        assert_int_equal(count_elements(path).routes, bgpdump_count(path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_add_path),
        cmocka_unit_test(test_treat_as_withdraw),
        cmocka_unit_test(test_dumps),
        cmocka_unit_test(test_nameless_state),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_internal_sessions),
        cmocka_unit_test(test_microseconds),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_nothing_but_headers),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_no_archive),
        cmocka_unit_test(test_collector_names),
        cmocka_unit_test(test_real_archives),
        cmocka_unit_test(test_against_bgpdump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
