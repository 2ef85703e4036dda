/* wire/icmp: no bytes from a raw socket or an error queue may lead it astray. */
#include "wire/icmp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(const struct icmp_message *message)
{
    assert(message->what != ICMP_REPLY || message->has_cookie);
    assert(message->what != ICMP_ERROR || message->target.family);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct reader packet = reader_of(bytes, n);
    ip4_read(&packet);
    struct icmp_message message = icmp_read(4, &packet);
    check(&message);
    struct reader v6 = reader_of(bytes, n);
    message = icmp_read(6, &v6);
    check(&message);
    struct reader quoted = reader_of(bytes, n);
    icmp_read_quoted(4, &quoted, &message);
    return 0;
}
