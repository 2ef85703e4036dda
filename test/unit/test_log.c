/* The observation log: what is read, what is refused and how that is said, and that what is written
 * is read back as it was, byte for byte. */
#include "base/mem.h"
#include "model/detail.h"
#include "out/out.h"
#include "source/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reading {
    struct registry *registry;
    struct observation *list;
    size_t count, capacity;
    struct buffer faults; /* a line each */
    struct stream_faults counts;
    int end; /* what next() returned last */
    struct why why;
};

static void note_fault(void *context, const char *fault)
{
    struct reading *reading = context;
    buffer_puts(&reading->faults, fault);
    buffer_puts(&reading->faults, "\n");
}

static void drain(struct reading *reading, struct stream *stream)
{
    struct observation observation;
    while ((reading->end = stream->next(stream, &observation, &reading->why)) == 1) {
        reading->list =
            mem_grow(reading->list, &reading->capacity, reading->count + 1, sizeof *reading->list);
        reading->list[reading->count++] = observation;
    }
    stream->close(stream);
}

static struct reading *reading_new(void)
{
    struct reading *reading = mem_new(1, sizeof *reading);
    reading->registry = registry_new();
    reading->counts = (struct stream_faults){.report = note_fault, .context = reading};
    buffer_puts(&reading->faults, "");
    return reading;
}

static void reading_free(struct reading *reading)
{
    registry_free(reading->registry);
    free(reading->list);
    buffer_done(&reading->faults);
    free(reading);
}

static struct input *empty_input(void)
{
    struct input *input;
    struct why why;
    assert_int_equal(input_open("/dev/null", &input, &why), ERR_OK);
    return input;
}

static void read_more(struct reading *reading, const char *text, size_t n)
{
    drain(reading, log_stream_new(empty_input(), text, n, reading->registry, &reading->counts));
}

static struct reading *read_text(const char *text)
{
    struct reading *reading = reading_new();
    read_more(reading, text, strlen(text));
    return reading;
}

/* All that was read, as lines; a SUBJECT without its MEMBERs. */
static char *write_all(const struct reading *reading)
{
    struct buffer out = {0};
    buffer_puts(&out, "");
    for (size_t i = 0; i < reading->count; i++)
        out_log_line(reading->registry, &reading->list[i], &out);
    return out.bytes;
}

#define PROBE "{\"type\":\"probe\",\"time\":\"2022-01-25T21:00:00.250Z\",\"vantage\":\"lon\","

#define BIN "{\"type\":\"bin\",\"time\":\"2022-01-25T21:05:00Z\","

/* Lines that come back exactly as they are: the examples of the design, and every member. */
static const char *const canonical_lines[] = {
    PROBE "\"target\":\"icmp:175.45.176.71\",\"outcome\":\"ok\",\"rtt_ms\":182.4}",
    PROBE "\"target\":\"http://kcna.kp/\",\"outcome\":\"timeout\",\"stage\":\"connect\","
          "\"address\":\"175.45.176.71\"}",
    PROBE "\"target\":\"dns:175.45.176.15/kp./SOA\",\"outcome\":\"ok\",\"rcode\":\"NOERROR\","
          "\"serial\":2013083001,\"rtt_ms\":190.1}",
    PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"control\":true,\"rtt_ms\":9.8}",
    PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"ttl\":255,\"rtt_ms\":0.000001}",
    PROBE
    "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"stage\":\"none\",\"rtt_ms\":86400000}",
    PROBE "\"target\":\"tcp:192.0.2.1:80\",\"outcome\":\"prohibited\",\"stage\":\"connect\","
          "\"address\":\"192.0.2.9\",\"icmp\":\"3/13\",\"rtt_ms\":12.345678}",
    PROBE "\"target\":\"tcp:192.0.2.1:80\",\"outcome\":\"ok\",\"value\":-3}",
    PROBE "\"target\":\"https://a.example/\",\"outcome\":\"http-error\",\"stage\":\"body\","
          "\"status\":503,\"not_after\":\"9999-12-31T23:59:59Z\",\"rtt_ms\":1000}",
    PROBE "\"target\":\"trace:192.0.2.7\",\"outcome\":\"timeout\",\"stage\":\"reply\",\"address\":"
          "\"192.0.2.1\",\"hops\":7,\"for\":\"http://a.example/\"}",
    PROBE "\"target\":\"https://a.example/\",\"outcome\":\"net-unreachable\",\"icmp\":\"3/0\"}",
    PROBE "\"target\":\"dns:192.0.2.1/a.example/A\",\"outcome\":\"server-failure\","
          "\"stage\":\"reply\",\"rcode\":\"SERVFAIL\",\"rtt_ms\":3.5}",
    PROBE "\"target\":\"dns:192.0.2.1/a.example/A\",\"outcome\":\"dns-error\",\"rcode\":4000}",
    PROBE "\"target\":\"dns:192.0.2.1/a.example/A\",\"outcome\":\"timeout\",\"stage\":\"reply\"}",
    PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"self\"}",
    "{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"prefix\":\"175.45.176.0/24\",\"op\":\"withdraw\"}",
    "{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"2001:db8::9\",\"peer_asn\":4294967295,\"prefix\":\"2001:db8::/32\","
    "\"op\":\"announce\",\"path\":\"64500 4837 {1,2}\"}",
    "{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"prefix\":\"175.45.176.0/24\",\"op\":\"table\","
    "\"path\":\"\"}",
    "{\"type\":\"peer\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"state\":\"table\",\"prefixes\":900000}",
    "{\"type\":\"peer\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"state\":\"down\"}",
    "{\"type\":\"peer\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"state\":\"complete\"}",
    "{\"type\":\"peer\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,\"state\":\"heard\"}",
    "{\"type\":\"gap\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"collector:rrc00\"}",
    "{\"type\":\"visibility\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"rrc00\","
    "\"prefix\":\"175.45.176.0/24\",\"peers_up\":0,\"peers_total\":41}",
    BIN "\"asn\":131279,\"family\":4,\"seen\":3,\"known\":4,\"peers_up\":40,\"peers_total\":42,"
        "\"subject\":\"kp\"}",
    BIN "\"country\":\"KP\",\"family\":6,\"seen\":0,\"known\":281474976710656,\"peers_up\":65535,"
        "\"peers_total\":65535}",
    BIN "\"family\":6,\"seen\":0,\"known\":0,\"peers_up\":0,\"peers_total\":9}",
    BIN "\"asn\":0,\"family\":4,\"seen\":0,\"known\":0,\"peers_up\":0,\"peers_total\":0,"
        "\"country\":\"SE\"}",
    "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00.000000001Z\"}",
    "{\"type\":\"gap\",\"time\":\"2022-01-25T21:00:00Z\",\"until\":\"2022-01-25T22:00:00Z\","
    "\"source\":\"vantage:lon\",\"reason\":\"suspended \\\"again\\\" \\\\ \xc3\xa9\"}",
    "{\"type\":\"start\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"collector:rrc00\"}",
    "{\"type\":\"stop\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"vantage:lon\"}",
    /* unknown members, and known ones that mean nothing here, stay behind the rest */
    "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\",\"note\":\"a\\u0007b\\u000a\","
    "\"deep\":{\"list\":[1,-2,0.1,1e+300,true,false,null,{}],\"\":\"\"},\"rtt_ms\":5}",
    PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rcode\":\"NOERROR\",\"loss\":0.25}",
    "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T20:00:00Z\",\"reconstruction\":true,"
    "\"subject\":{\"name\":\"kp\",\"title\":\"North Korea\",\"timezone\":\"+09:00\","
    "\"colour\":\"red\"},\"author\":\"x\",\"title\":\"A night\"}",
    "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T20:00:00Z\","
    "\"subject\":{\"name\":\"kp\",\"timezone\":\"-03:30\"}}",
    "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T20:00:00Z\","
    "\"subject\":{\"name\":\"kp\",\"x\":[\"\\\"subject\\\":{\"]},\"y\":\"\\\"subject\\\":{\"}",
};

static void test_canonical_lines_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical_lines / sizeof *canonical_lines; i++) {
        struct reading *reading = read_text(canonical_lines[i]);
        char *again = write_all(reading);
        assert_string_equal(reading->faults.bytes, "");
        again[strcspn(again, "\n")] = '\0';
        assert_string_equal(again, canonical_lines[i]);
        free(again);
        reading_free(reading);
    }
}

/* What is written in another way means the same. */
static void test_other_ways_to_write(void **state)
{
    static const struct {
        const char *line, *canonical;
    } cases[] = {
        {"{\"vantage\":\"lon\",\"rtt_ms\":5.0,\"outcome\":\"ok\",\"stage\":\"done\",\"address\":"
         "null,"
         "\"target\":\"icmp:192.0.2.1\",\"time\":\"2022-01-26T06:00:00.2500+09:00\","
         "\"control\":false,\"type\":\"probe\"}",
         PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rtt_ms\":5}"},
        {PROBE "\"target\":\"dns:192.0.2.1/a.example/A\",\"outcome\":\"ok\",\"rcode\":0}", PROBE
         "\"target\":\"dns:192.0.2.1/a.example/A\",\"outcome\":\"ok\",\"rcode\":\"NOERROR\"}"},
        {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"timeout\",\"icmp\":\"0/0\"}",
         PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"timeout\"}"},
        {"{\"type\":\"visibility\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
         "\"prefix\":\"2001:DB8:0::/32\",\"peers_total\":2,\"peers_up\":2}",
         "{\"type\":\"visibility\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
         "\"prefix\":\"2001:db8::/32\",\"peers_up\":2,\"peers_total\":2}"},
        {"{\"type\":\"meta\",\"time\":\"2022-01-25T20:00:00Z\",\"title\":\"T\","
         "\"subject\":{\"name\":\"a\",\"timezone\":\"Z\"}}",
         "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T20:00:00Z\","
         "\"subject\":{\"name\":\"a\",\"title\":\"T\"}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading *reading = read_text(cases[i].line);
        char *again = write_all(reading);
        assert_string_equal(reading->faults.bytes, "");
        again[strcspn(again, "\n")] = '\0';
        assert_string_equal(again, cases[i].canonical);
        free(again);
        reading_free(reading);
    }
}

#define TALLY ",\"peers_up\":1,\"peers_total\":2}"
#define TICK "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\"}"
#define SUBJECT "{\"type\":\"meta\",\"time\":\"2022-01-25T21:00:00Z\",\"subject\":{\"name\":\"a\","

/* A bad line is named and passed over: the tick behind it is read. */
static const struct {
    const char *line, *fault;
} bad_lines[] = {
    {"{\"type\":\"tick\"", "not JSON at byte 14: '}' expected near end of file"},
    {"[]", "expected a JSON object"},
    {"{\"type\":\"tick\",\"time\":1}",
     "member 'time': expected RFC 3339 UTC, 1970 to 2261, found '1'"},
    {"{\"type\":\"tick\",\"time\":\"yesterday\"}",
     "member 'time': expected RFC 3339 UTC, 1970 to 2261, found 'yesterday'"},
    {"{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Zx\"}",
     "member 'time': expected RFC 3339 UTC, 1970 to 2261, found '2022-01-25T21:00:00Zx'"},
    {"{\"type\":\"tick\",\"time\":\"1970-01-01T00:00:00Z\"}",
     "member 'time': expected RFC 3339 UTC, 1970 to 2261, found '1970-01-01T00:00:00Z'"},
    {"{\"type\":\"tick\"}", "member 'time' is missing"},
    {"{\"time\":\"2022-01-25T21:00:00Z\"}", "member 'type' is missing"},
    {"{\"type\":\"member\",\"time\":\"2022-01-25T21:00:00Z\"}",
     "member 'type': expected meta, probe, route, peer, visibility, tick, gap, start, stop or bin, "
     "found 'member'"},
    {"{\"type\":7}", "member 'type': expected meta, probe, route, peer, visibility, tick, gap, "
                     "start, stop or bin, found '7'"},
    {"{\"type\":\"subject\",\"time\":\"2022-01-25T21:00:00Z\"}",
     "member 'type': expected meta, probe, route, peer, visibility, tick, gap, start, stop or bin, "
     "found 'subject'"},
    {BIN "\"asn\":1,\"family\":4,\"seen\":1" TALLY, "member 'known' is missing"},
    {BIN "\"asn\":-1,\"family\":4,\"seen\":1,\"known\":1" TALLY,
     "member 'asn': expected an integer from 0 to 4294967295, found '-1'"},
    {BIN "\"asn\":1,\"family\":4,\"seen\":2,\"known\":1" TALLY,
     "member 'seen': expected an integer from 0 to 1, found '2'"},
    {BIN "\"asn\":1,\"family\":5,\"seen\":1,\"known\":1" TALLY,
     "member 'family': expected 4 or 6, found '5'"},
    {BIN "\"family\":4,\"seen\":1,\"known\":1,\"peers_up\":3,\"peers_total\":2}",
     "member 'peers_up': expected an integer from 0 to 2, found '3'"},
    {BIN "\"country\":\"kp\",\"family\":4,\"seen\":1,\"known\":1" TALLY,
     "member 'country': expected a country, two capital letters of ISO 3166-1, found 'kp'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\"}", "member 'outcome' is missing"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"fine\"}",
     "member 'outcome': expected an outcome such as ok, timeout or refused, found 'fine'"},
    {PROBE "\"target\":\"imcp:192.0.2.1\",\"outcome\":\"ok\"}",
     "member 'target': 'imcp:192.0.2.1' is no kind of target; did you mean 'icmp:...'?"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"stage\":\"far\"}",
     "member 'stage': expected resolve, connect, tls, send, reply, body or done, found 'far'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rtt_ms\":-1}",
     "member 'rtt_ms': expected milliseconds from 0 to 86400000, found '-1'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rtt_ms\":\"5\"}",
     "member 'rtt_ms': expected milliseconds from 0 to 86400000, found '5'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"control\":1}",
     "member 'control': expected true or false, found '1'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"address\":\"here\"}",
     "member 'address': expected an IP address, found 'here'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"ttl\":256}",
     "member 'ttl': expected an integer from 0 to 255, found '256'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"timeout\",\"icmp\":\"3/256\"}",
     "member 'icmp': expected TYPE/CODE, found '3/256'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"timeout\",\"icmp\":\"3/\"}",
     "member 'icmp': expected TYPE/CODE, found '3/'"},
    {PROBE "\"target\":\"dns:192.0.2.1/a/A\",\"outcome\":\"ok\",\"rcode\":\"GOOD\"}",
     "member 'rcode': expected a DNS response code such as NOERROR or SERVFAIL, or its number, "
     "found 'GOOD'"},
    {PROBE "\"target\":\"tls:a:443\",\"outcome\":\"ok\",\"not_after\":\"soon\"}",
     "member 'not_after': expected RFC 3339 UTC, found 'soon'"},
    {PROBE "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"outcome\":\"timeout\"}",
     "not JSON at byte 116: duplicate object key near '\"outcome\"'"},
    {"{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\",\"x\":\"\xff\"}",
     "not JSON at byte 50: unable to decode byte 0xff near '\"'"},
    {"{\"type\":\"start\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"lon\"}",
     "member 'source': expected vantage:NAME or collector:NAME, found 'lon'"},
    {"{\"type\":\"start\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"vantage:a\\u001bb\"}",
     "member 'source': expected a text of 1 to 255 bytes without control characters, found "
     "'vantage:a?b'"},
    {"{\"type\":\"gap\",\"time\":\"2022-01-25T21:00:00Z\",\"source\":\"vantage:a\"}",
     "member 'until' is missing"},
    {"{\"type\":\"gap\",\"time\":\"2022-01-25T21:00:00Z\",\"until\":\"2022-01-25T20:00:00Z\","
     "\"source\":\"vantage:a\"}",
     "member 'until': expected a time not before that of the gap's begin, found "
     "'2022-01-25T20:00:00Z'"},
    {"{\"type\":\"visibility\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
     "\"prefix\":\"192.0.2.0/24\",\"peers_up\":3,\"peers_total\":2}",
     "member 'peers_up': expected an integer from 0 to 2, found '3'"},
    {"{\"type\":\"visibility\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
     "\"prefix\":\"192.0.2.1/24\",\"peers_up\":1,\"peers_total\":2}",
     "member 'prefix': expected a prefix, ADDRESS/BITS with host bits zero, found '192.0.2.1/24'"},
    {"{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\",\"peer\":\"b\","
     "\"peer_asn\":1,\"prefix\":\"192.0.2.0/24\",\"op\":\"withdraw\"}",
     "member 'peer': expected an IP address, found 'b'"},
    {"{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
     "\"peer\":\"192.0.2.9\",\"peer_asn\":1,\"prefix\":\"192.0.2.0/24\",\"op\":\"drop\"}",
     "member 'op': expected announce, withdraw or table, found 'drop'"},
    {"{\"type\":\"route\",\"time\":\"2022-01-25T21:00:00Z\",\"collector\":\"a\","
     "\"peer\":\"192.0.2.9\",\"peer_asn\":1,\"prefix\":\"192.0.2.0/24\",\"op\":\"announce\","
     "\"path\":\"1 {2\"}",
     "member 'path': expected an AS path, numbers and {sets} separated by spaces, found '1 {2'"},
    {"{\"type\":\"meta\",\"version\":\"1\"}",
     "member 'version': expected an integer from 1 to 1, found '1'"},
    {"{\"type\":\"meta\",\"subject\":{\"name\":\"a\"}}", "member 'time' is missing"},
    {"{\"type\":\"meta\",\"time\":\"2022-01-25T21:00:00Z\",\"subject\":{}}",
     "member 'subject.name' is missing"},
    {"{\"type\":\"meta\",\"time\":\"2022-01-25T21:00:00Z\",\"subject\":\"a\"}",
     "member 'subject': expected an object"},
    {SUBJECT "\"timezone\":\"+9\"}}",
     "member 'subject.timezone': expected an offset such as '+09:00', found '+9'"},
    {SUBJECT "\"prefixes\":[\"192.0.2.0/24\",\"192.0.2.1/24\"]}}",
     "member 'subject': '192.0.2.1/24' is not a prefix (expected ADDRESS/BITS, host bits zero)"},
    {SUBJECT "\"countries\":[\"Korea\"]}}",
     "member 'subject': 'Korea' is not a country (expected the two capital letters of ISO 3166-1)"},
    {SUBJECT "\"asns\":[1,-1]}}", "member 'subject.asns': expected an AS number, found '-1'"},
    {SUBJECT "\"targets\":[\"icmp:a\"]}}",
     "member 'subject': 'icmp:a' is not a target of kind icmp; expected icmp:ADDRESS"},
    {SUBJECT "\"targets\":[{\"target\":\"icmp:192.0.2.1\",\"interval\":\"often\"}]}}",
     "member 'subject.targets.interval': expected a duration such as '30s', found 'often'"},
    {SUBJECT "\"zones\":\"kp.\"}}", "member 'subject.zones': expected a list, found 'kp.'"},
};

static void test_bad_lines_are_named_and_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        struct buffer text = {0}, expected = {0};
        buffer_printf(&text, "\n%s\n" TICK "\n", bad_lines[i].line);
        buffer_printf(&expected, "/dev/null:2: %s\n", bad_lines[i].fault);
        struct reading *reading = read_text(text.bytes);
        assert_string_equal(reading->faults.bytes, expected.bytes);
        assert_int_equal(reading->end, 0);
        assert_int_equal(reading->counts.records, 2);
        assert_int_equal(reading->counts.bad, 1);
        assert_int_equal(reading->count, 1);
        assert_int_equal(reading->list[0].kind, OBSERVATION_TICK);
        reading_free(reading);
        buffer_done(&text);
        buffer_done(&expected);
    }
}

static void test_newer_version_ends_the_stream(void **state)
{
    (void)state;
    struct reading *reading = read_text(TICK "\n{\"type\":\"meta\",\"version\":2}\n" TICK "\n");
    assert_int_equal(reading->end, -1);
    assert_int_equal(reading->count, 1);
    assert_int_equal(reading->why.err, ERR_VERSION);
    assert_string_equal(reading->why.text, "/dev/null:2: this log has version 2; this program "
                                           "reads version 1: use a newer one");
    reading_free(reading);
}

static void test_line_ends(void **state)
{
    static const char *const texts[] = {
        TICK "\n" TICK "\n",           TICK "\n" TICK,
        TICK "\r\n\r\n" TICK "\r\n",   "\n \t \n" TICK "\n\n" TICK,
        "\xef\xbb\xbf" TICK "\n" TICK,
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reading *reading = read_text(texts[i]);
        assert_string_equal(reading->faults.bytes, "");
        assert_int_equal(reading->count, 2);
        assert_int_equal(reading->end, 0);
        reading_free(reading);
    }
    struct reading *reading = read_text("\n\r\n");
    assert_int_equal(reading->count, 0);
    assert_int_equal(reading->counts.records, 0);
    reading_free(reading);
}

/* A line of n bytes in all: a tick with an unknown member. */
static void add_long_line(struct buffer *out, size_t n)
{
    static const char begin[] = "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\",\"x\":\"";
    char *filler = mem_new(n, 1);
    memset(filler, 'a', n);
    buffer_puts(out, begin);
    buffer_add(out, filler, n - (sizeof begin - 1) - 2);
    buffer_puts(out, "\"}\n");
    free(filler);
}

/* Writes the text into a file and reads it from there, so that lines cross the reader's chunks. */
static struct reading *read_through_file(const struct buffer *text, size_t head_size)
{
    char path[] = "/tmp/lastlight-test-log-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text->bytes, text->size), text->size);
    close(fd);
    struct reading *reading = reading_new();
    struct input *input;
    assert_int_equal(input_open(path, &input, &reading->why), ERR_OK);
    char *head = mem_new(head_size, 1);
    size_t had = 0, n = 1;
    while (had < head_size && n) {
        assert_int_equal(input_read(input, head + had, head_size - had, &n, &reading->why), ERR_OK);
        had += n;
    }
    drain(reading, log_stream_new(input, head, had, reading->registry, &reading->counts));
    free(head);
    unlink(path);
    return reading;
}

static void test_long_lines(void **state)
{
    enum { LINE = 1024 * 1024 };
    static const size_t heads[] = {0, 1, 4096, 300000, 2 * LINE + 100, 9 * LINE};
    (void)state;
    struct buffer text = {0};
    buffer_puts(&text, TICK "\n");
    add_long_line(&text, 60000);                /* 2 */
    add_long_line(&text, LINE);                 /* 3: its unknown member is too long */
    add_long_line(&text, LINE + 1);             /* 4 */
    add_long_line(&text, 3 * LINE + 7);         /* 5 */
    buffer_puts(&text, TICK "\nx\n" TICK "\n"); /* 7 */
    add_long_line(&text, 2 * LINE);             /* 9 */
    text.size--;                                /* without its line end */
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct reading *reading = read_through_file(&text, heads[i]);
        assert_int_equal(reading->end, 0);
        assert_int_equal(reading->count, 4);
        assert_int_equal(reading->counts.records, 9);
        assert_int_equal(reading->counts.bad, 5);
        assert_non_null(
            strstr(reading->faults.bytes, ":3: unknown members take 1048532 bytes; at most 65536"));
        assert_non_null(strstr(reading->faults.bytes, ":4: is longer than 1048576 bytes"));
        assert_non_null(strstr(reading->faults.bytes, ":5: is longer than 1048576 bytes"));
        assert_non_null(strstr(reading->faults.bytes, ":7: not JSON at byte"));
        assert_non_null(strstr(reading->faults.bytes, ":9: is longer than 1048576 bytes"));
        reading_free(reading);
    }
    buffer_done(&text);
}

static void test_meta_becomes_subject_and_members(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T20:00:00Z\",\"reconstruction\":"
        "true,"
        "\"subject\":{\"name\":\"kp\",\"title\":\"North Korea\",\"timezone\":\"+09:00\","
        "\"zones\":[\"kp.\"],\"prefixes\":[\"175.45.176.0/24\"],\"asns\":[131279,\"AS9\"],"
        "\"countries\":[\"KP\"],"
        "\"targets\":[\"icmp:192.0.2.1\",{\"target\":\"icmp:192.0.2.2\",\"interval\":\"30s\","
        "\"count\":3}]}}");
    static const struct {
        enum name_kind kind;
        const char *text;
        int64_t interval_ns;
        const char *extra;
    } members[] = {{NAME_ZONE, "kp.", 0, ""},
                   {NAME_PREFIX, "175.45.176.0/24", 0, ""},
                   {NAME_ASN, "131279", 0, ""},
                   {NAME_ASN, "9", 0, ""},
                   {NAME_COUNTRY, "KP", 0, ""},
                   {NAME_TARGET, "icmp:192.0.2.1", 0, ""},
                   {NAME_TARGET, "icmp:192.0.2.2", 30 * NS_PER_S, "{\"count\":3}"}};
    assert_string_equal(reading->faults.bytes, "");
    assert_int_equal(reading->count, 8);
    const struct observation *subject = &reading->list[0];
    assert_int_equal(subject->kind, OBSERVATION_SUBJECT);
    assert_int_equal(subject->code, SUBJECT_IS_RECONSTRUCTION);
    assert_int_equal(subject->value, 9 * 3600);
    assert_string_equal(registry_text(reading->registry, subject->target), "kp");
    assert_string_equal(registry_text(reading->registry, subject->path), "North Korea");
    for (size_t i = 0; i < 7; i++) {
        const struct observation *member = &reading->list[i + 1];
        assert_int_equal(member->kind, OBSERVATION_MEMBER);
        assert_int_equal(member->time.ns, subject->time.ns);
        assert_int_equal(member->peer, subject->target);
        assert_int_equal(member->value, members[i].interval_ns);
        assert_int_equal(registry_kind(reading->registry, member->target), members[i].kind);
        assert_string_equal(registry_text(reading->registry, member->target), members[i].text);
        assert_string_equal(registry_text(reading->registry, member->extra), members[i].extra);
    }
    reading_free(reading);
}

static void test_meta_without_subject_is_nothing(void **state)
{
    (void)state;
    struct reading *reading = read_text("{\"type\":\"meta\",\"version\":1,\"title\":\"x\"}");
    assert_int_equal(reading->count, 0);
    assert_int_equal(reading->counts.bad, 0);
    reading_free(reading);
}

/* ---- random observations of every kind there and back ---- */

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
    return draw(state) % n;
}

static uint32_t pick_name(struct registry *registry, enum name_kind kind, uint64_t *state)
{
    static const char *const names[NAME_KIND_COUNT][6] = {
        [NAME_TEXT] = {"a", "two words", "\"quoted\\\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa1",
                       "/", "{}"},
        [NAME_VANTAGE] = {"lon", "nyc", "a b", "\xc3\xa9", "x:y", "\"\\"},
        [NAME_COLLECTOR] = {"rrc00", "route-views2", "archive", "a:b", "c", "d"},
        [NAME_TARGET] = {"icmp:192.0.2.1", "tcp:[2001:db8::1]:443", "tls:a.example:443",
                         "dns:192.0.2.53/kp./SOA", "https://a.example/x?y=\"z\"\\",
                         "block:192.0.2.0/24"},
        [NAME_CONTROL] = {"icmp:192.0.2.1", "tcp:192.0.2.1:25", "smtp:mail.example",
                          "dns:[2001:db8::1]:53/a/AAAA", "http://a.example", "trace:2001:db8::1"},
        [NAME_PREFIX] = {"192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0", "192.0.2.1/32",
                         "2001:db8::1/128"},
        [NAME_PEER] = {"192.0.2.1 1", "2001:db8::1 4294967295", "192.0.2.2 0", "192.0.2.1 2",
                       "::1 64500", "192.0.2.3 64501"},
        [NAME_PATH] = {"", "1", "1 2 3", "1 1 {2,3}", "4294967295 1", "1 (2,3) 4"},
        [NAME_ADDRESS] = {"192.0.2.1", "2001:db8::1", "::", "0.0.0.0", "255.255.255.255", "::1"},
        [NAME_SUBJECT] = {"kp", "a b", "\xc3\xa9", "\"\\", "x", "{}"},
        [NAME_ASN] = {"0", "1", "131279", "4294967295", "64500", "7"},
        [NAME_COUNTRY] = {"KP", "SE", "AA", "ZZ", "EU", "US"},
    };
    const char *name = names[kind][below(state, 6)];
    uint32_t id = registry_intern(registry, kind, name, strlen(name));
    assert_int_not_equal(id, 0);
    return id;
}

static uint32_t pick_extra(struct registry *registry, uint64_t *state)
{
    static const char *const extras[] = {"{\"note\":\"x\"}", "{\"a\":0.1,\"b\":[1,{}],\"c\":null}",
                                         "{\"\\\"\":\"\\u0001\"}"};
    if (below(state, 4))
        return 0;
    const char *extra = extras[below(state, 3)];
    return registry_intern(registry, NAME_TEXT, extra, strlen(extra));
}

static int64_t pick_probe_value(enum value_meaning meaning, uint64_t *state)
{
    switch (meaning) {
    case VALUE_SERIAL:
        return (int64_t)below(state, UINT64_C(1) << 32);
    case VALUE_NOT_AFTER:
        return (int64_t)below(state, UINT64_C(253402300800));
    case VALUE_TTL:
    case VALUE_HOPS:
        return (int64_t)below(state, 256);
    case VALUE_BELIEF:
        return (int64_t)below(state, 101);
    case VALUE_NUMBER:
        break;
    }
    return below(state, 2) ? 0 : (int64_t)draw(state);
}

static void pick_probe(struct registry *registry, uint64_t *state, struct observation *o)
{
    o->source = pick_name(registry, NAME_VANTAGE, state);
    o->target = pick_name(registry, below(state, 3) ? NAME_TARGET : NAME_CONTROL, state);
    o->outcome = (uint8_t)below(state, OUTCOME_COUNT);
    o->stage = (uint8_t)below(state, STAGE_COUNT);
    o->peer = below(state, 2) ? pick_name(registry, NAME_ADDRESS, state) : 0;
    o->code = (uint16_t)(below(state, 2) ? 0 : below(state, 65536));
    o->rtt_ns = (int64_t)(below(state, 2) ? below(state, 1000000000)
                                          : below(state, UINT64_C(86400000000001)));
    enum target_kind kind = (enum target_kind)registry_target(registry, o->target)->kind;
    o->value = pick_probe_value(value_meaning(kind), state);
}

static void pick_bin(struct registry *registry, uint64_t *state, struct observation *o)
{
    uint64_t whose = below(state, 3);
    o->target = whose ? pick_name(registry, whose == 1 ? NAME_ASN : NAME_COUNTRY, state) : 0;
    o->peer = below(state, 2) ? pick_name(registry, NAME_SUBJECT, state) : 0;
    o->family = below(state, 2) ? 4 : 6;
    o->known = (int64_t)(draw(state) >> (1 + below(state, 63)));
    o->value = (int64_t)below(state, (uint64_t)o->known + 1);
    o->peers_total = (uint16_t)below(state, 65536);
    o->code = (uint16_t)below(state, o->peers_total + UINT64_C(1));
}

static struct observation pick_observation(struct registry *registry, uint64_t *state)
{
    struct observation o = {.kind = (uint8_t)(1 + below(state, OBSERVATION_SUBJECT - 1))};
    if (below(state, OBSERVATION_SUBJECT) == 0)
        o.kind = OBSERVATION_BIN;
    bool is_source_vantage = below(state, 2);
    o.time.ns = (int64_t)(1 + below(state, UINT64_C(9214646400) * 1000000000 - 2));
    o.extra = pick_extra(registry, state);
    switch ((enum observation_kind)o.kind) {
    case OBSERVATION_PROBE:
        pick_probe(registry, state, &o);
        break;
    case OBSERVATION_ROUTE:
    case OBSERVATION_PEER:
        o.source = pick_name(registry, NAME_COLLECTOR, state);
        o.peer = pick_name(registry, NAME_PEER, state);
        o.code = (uint16_t)(1 + below(state, 3));
        if (o.kind == OBSERVATION_PEER)
            o.value = (int64_t)below(state, UINT64_C(1) << 32);
        else
            o.target = pick_name(registry, NAME_PREFIX, state);
        if (o.kind == OBSERVATION_ROUTE && below(state, 2))
            o.path = pick_name(registry, NAME_PATH, state);
        break;
    case OBSERVATION_VISIBILITY:
        o.source = pick_name(registry, NAME_COLLECTOR, state);
        o.target = pick_name(registry, NAME_PREFIX, state);
        o.value = (int64_t)below(state, 65536);
        o.code = (uint16_t)below(state, (uint64_t)o.value + 1);
        break;
    case OBSERVATION_BIN:
        pick_bin(registry, state, &o);
        break;
    case OBSERVATION_GAP:
    case OBSERVATION_START:
    case OBSERVATION_STOP:
        o.source = pick_name(registry, is_source_vantage ? NAME_VANTAGE : NAME_COLLECTOR, state);
        if (o.kind != OBSERVATION_GAP)
            break;
        o.value = o.time.ns +
                  (int64_t)below(state, 1 + UINT64_C(9214646399999999999) - (uint64_t)o.time.ns);
        o.path = below(state, 2) ? pick_name(registry, NAME_TEXT, state) : 0;
        break;
    default:
        break;
    }
    return o;
}

static void test_random_observations_come_back(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    const char *given = getenv("LASTLIGHT_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20220126, random = seed * 2 + 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct reading *reading = reading_new();
    struct observation *sent = mem_new(COUNT, sizeof *sent);
    struct buffer log = {0};
    for (size_t i = 0; i < COUNT; i++) {
        sent[i] = pick_observation(reading->registry, &random);
        out_log_line(reading->registry, &sent[i], &log);
    }
    uint32_t names = registry_count(reading->registry);
    read_more(reading, log.bytes, log.size);
    assert_string_equal(reading->faults.bytes, "");
    assert_int_equal(reading->count, COUNT);
    assert_int_equal(registry_count(reading->registry), names);
    for (size_t i = 0; i < COUNT; i++)
        assert_memory_equal(&reading->list[i], &sent[i], sizeof *sent);
    char *again = write_all(reading);
    assert_string_equal(again, log.bytes);
    free(again);
    free(sent);
    buffer_done(&log);
    reading_free(reading);
}

/* A log cut off at any byte gives what stood before, and at most one fault. */
static void test_truncation_at_each_byte(void **state)
{
    (void)state;
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof canonical_lines / sizeof *canonical_lines; i++)
        buffer_printf(&text, "%s\n", canonical_lines[i]);
    size_t whole = 0;
    for (size_t n = 0; n <= text.size; n++) {
        struct reading *reading = reading_new();
        char *exact = malloc(n ? n : 1); /* so that the sanitizer sees a byte too far */
        memcpy(exact, text.bytes, n);
        read_more(reading, exact, n);
        free(exact);
        assert_int_equal(reading->end, 0);
        assert_true(reading->counts.bad <= 1);
        assert_true(reading->counts.records - reading->counts.bad >= whole);
        whole += n && text.bytes[n - 1] == '\n';
        reading_free(reading);
    }
    assert_int_equal(whole, sizeof canonical_lines / sizeof *canonical_lines);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_lines_come_back),
        cmocka_unit_test(test_other_ways_to_write),
        cmocka_unit_test(test_bad_lines_are_named_and_passed_over),
        cmocka_unit_test(test_newer_version_ends_the_stream),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_meta_becomes_subject_and_members),
        cmocka_unit_test(test_meta_without_subject_is_nothing),
        cmocka_unit_test(test_random_observations_come_back),
        cmocka_unit_test(test_truncation_at_each_byte),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
