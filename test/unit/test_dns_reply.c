/* source/dns/dns_message: what each reply to a query comes to. Replies are written byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/dns/dns_message.h"

#include <string.h>

enum { QR = 0x80, AA = 0x04, TC = 0x02, RD = 0x01, RA = 0x80 };

struct reply {
    uint8_t bytes[1024];
    size_t n;
};

static struct dns_query query_for(const char *name, const char *type)
{
    struct dns_query query = {0};
    assert_true(
        dns_query_make(name, strlen(name), type, strlen(type), DNS_RECURSE, 0xbeef, &query));
    return query;
}

static struct reply reply_to(const struct dns_query *query, uint8_t flags, uint8_t rcode)
{
    struct reply reply = {.n = query->n};
    memcpy(reply.bytes, query->bytes, query->n);
    reply.bytes[2] = (uint8_t)(QR | flags);
    reply.bytes[3] = rcode;
    return reply;
}

static void add(struct reply *reply, const void *bytes, size_t n)
{
    memcpy(reply->bytes + reply->n, bytes, n);
    reply->n += n;
}

/* section: 7 answer, 9 authority. The owner is a pointer to the question's name. */
static void add_record(struct reply *reply, int section, uint8_t type, const void *data, uint8_t n)
{
    add(reply, (uint8_t[]){0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, n}, 12);
    add(reply, data, n);
    reply->bytes[section]++;
}

static void add_soa(struct reply *reply, int section)
{
    uint8_t data[22] = {0, 0, 0x77, 0xfc, 0x28, 0x8d}; /* both names ".", serial 2013014157 */
    add_record(reply, section, 6, data, sizeof data);
}

/* The values of a reply; what they were read from is not kept. */
static enum dns_match read_bytes(const struct dns_query *query, const uint8_t *bytes, size_t n,
                                 struct dns_reply *out)
{
    enum dns_match match = dns_reply_read(query, bytes, n, out);
    if (match == DNS_ANSWER)
        dns_reply_done(out);
    return match;
}

static enum dns_match read_reply(const struct dns_query *query, const struct reply *reply,
                                 struct dns_reply *out)
{
    return read_bytes(query, reply->bytes, reply->n, out);
}

static enum outcome outcome_of(const struct dns_query *query, const struct reply *reply)
{
    struct dns_reply out;
    assert_int_equal(read_reply(query, reply, &out), DNS_ANSWER);
    return dns_outcome(&out);
}

static void query_has_its_form(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xbe, 0xef, 1, 0,   0,   1, 0, 0, 0, 0,
                                       0,    0,    2, 'k', 'p', 0, 0, 6, 0, 1};
    struct dns_query query = query_for("kp.", "SOA");
    assert_int_equal(query.n, sizeof expected);
    assert_memory_equal(query.bytes, expected, sizeof expected);
}

static void bad_names_and_types_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type;
    } cases[] = {{"kp.", "SOAP"}, {"a..b", "A"}, {"kp.", ""}, {"", "A"}};
    struct dns_query query;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(dns_query_make(cases[i].name, strlen(cases[i].name), cases[i].type,
                                    strlen(cases[i].type), 0, 1, &query));
    char label[80];
    memset(label, 'x', sizeof label);
    assert_false(dns_query_make(label, sizeof label, "A", 1, 0, 1, &query));
}

static void soa_gives_its_serial(void **state)
{
    (void)state;
    struct dns_query query = query_for("kp.", "SOA");
    struct reply reply = reply_to(&query, AA, 0);
    add_soa(&reply, 7);
    struct dns_reply out;
    assert_int_equal(read_reply(&query, &reply, &out), DNS_ANSWER);
    assert_int_equal(dns_outcome(&out), OUTCOME_OK);
    assert_int_equal(out.serial, 2013014157);
    assert_true(out.is_authoritative);
    assert_false(out.is_truncated);
}

static void rcodes_have_their_outcomes(void **state)
{
    (void)state;
    static const struct {
        uint8_t rcode;
        enum outcome outcome;
    } cases[] = {{1, OUTCOME_DNS_ERROR}, {2, OUTCOME_SERVER_FAILURE}, {3, OUTCOME_NAME_ERROR},
                 {4, OUTCOME_DNS_ERROR}, {5, OUTCOME_DNS_REFUSED},    {9, OUTCOME_DNS_ERROR}};
    struct dns_query query = query_for("kp.", "SOA");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = reply_to(&query, 0, cases[i].rcode);
        assert_int_equal(outcome_of(&query, &reply), cases[i].outcome);
    }
}

static void missing_record_is_empty_or_lame(void **state)
{
    (void)state;
    struct dns_query query = query_for("www.kp.", "A");
    struct reply holds_zone = reply_to(&query, AA, 0);
    add_soa(&holds_zone, 9);
    assert_int_equal(outcome_of(&query, &holds_zone), OUTCOME_EMPTY);
    struct reply resolver = reply_to(&query, RD, RA);
    assert_int_equal(outcome_of(&query, &resolver), OUTCOME_EMPTY);
    struct reply referral = reply_to(&query, 0, 0);
    add_record(&referral, 9, 2, "\0", 1);
    assert_int_equal(outcome_of(&query, &referral), OUTCOME_LAME);
    struct reply other_type = reply_to(&query, AA, 0);
    add_record(&other_type, 7, 16, "\1x", 2);
    assert_int_equal(outcome_of(&query, &other_type), OUTCOME_EMPTY);
    struct reply alias = reply_to(&query, AA, 0);
    add_record(&alias, 7, 5, "\0", 1);
    assert_int_equal(outcome_of(&query, &alias), OUTCOME_OK);
}

static void what_was_not_asked_is_foreign(void **state)
{
    (void)state;
    struct dns_query query = query_for("kp.", "SOA");
    struct dns_reply out;
    struct reply reply = reply_to(&query, AA, 0);
    add_soa(&reply, 7);
    for (int i = 0; i < 2; i++) { /* the identifier */
        struct reply other = reply;
        other.bytes[i] ^= 1;
        assert_int_equal(read_reply(&query, &other, &out), DNS_FOREIGN);
    }
    struct reply other = reply; /* a query */
    other.bytes[2] = 0;
    assert_int_equal(read_reply(&query, &other, &out), DNS_FOREIGN);
    other = reply; /* the name */
    other.bytes[14] = 'q';
    assert_int_equal(read_reply(&query, &other, &out), DNS_FOREIGN);
    other = reply; /* the type */
    other.bytes[17] = 2;
    assert_int_equal(read_reply(&query, &other, &out), DNS_FOREIGN);
    other = reply; /* capitals do not matter: RFC 4343 */
    other.bytes[14] = 'P';
    assert_int_equal(read_reply(&query, &other, &out), DNS_ANSWER);
}

static void question_may_be_left_out_of_errors_only(void **state)
{
    (void)state;
    struct dns_query query = query_for("kp.", "SOA");
    struct dns_reply out;
    struct reply reply = {{0xbe, 0xef, QR, 5}, 12};
    assert_int_equal(read_reply(&query, &reply, &out), DNS_ANSWER);
    assert_int_equal(dns_outcome(&out), OUTCOME_DNS_REFUSED);
    reply.bytes[3] = 0;
    assert_int_equal(read_reply(&query, &reply, &out), DNS_FOREIGN);
}

static void cut_messages_are_broken_unless_they_say_so(void **state)
{
    (void)state;
    struct dns_query query = query_for("kp.", "SOA");
    struct dns_reply out;
    struct reply reply = reply_to(&query, AA, 0);
    add_soa(&reply, 7);
    for (size_t n = 0; n < reply.n; n++) {
        enum dns_match match = read_bytes(&query, reply.bytes, n, &out);
        assert_int_equal(match, n < 3 ? DNS_FOREIGN : DNS_BROKEN);
    }
    reply.bytes[2] |= TC;
    for (size_t n = 12; n <= reply.n; n++) {
        assert_int_equal(read_bytes(&query, reply.bytes, n, &out), DNS_ANSWER);
        assert_true(out.is_truncated);
    }
}

static void pointer_loops_are_broken(void **state)
{
    (void)state;
    struct dns_query query = query_for("kp.", "SOA");
    struct dns_reply out;
    struct reply reply = reply_to(&query, AA, 0);
    uint8_t at = (uint8_t)reply.n;
    add(&reply, (uint8_t[]){0xc0, at, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0}, 12);
    reply.bytes[7] = 1;
    assert_int_equal(read_reply(&query, &reply, &out), DNS_BROKEN);
}

static void edns_is_put_behind_the_question(void **state)
{
    (void)state;
    static const uint8_t opt[] = {0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0x80,
                                  0, 0, 4,  0,         3,           0, 0};
    struct dns_query plain = query_for("kp.", "SOA"), query;
    assert_true(dns_query_make("kp.", 3, "SOA", 3, DNS_RECURSE | DNS_SIGNED, 0xbeef, &query));
    assert_int_equal(query.n, plain.n + sizeof opt);
    assert_int_equal(query.bytes[11], 1);
    assert_memory_equal(query.bytes + plain.n, opt, sizeof opt);
    assert_true(dns_query_make("hostname.bind.", 14, "TXT", 3, DNS_CHAOS, 1, &query));
    assert_memory_equal(query.bytes + query.n - 4, "\0\x10\0\3", 4);
    assert_true(dns_query_make("kp.", 3, "SOA", 3, DNS_UNCHECKED, 1, &query));
    assert_int_equal(query.bytes[3], 0x10);
    /* The longest name there is, with all that can be asked. */
    char name[254];
    for (int i = 0; i < 253; i++)
        name[i] = i % 64 == 63 ? '.' : 'a';
    assert_true(dns_query_make(name, 253, "SOA", 3, DNS_EDNS, 1, &query));
}

static void edns_of_a_reply_is_read(void **state)
{
    (void)state;
    static const uint8_t badvers[] = {0, 0, 41, 2, 0, 1, 0, 0, 0, 0, 0};
    static const uint8_t nsid[] = {0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 7, 0, 3, 0, 3, 'l', 'o', 'n'};
    struct dns_query query = query_for("kp.", "SOA");
    struct dns_reply out;
    struct reply reply = reply_to(&query, 0, 0);
    add(&reply, badvers, sizeof badvers);
    reply.bytes[11] = 1;
    assert_int_equal(read_reply(&query, &reply, &out), DNS_ANSWER);
    assert_int_equal(out.rcode, 16);
    assert_int_equal(dns_outcome(&out), OUTCOME_DNS_ERROR);
    assert_int_equal(out.edns_size, 512);
    assert_int_equal(out.nsid_size, 0);
    reply = reply_to(&query, AA, 0);
    add_soa(&reply, 7);
    add(&reply, nsid, sizeof nsid);
    reply.bytes[11] = 1;
    assert_int_equal(read_reply(&query, &reply, &out), DNS_ANSWER);
    assert_true(out.has_edns);
    assert_int_equal(out.edns_size, 4096);
    assert_int_equal(out.nsid_size, 3);
    assert_memory_equal(out.nsid, "lon", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_has_its_form),
        cmocka_unit_test(bad_names_and_types_are_refused),
        cmocka_unit_test(soa_gives_its_serial),
        cmocka_unit_test(rcodes_have_their_outcomes),
        cmocka_unit_test(missing_record_is_empty_or_lame),
        cmocka_unit_test(what_was_not_asked_is_foreign),
        cmocka_unit_test(question_may_be_left_out_of_errors_only),
        cmocka_unit_test(cut_messages_are_broken_unless_they_say_so),
        cmocka_unit_test(pointer_loops_are_broken),
        cmocka_unit_test(edns_is_put_behind_the_question),
        cmocka_unit_test(edns_of_a_reply_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
