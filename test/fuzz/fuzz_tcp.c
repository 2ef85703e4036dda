/* What a tap gets: an IPv4 packet, or a TCP header alone. */
#include "wire/icmp.h"
#include "wire/tcp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(struct reader *r, size_t n)
{
    struct tcp_header header = tcp_read(r);
    assert(reader_left(r) <= n);
    assert(!r->bad || (!header.from && !header.to && !header.flags));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct reader packet = reader_of(bytes, n), alone = reader_of(bytes, n);
    ip4_read(&packet);
    check(&packet, n);
    check(&alone, n);
    return 0;
}
