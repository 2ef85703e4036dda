/* source/probe/dns_message: no bytes from a name server may lead it astray. The input is what
 * follows the two bytes of the identifier, so that nothing is turned away at the door. */
#include "source/probe/dns_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct dns_query query;
    if (n > DNS_REPLY_MAX - 2 || !dns_query_make("kp.", 3, "SOA", 3, 0x1234, &query))
        return 0;
    uint8_t *reply = malloc(n + 2); /* of the exact size, so that reading beyond it is seen */
    assert(reply);
    memcpy(reply, query.bytes, 2);
    if (n)
        memcpy(reply + 2, bytes, n);
    struct dns_reply out;
    if (dns_reply_read(&query, reply, n + 2, &out) == DNS_ANSWER)
        assert(dns_outcome(&out) < OUTCOME_COUNT);
    free(reply);
    return 0;
}
