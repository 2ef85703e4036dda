/* source/mrt/route_reader: archives, BMP sessions and RIS Live told apart; what the latter two hold as
 * elements, the same as an archive of it would give; and what damage costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "app/route_dump.h"
#include "ris_maker.h"
#include "source/mrt/mrt_reader.h"
#include "source/mrt/route_reader.h"

#include <stdlib.h>
#include <unistd.h>

#define NOON INT64_C(1700049600)
static const struct utc noon = {NOON * NS_PER_S};
static const struct bmp_about plain = {
    .addr = "192.0.2.9", .asn = 65001, .time = {NOON * NS_PER_S}};

/* ---- reading ---- */

/* Elements are noted as the lines of `bgpdump -m`. */
static bool is_dumped;

struct result {
    struct buffer text, faults;
    struct stream_faults counts;
    struct route_reader *reader;
    struct route_dump *dump;
    struct why why;
    int end;
};

static void note_fault(void *context, const char *fault)
{
    buffer_printf(context, "%s\n", fault);
}

static void note_part(void *context, const char *fault)
{
    route_reader_report(((struct result *)context)->reader, fault);
}

static void note_route(const struct element *element, struct buffer *out)
{
    char text[PREFIX_TEXT_MAX];
    buffer_printf(out, " %s", prefix_format(&element->prefix, text));
    if (element->has_path_id)
        buffer_printf(out, "#%u", element->path_id);
    if (element->kind != ELEMENT_ANNOUNCE)
        return;
    buffer_puts(out, " [");
    bgp_path_format(&element->attributes->path, out);
    buffer_puts(out, "]");
}

static void note_dumped(struct result *result, const struct element *element)
{
    static char room[ROUTE_LINE_MAX];
    const struct route_file file = {.path = "a", .record = result->counts.records};
    char *end = route_dump_line(result->dump, &file, element, room);
    buffer_add(&result->text, room, (size_t)(end - room));
}

/* "SECONDS[.MICROSECONDS] KIND PEER ASN [sent] [TABLE] [@DISTINGUISHER] ...", seconds since noon. */
static void note(void *context, const struct element *element)
{
    static const char *const kinds[] = {"announce", "withdraw", "table", "state", "end", "message"};
    struct result *result = context;
    struct buffer *out = &result->text;
    char addr[ADDR_TEXT_MAX] = "nobody";
    if (is_dumped) {
        note_dumped(result, element);
        return;
    }
    if (result->reader->collector)
        buffer_printf(out, "%s: ", result->reader->collector);
    if (!utc_is_known(element->time))
        buffer_puts(out, "?");
    else
        buffer_printf(out, "%d", (int)(element->time.ns / NS_PER_S - NOON));
    if (element->time.ns % NS_PER_S)
        buffer_printf(out, ".%06u", (unsigned)(element->time.ns % NS_PER_S / 1000));
    if (element->peer->addr.family)
        addr_format(&element->peer->addr, addr);
    buffer_printf(out, " %s %s %u", kinds[element->kind], addr, element->peer->asn);
    buffer_puts(out, element->is_from_collector ? " sent" : "");
    if (element->table != BMP_TABLES)
        buffer_printf(out, " %s", bmp_table_name(element->table));
    if (element->distinguisher)
        buffer_printf(out, " @%llu", (unsigned long long)element->distinguisher);
    if (element->kind == ELEMENT_STATE)
        buffer_printf(out, " %u>%u", element->state.before, element->state.after);
    else if (element->kind == ELEMENT_END_OF_RIB)
        buffer_printf(out, " %u", element->prefix.addr.family);
    else if (element->kind == ELEMENT_MESSAGE)
        buffer_printf(out, " %u", element->message);
    else
        note_route(element, out);
    assert_int_equal(element->header->type, MRT_BGP4MP_ET);
    buffer_puts(out, "\n");
}

static struct result read_filtered(const void *bytes, size_t n, const struct element_filter *filter)
{
    static const struct route_dump_options usual;
    struct result result = {.counts = {.report = note_fault}, .dump = route_dump_new(&usual)};
    uint8_t head[ROUTE_HEAD];
    char path[] = "/tmp/lastlight-routes-XXXXXX";
    struct input *input;
    archive_write(path, bytes, n);
    assert_int_equal(input_open(path, &input, &result.why), ERR_OK);
    size_t head_size = input_fill(input, head, 0, ROUTE_HEAD);
    assert_int_equal(head_size, n < ROUTE_HEAD ? n : ROUTE_HEAD);
    buffer_puts(&result.text, "");
    buffer_puts(&result.faults, "");
    struct element_walk walk = {.filter = filter, .take = note, .report = note_part};
    result.counts.context = &result.faults;
    walk.context = &result;
    result.reader =
        route_reader_new(route_form_of(head, head_size), input, head, head_size, &result.counts);
    while ((result.end = route_reader_next(result.reader, &result.why)) > 0)
        route_reader_walk(result.reader, &walk);
    element_walk_done(&walk);
    route_reader_free(result.reader);
    route_dump_free(result.dump);
    input_close(input);
    unlink(path);
    return result;
}

static struct result read_bytes(const void *bytes, size_t n)
{
    return read_filtered(bytes, n, NULL);
}

static void result_done(struct result *result)
{
    buffer_done(&result->text);
    buffer_done(&result->faults);
}

/* Reads what was made, compares, and clears it. */
static void expect_filtered(struct buffer *bytes, const struct element_filter *filter,
                            const char *text, const char *faults)
{
    struct result result = read_filtered(bytes->bytes, bytes->size, filter);
    assert_string_equal(result.text.bytes, text);
    const char *place = strchr(result.faults.bytes, ':'); /* behind the name of the file */
    assert_string_equal(place ? place : "", faults);
    assert_int_equal(result.end, 0);
    result_done(&result);
    buffer_clear(bytes);
}

static void expect(struct buffer *bytes, const char *text)
{
    expect_filtered(bytes, NULL, text, "");
}

/* ---- which ---- */

static void forms(void **state)
{
    static const struct {
        const char *head;
        size_t n;
        enum route_form form;
    } cases[] = {
        {"\x03\0\0\0\x20\x04", 6, ROUTE_FORM_BMP},
        {"\x03\0\0\x01\0\x05\0\0\0\0\0\0", 12, ROUTE_FORM_BMP}, /* of MRT, type 5, it is of 1971 */
        {"\x03\0\0\0\x05\x04", 6, ROUTE_FORM_MRT},
        {"\x03\0\0\0", 4, ROUTE_FORM_MRT},
        {"\x62\0\xae\xd8\0\x10\0\x04\0\0\0\x29", 12, ROUTE_FORM_MRT},
        {"{\"type\":\"ris_message\",\"data\":{", 30, ROUTE_FORM_RIS_LIVE},
        {"{\"type\": \"ris_error\", \"data\": {", 30, ROUTE_FORM_RIS_LIVE},
        {"{\"type\":\"tick\",\"time\":\"2022-02-0", 32, ROUTE_FORM_LOG},
        {"# a text", 8, ROUTE_FORM_MRT},
        {"", 0, ROUTE_FORM_MRT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(route_form_of((const uint8_t *)cases[i].head, cases[i].n), cases[i].form);
}

/* ---- BMP ---- */

static void bmp_elements(void **state)
{
    struct buffer bytes = {0};
    struct bmp_about later = plain;
    (void)state;
    later.time.ns += 3 * NS_PER_S + 250 * INT64_C(1000);
    bmp_initiation(&bytes, "edge 1\n");
    bmp_up(&bytes, &plain, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
    bmp_update(&bytes, &later, NULL, "65001 4837", "198.51.100.0/24 9.0.0.0/8");
    bmp_update(&bytes, &later, "9.0.0.0/8", NULL, NULL);
    bmp_update(&bytes, &later, NULL, NULL, NULL);
    bmp_end_of_rib6(&bytes, &later);
    bmp_down(&bytes, &later, 4);
    bmp_termination(&bytes, 0);
    expect(&bytes,
           "edge1: 0 state 192.0.2.9 65001 5>6\n"
           "edge1: 3.000250 announce 192.0.2.9 65001 pre-policy 198.51.100.0/24 [65001 4837]\n"
           "edge1: 3.000250 announce 192.0.2.9 65001 pre-policy 9.0.0.0/8 [65001 4837]\n"
           "edge1: 3.000250 withdraw 192.0.2.9 65001 pre-policy 9.0.0.0/8\n"
           "edge1: 3.000250 end 192.0.2.9 65001 pre-policy 4\n"
           "edge1: 3.000250 end 192.0.2.9 65001 pre-policy 6\n"
           "edge1: 3.000250 state 192.0.2.9 65001 6>1\n");
    buffer_done(&bytes);
}

/* RFC 7854, 4.2 (L), 8671, 4 (O), 9069, 4: a session is told of once, but Loc-RIB has its own. */
static void bmp_tables(void **state)
{
    static const unsigned flags[] = {0, 0x40, 0x50, 0x10};
    struct buffer bytes = {0};
    struct element_filter filter = {.tables = 1U << BMP_LOC_RIB | 1U << BMP_OUT_POST_POLICY};
    struct bmp_about peer = plain, own = {.asn = 65000, .type = 3, .time = noon};
    struct bmp_about instance = plain, nobody = {.addr = "0.0.0.0"};
    (void)state;
    instance.type = 1;
    instance.distinguisher = 7;
    for (int filtered = 0; filtered < 2; filtered++) {
        bmp_up(&bytes, &plain, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            peer.flags = flags[i];
            bmp_update(&bytes, &peer, "9.0.0.0/8", NULL, NULL);
        }
        bmp_up(&bytes, &own, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
        bmp_update(&bytes, &own, "9.0.0.0/8", NULL, NULL);
        bmp_update(&bytes, &instance, "9.0.0.0/8", NULL, NULL);
        if (filtered)
            expect_filtered(&bytes, &filter,
                            "0 withdraw 192.0.2.9 65001 sent adj-rib-out 9.0.0.0/8\n"
                            "0 state 10.0.0.1 65000 loc-rib 5>6\n"
                            "0 withdraw 10.0.0.1 65000 loc-rib 9.0.0.0/8\n",
                            "");
        else
            expect(&bytes, "0 state 192.0.2.9 65001 5>6\n"
                           "0 withdraw 192.0.2.9 65001 pre-policy 9.0.0.0/8\n"
                           "0 withdraw 192.0.2.9 65001 post-policy 9.0.0.0/8\n"
                           "0 withdraw 192.0.2.9 65001 sent adj-rib-out 9.0.0.0/8\n"
                           "0 withdraw 192.0.2.9 65001 sent adj-rib-out-pre-policy 9.0.0.0/8\n"
                           "0 state 10.0.0.1 65000 loc-rib 5>6\n"
                           "0 withdraw 10.0.0.1 65000 loc-rib 9.0.0.0/8\n"
                           "0 withdraw 192.0.2.9 65001 pre-policy @7 9.0.0.0/8\n");
    }
    bmp_down(&bytes, &nobody, 2);
    expect(&bytes, "? state 0.0.0.0 0 6>1\n"); /* no time before it, and none of its own */
    buffer_done(&bytes);
}

/* Who may send path identifiers depends on who speaks in the table. */
static void bmp_sessions(void **state)
{
    static const char sends[] = BMP_OPEN_V4 "\x45\x04\x00\x01\x01\x02";
    static const char receives[] = BMP_OPEN_V4 "\x45\x04\x00\x01\x01\x01";
    struct buffer bytes = {0};
    struct bmp_about out = plain, other = plain, timeless = plain;
    (void)state;
    out.flags = 0x50;
    other.addr = "2001:db8::9";
    timeless.time.ns = 0;
    bmp_up_n(&bytes, &plain, receives, sizeof receives - 1, sends, sizeof sends - 1);
    bmp_up(&bytes, &other, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
    bmp_update(&bytes, &plain, "9.0.0.0/8#5", NULL, NULL);
    bmp_update(&bytes, &out, "9.0.0.0/8", NULL, NULL);
    bmp_update(&bytes, &other, "9.0.0.0/8", NULL, NULL);
    bmp_down(&bytes, &timeless, 4);
    /* now it can only be guessed: two default routes, or one with an identifier */
    bmp_update(&bytes, &timeless, "9.0.0.0/8#5", NULL, NULL);
    bmp_update(&bytes, &other, "0.0.0.0/0 0.0.0.0/0", NULL, NULL);
    expect(&bytes, "0 state 192.0.2.9 65001 5>6\n"
                   "0 state 2001:db8::9 65001 5>6\n"
                   "0 withdraw 192.0.2.9 65001 pre-policy 9.0.0.0/8#5\n"
                   "0 withdraw 192.0.2.9 65001 sent adj-rib-out 9.0.0.0/8\n"
                   "0 withdraw 2001:db8::9 65001 pre-policy 9.0.0.0/8\n"
                   "0 state 192.0.2.9 65001 6>1\n"
                   "0 withdraw 192.0.2.9 65001 pre-policy 9.0.0.0/8#5\n"
                   "0 withdraw 2001:db8::9 65001 pre-policy 0.0.0.0/0\n"
                   "0 withdraw 2001:db8::9 65001 pre-policy 0.0.0.0/0\n");
    buffer_done(&bytes);
}

/* Of a session between old speakers (2-byte ASNs) UPDATEs may have the A flag, be rewritten to four bytes
 * without it, or be left as they are without it. */
static void bmp_old_speakers(void **state)
{
    static const char as2[] =
        "\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x02\xfd\xe9\x12\xe5\x40\x03\x04"
        "\xc0\0\x02\x09\x08\x09";
    struct buffer bytes = {0}, update = {0};
    struct bmp_about flagged = plain;
    (void)state;
    flagged.flags = 0x20;
    buffer_add(&update, as2, sizeof as2 - 1);
    bmp_up(&bytes, &plain, "", "");
    bmp_monitoring(&bytes, &flagged, &update);
    bmp_update(&bytes, &plain, NULL, "65001 4837", "9.0.0.0/8");
    bmp_monitoring(&bytes, &plain, &update);
    bmp_down(&bytes, &plain, 4);
    bmp_monitoring(&bytes, &plain, &update); /* of no known session */
    expect(&bytes, "0 state 192.0.2.9 65001 5>6\n"
                   "0 announce 192.0.2.9 65001 pre-policy 9.0.0.0/8 [65001 4837]\n"
                   "0 announce 192.0.2.9 65001 pre-policy 9.0.0.0/8 [65001 4837]\n"
                   "0 announce 192.0.2.9 65001 pre-policy 9.0.0.0/8 [65001 4837]\n"
                   "0 state 192.0.2.9 65001 6>1\n"
                   "0 announce 192.0.2.9 65001 pre-policy 9.0.0.0/8 [65001 4837]\n");
    buffer_done(&update);
    buffer_done(&bytes);
}

/* RFC 7854, 4.9: a NOTIFICATION comes with the reasons 1 (sent) and 3 (received). */
static void bmp_notifications(void **state)
{
    struct buffer bytes = {0};
    (void)state;
    for (unsigned reason = 1; reason <= 3; reason++) {
        struct buffer body = {0}, cease = {0};
        bmp_about_peer(&body, &plain);
        buffer_u8(&body, (uint8_t)reason);
        buffer_add(&cease, "\x06\x02", 2);
        bmp_bgp(&body, 3, &cease);
        bmp_message(&bytes, 2, &body);
        buffer_done(&cease);
    }
    bmp_down(&bytes, &plain, 3); /* without it */
    expect(&bytes, "0 message 192.0.2.9 65001 sent 3\n"
                   "0 state 192.0.2.9 65001 6>1\n"
                   "0 state 192.0.2.9 65001 6>1\n"
                   "0 message 192.0.2.9 65001 3\n"
                   "0 state 192.0.2.9 65001 6>1\n"
                   "0 state 192.0.2.9 65001 6>1\n");
    buffer_done(&bytes);
}

/* Beyond the cap nothing is lost but certainty. */
static void bmp_many_peers(void **state)
{
    struct buffer bytes = {0};
    (void)state;
    for (unsigned i = 0; i <= 4096; i++) {
        char addr[32];
        struct bmp_about peer = plain;
        snprintf(addr, sizeof addr, "10.0.%u.%u", i * 7 % 4097 / 256, i * 7 % 4097 % 256);
        peer.addr = addr;
        bmp_up(&bytes, &peer, BMP_OPEN_ADD_PATH, BMP_OPEN_ADD_PATH);
        bmp_update(&bytes, &peer, "9.0.0.0/8#7", NULL, NULL);
    }
    struct result result = read_bytes(bytes.bytes, bytes.size);
    unsigned found = 0;
    for (const char *at = result.text.bytes; (at = strstr(at, "9.0.0.0/8#7")); at++)
        found++;
    assert_int_equal(found, 4097);
    assert_int_equal(result.counts.bad, 1);
    assert_non_null(strstr(result.faults.bytes, "there are more peers than can be kept"));
    result_done(&result);
    buffer_done(&bytes);
}

/* ---- RIS Live ---- */

static void ris_elements(void **state)
{
    struct buffer lines = {0}, raw = {0}, body = {0};
    struct ris_about peer = {.time = {noon.ns + 250 * NS_PER_MS}, .asn = 65001};
    struct ris_about other = {.time = noon, .host = "rrc01.ripe.net", .peer = "2001:db8::9"};
    (void)state;
    ris_state(&lines, &peer, "connected");
    ris_line(&lines, &peer, "OPEN",
             ",\"direction\":\"sent\",\"raw\":\""
             "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001D0104FDE800B4C000020900\"");
    ris_state(&lines, &peer, "up");
    ris_keepalive(&lines, &peer);
    ris_update(&lines, &peer, NULL, "65001 4837", "198.51.100.0/24 9.0.0.0/8");
    ris_update(&lines, &other, "9.0.0.0/8#5", NULL, NULL);
    buffer_puts(&lines, "\n{\"type\":\"pong\",\"data\":null}\r\n");
    ris_state(&lines, &peer, "strange");
    ris_state(&lines, &peer, "down");
    /* two messages in one: the attributes of the second are its own */
    bmp_bgp(&raw, 4, &body);
    buffer_add(&body, "\0\0\0\0", 4);
    bmp_bgp(&raw, 2, &body);
    ris_raw(&lines, &peer, "UPDATE", &raw);
    expect(&lines, "rrc00: 0.250000 state 192.0.2.9 65001 0>4\n"
                   "rrc00: 0.250000 message 192.0.2.9 65001 sent 1\n"
                   "rrc00: 0.250000 state 192.0.2.9 65001 5>6\n"
                   "rrc00: 0.250000 message 192.0.2.9 65001 4\n"
                   "rrc00: 0.250000 announce 192.0.2.9 65001 198.51.100.0/24 [65001 4837]\n"
                   "rrc00: 0.250000 announce 192.0.2.9 65001 9.0.0.0/8 [65001 4837]\n"
                   "rrc01: 0 withdraw 2001:db8::9 65001 9.0.0.0/8#5\n"
                   "rrc00: 0.250000 state 192.0.2.9 65001 0>1\n"
                   "rrc00: 0.250000 message 192.0.2.9 65001 4\n"
                   "rrc00: 0.250000 end 192.0.2.9 65001 4\n");
    buffer_done(&raw);
    buffer_done(&body);
    buffer_done(&lines);
}

/* What is kept of one UPDATE to be written again is not that of another in the same line. */
static void ris_two_updates(void **state)
{
    static const char *const paths[] = {"65001 4837", "65001 131279"};
    struct buffer lines = {0}, raw = {0};
    struct ris_about peer = {.time = noon};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer attributes = {0}, update = {0};
        make_attributes(&attributes, paths[i]);
        make_u16(&update, 0);
        make_u16(&update, (unsigned)attributes.size);
        buffer_add(&update, attributes.bytes, attributes.size);
        make_prefixes(&update, "9.0.0.0/8");
        bmp_bgp(&raw, BGP_UPDATE, &update);
        buffer_done(&attributes);
        buffer_done(&update);
    }
    ris_raw(&lines, &peer, "UPDATE", &raw);
    is_dumped = true;
    struct result result = read_bytes(lines.bytes, lines.size);
    is_dumped = false;
    assert_non_null(strstr(result.text.bytes, "|65001 4837|"));
    assert_non_null(strstr(result.text.bytes, "|65001 131279|"));
    result_done(&result);
    buffer_done(&raw);
    buffer_done(&lines);
}

/* A bad line costs itself, and its number is told. */
static void ris_damage(void **state)
{
    struct buffer lines = {0};
    struct ris_about peer = {.time = noon}, bare = {.time = noon, .is_without_raw = true};
    (void)state;
    ris_update(&lines, &peer, "9.1.0.0/16", NULL, NULL);
    ris_update(&lines, &bare, "9.2.0.0/16", NULL, NULL);
    buffer_puts(&lines, "{\"type\":\"ris_message\",\n");
    buffer_puts(&lines, "{\"type\":\"ris_error\",\"data\":{\"message\":\"too slow\"}}\n");
    ris_line(&lines, &peer, "UPDATE", ",\"raw\":\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001709\"");
    ris_line(&lines, &peer, "UPDATE", ",\"raw\":\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001309\"");
    ris_bytes(&lines, &peer, "\0\x09\0\0", 4);
    ris_update(&lines, &peer, "9.3.0.0/16", NULL, NULL);
    struct result result = read_bytes(lines.bytes, lines.size);
    assert_string_equal(result.text.bytes, "rrc00: 0 withdraw 192.0.2.9 65001 9.1.0.0/16\n"
                                           "rrc00: 0 withdraw 192.0.2.9 65001 9.3.0.0/16\n");
    static const char *const faults[] = {
        ":2: a message without its raw bytes, which are what counts: subscribe with includeRaw\n",
        ":3: it is not JSON\n",
        ":4: the service says: too slow\n",
        ":5: ends too early\n",
        ":6: a BGP message is of an unknown type\n",
        ":7: the lengths within the UPDATE do not fit\n",
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (!strstr(result.faults.bytes, faults[i]))
            fail_msg("no '%s' in\n%s", faults[i], result.faults.bytes);
    assert_int_equal(result.counts.bad, 6);
    assert_int_equal(result.counts.records, 8);
    assert_int_equal(result.end, 0);
    result_done(&result);
    buffer_done(&lines);
}

/* ---- the same in all forms ---- */

/* Each UPDATE as a record of an archive, a message of BMP and a line of RIS Live. */
struct copies {
    struct buffer of[3];
    unsigned count;
};

static void copy_update(struct copies *copies, struct utc time, const struct mrt_record *record)
{
    struct buffer body = {0}, message = {0}, extended = {0};
    const struct mrt_peer *peer = &record->peer;
    char addr[ADDR_TEXT_MAX];
    addr_format(&peer->addr, addr);
    struct bmp_about bmp = {.addr = addr, .asn = peer->asn, .time = time};
    struct ris_about ris = {.peer = addr, .asn = peer->asn, .time = time};
    buffer_add(&body, record->message.body.at, reader_left(&record->message.body));
    bmp_bgp(&message, BGP_UPDATE, &body);
    make_u32(&extended, (uint32_t)(time.ns % NS_PER_S / 1000));
    make_u32(&extended, peer->asn);
    make_u32(&extended, 12654);
    make_u16(&extended, 0);
    make_u16(&extended, peer->addr.family == 6 ? 2 : 1);
    for (int i = 0; i < 2; i++)
        buffer_add(&extended, peer->addr.bytes, peer->addr.family == 6 ? 16 : 4);
    buffer_add(&extended, message.bytes, message.size);
    make_record(&copies->of[0], (uint32_t)(time.ns / NS_PER_S), MRT_BGP4MP_ET, 4, &extended);
    bmp_monitoring(&copies->of[1], &bmp, &body);
    ris_bytes(&copies->of[2], &ris, body.bytes, body.size);
    copies->count++;
    buffer_done(&body);
    buffer_done(&message);
}

static void copy_archive(struct copies *copies, const char *path)
{
    struct stream_faults faults = {0};
    struct mrt_reader reader;
    struct mrt_header header;
    struct mrt_record record;
    struct reader body;
    struct input *input;
    assert_int_equal(input_open(path, &input, NULL), ERR_OK);
    mrt_reader_init(&reader, input, NULL, 0, &faults);
    while (mrt_reader_next(&reader, &header, &body, NULL) > 0) {
        struct utc time = {header.seconds * NS_PER_S + copies->count % 1000 * NS_PER_MS};
        if (!mrt_record_decode(&header, body, &record) && record.kind == MRT_KIND_MESSAGE &&
            record.message.type == BGP_UPDATE)
            copy_update(copies, time, &record);
    }
    mrt_reader_done(&reader);
    input_close(input);
}

/* The lines of `bgpdump -m` show all that an element has which is no matter of BMP or RIS Live alone. */
static void check_copies(struct copies *copies)
{
    struct result results[3];
    is_dumped = true;
    for (int i = 0; i < 3; i++) {
        results[i] = read_bytes(copies->of[i].bytes, copies->of[i].size);
        assert_string_equal(results[i].text.bytes, results[0].text.bytes);
        assert_int_equal(results[i].counts.bad, results[0].counts.bad);
        assert_int_equal(results[i].counts.records, copies->count);
    }
    assert_true(results[0].text.size > copies->count * 20);
    for (int i = 0; i < 3; i++) {
        result_done(&results[i]);
        buffer_done(&copies->of[i]);
    }
    is_dumped = false;
}

/* Two-byte ASNs by nobody's word, a wrong attribute, path identifiers, IPv6. */
static void same_made(void **state)
{
    static const char *const attributes[] = {
        "\x40\x01\x01\0\x40\x02\x0a\x02\x02\0\0\xfd\xe9\0\0\x12\xe5\x40\x03\x04\xc0\0\x02\x09",
        "\x40\x01\x01\x07\x40\x02\x0a\x02\x02\0\0\xfd\xe9\0\0\x12\xe5\x40\x03\x04\xc0\0\x02\x09"};
    static const char *const prefixes[] = {"9.0.0.0/8", "9.0.0.0/8#1 9.1.0.0/16#2", "0.0.0.0/0"};
    struct copies copies = {0};
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct buffer body = {0};
        make_u16(&body, 0);
        make_u16(&body, 24);
        buffer_add(&body, attributes[i % 2], 24);
        make_prefixes(&body, prefixes[i / 2]);
        struct mrt_record record = {.peer = {.addr = {.family = i & 4 ? 6 : 4}, .asn = 4200000001},
                                    .message.body = reader_of(body.bytes, body.size)};
        copy_update(&copies, (struct utc){noon.ns + (int64_t)i * 250 * NS_PER_MS}, &record);
        buffer_done(&body);
    }
    check_copies(&copies);
}

static void same_real(void **state)
{
    const char *folder = getenv("LASTLIGHT_DATA"), *root = getenv("LASTLIGHT_ROOT");
    char path[640];
    struct copies copies = {0};
    (void)state;
    snprintf(path, sizeof path, "%s%s/ris-2022-02/updates.20220207.0530.gz",
             folder ? folder
             : root ? root
                    : ".",
             folder ? "" : "/../shared/data");
    if (access(path, R_OK) != 0) {
        print_message("skipped: there is no %s; LASTLIGHT_DATA may name the folder\n", path);
        skip();
    }
    copy_archive(&copies, path);
    assert_true(copies.count > 1000);
    check_copies(&copies);
}

/* ---- damage ---- */

/* Three messages, of which something is wrong with the second. */
static void three_messages(struct buffer *bytes, size_t ends[3])
{
    static const char *const prefixes[] = {"9.1.0.0/16", "9.2.0.0/16", "9.3.0.0/16"};
    buffer_clear(bytes);
    for (size_t i = 0; i < 3; i++) {
        bmp_update(bytes, &plain, NULL, "65001 4837", prefixes[i]);
        ends[i] = bytes->size;
    }
}

static bool has(const struct result *result, const char *prefix)
{
    return strstr(result->text.bytes, prefix) != NULL;
}

/* Cut after each byte: all whole messages are used, and the place of the cut one is told. */
static void bmp_truncated(void **state)
{
    struct buffer bytes = {0};
    size_t ends[3];
    (void)state;
    three_messages(&bytes, ends);
    for (size_t n = BMP_HEADER; n < bytes.size; n++) {
        struct result result = read_bytes(bytes.bytes, n);
        bool is_clean = n == ends[0] || n == ends[1];
        char place[32];
        snprintf(place, sizeof place, ": byte %zu: ",
                 n >= ends[1]   ? ends[1]
                 : n >= ends[0] ? ends[0]
                                : 0);
        assert_int_equal(has(&result, "9.1.0.0/16"), n >= ends[0]);
        assert_int_equal(has(&result, "9.2.0.0/16"), n >= ends[1]);
        assert_int_equal(result.end, is_clean ? 0 : -1);
        assert_int_equal(result.counts.bad, 0);
        if (!is_clean)
            assert_non_null(strstr(result.why.text, place));
        result_done(&result);
    }
    buffer_done(&bytes);
}

/* Any byte changed: never a crash, and never more lost than the message that it is in. */
static void bmp_flipped(void **state)
{
    static const uint8_t masks[] = {0x01, 0x04, 0x80, 0xff};
    struct buffer bytes = {0};
    size_t ends[3];
    (void)state;
    three_messages(&bytes, ends);
    for (size_t at = ends[0]; at < ends[1]; at++)
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes.bytes[at] = (char)(bytes.bytes[at] ^ masks[m]);
            struct result result = read_bytes(bytes.bytes, bytes.size);
            if (!has(&result, "9.1.0.0/16") || !has(&result, "9.3.0.0/16"))
                fail_msg("byte %zu, mask %u: %s%s", at - ends[0], masks[m], result.text.bytes,
                         result.faults.bytes);
            result_done(&result);
            bytes.bytes[at] = (char)(bytes.bytes[at] ^ masks[m]);
        }
    buffer_done(&bytes);
}

static void check_damage(struct buffer *bytes, bool has_second, const char *fault)
{
    struct result result = read_bytes(bytes->bytes, bytes->size);
    assert_true(has(&result, "9.1.0.0/16") && has(&result, "9.3.0.0/16"));
    assert_int_equal(has(&result, "9.2.0.0/16"), has_second);
    assert_int_equal(result.counts.bad, *fault != 0);
    assert_int_equal(result.end, 0);
    if (!strstr(result.faults.bytes, fault))
        fail_msg("no '%s' in %s", fault, result.faults.bytes);
    result_done(&result);
}

static void insert(struct buffer *bytes, size_t at, const char *what, size_t n)
{
    struct buffer copy = {0};
    buffer_add(&copy, bytes->bytes, at);
    buffer_add(&copy, what, n);
    buffer_add(&copy, bytes->bytes + at, bytes->size - at);
    buffer_done(bytes);
    *bytes = copy;
}

static void bmp_damage(void **state)
{
    struct buffer bytes = {0};
    size_t ends[3];
    char fault[100];
    (void)state;
    three_messages(&bytes, ends);
    insert(&bytes, ends[0], "some garbage that is no message", 31);
    snprintf(fault, sizeof fault, ": byte %zu: no BMP message begins here; 31 bytes passed",
             ends[0]);
    check_damage(&bytes, true, fault);
    /* an UPDATE that makes no sense, well framed; a peer of no known type; a wrong length */
    three_messages(&bytes, ends);
    bytes.bytes[ends[1] - 3] = 33;
    check_damage(&bytes, false, ": the prefixes are malformed");
    three_messages(&bytes, ends);
    bytes.bytes[ends[0] + BMP_HEADER] = 9;
    check_damage(&bytes, false, ": a peer is of an unknown type");
    for (int length = 0; length < 256; length++) {
        three_messages(&bytes, ends);
        if ((size_t)length == ends[1] - ends[0])
            continue;
        bytes.bytes[ends[0] + 4] = (char)length;
        struct result result = read_bytes(bytes.bytes, bytes.size);
        snprintf(fault, sizeof fault, ": byte %zu: ", ends[0]);
        assert_true(has(&result, "9.1.0.0/16") && has(&result, "9.3.0.0/16"));
        assert_non_null(strstr(result.faults.bytes, fault));
        result_done(&result);
    }
    /* RFC 7854, 4.1: what is not known is no damage */
    three_messages(&bytes, ends);
    insert(&bytes, ends[0], "\x03\0\0\0\x09\x63xyz", 9);
    check_damage(&bytes, true, "");
    buffer_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(bmp_elements),
        cmocka_unit_test(bmp_tables),
        cmocka_unit_test(bmp_sessions),
        cmocka_unit_test(bmp_old_speakers),
        cmocka_unit_test(bmp_notifications),
        cmocka_unit_test(bmp_many_peers),
        cmocka_unit_test(ris_elements),
        cmocka_unit_test(ris_damage),
        cmocka_unit_test(ris_two_updates),
        cmocka_unit_test(same_made),
        cmocka_unit_test(same_real),
        cmocka_unit_test(bmp_truncated),
        cmocka_unit_test(bmp_flipped),
        cmocka_unit_test(bmp_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
