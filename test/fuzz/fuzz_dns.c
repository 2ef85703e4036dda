/* source/probe/dns_message: no bytes from a name server may lead it astray. The input is what
 * follows the two bytes of the identifier, so that nothing is turned away at the door. */
#include "source/probe/dns_message.h"

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
        dns_reply_done(&out);
    }
    free(reply);
    return 0;
}
