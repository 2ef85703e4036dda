/* source/dns/dns_message and dnssec: no bytes from a name server may lead it astray. The input is what
 * follows the two bytes of the identifier, so that nothing is turned away at the door. */
#include "source/dns/dns_message.h"
#include "source/dns/dnssec_denial.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void tell(const struct dns_reply *reply)
{
    struct account *account = account_new(true);
    struct buffer line = {0};
    const char *text;
    size_t n;
    dns_reply_tell(reply, account);
    dns_reply_line(reply, &line);
    if (dns_reply_text(reply, &text, &n))
        account_text(account, FACT_HOSTNAME_BIND, text, n);
    buffer_done(&line);
    account_free(account);
}

/* Keys of the reply itself vouch for what it holds: that takes the longest way. */
static void check(const ldns_rr_list *section)
{
    enum { NOW_S = 1700000000 };
    static const ldns_rr_type types[] = {LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_NS, LDNS_RR_TYPE_DS};
    struct dnssec_time time = {NOW_S, DNSSEC_BUDGET};
    ldns_rdf *zone = ldns_dname_new_frm_str("kp.");
    struct dnssec_set keys = dnssec_take(section, zone, LDNS_RR_TYPE_DNSKEY);
    dnssec_check_keys(&time, &keys, keys.records);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct dnssec_set set = dnssec_take(section, zone, types[i]);
        int64_t from_s, until_s;
        if (dnssec_span(&set, NOW_S, &from_s, &until_s))
            assert(until_s > INT32_MIN && until_s < UINT32_MAX * 2LL);
        assert(dnssec_check(&time, &set, keys.records) <= DNSSEC_BOGUS);
        if (types[i] == LDNS_RR_TYPE_DS)
            dnssec_check_keys(&time, &keys, set.records);
        dnssec_set_done(&set);
    }
    static const char *const below[] = {"com.kp.", "a.b.com.kp.", "kp.", "."};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        ldns_rdf *name = ldns_dname_new_frm_str(below[i]);
        assert(dnssec_check_unsigned(&time, section, name, zone, keys.records) <= DNSSEC_BOGUS);
        ldns_rdf_deep_free(name);
    }
    dnssec_set_done(&keys);
    ldns_rdf_deep_free(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct dns_query query;
    if (n > DNS_REPLY_MAX - 2 ||
        !dns_query_make("kp.", 3, "SOA", 3, DNS_RECURSE | DNS_EDNS, 0x1234, &query))
        return 0;
    uint8_t *reply = malloc(n + 2); /* of the exact size, so that reading beyond it is seen */
    assert(reply);
    memcpy(reply, query.bytes, 2);
    if (n)
        memcpy(reply + 2, bytes, n);
    struct dns_reply out;
    if (dns_reply_read(&query, reply, n + 2, &out) == DNS_ANSWER) {
        assert(dns_outcome(&out) < OUTCOME_COUNT);
        tell(&out);
        if (out.packet)
            check(ldns_pkt_answer(out.packet));
        dns_reply_done(&out);
    }
    free(reply);
    return 0;
}
