#include "wire/tcp.h"

struct tcp_header tcp_read(struct reader *r)
{
    enum { WORDS_LEAST = 5 };
    struct tcp_header header = {.from = reader_u16(r), .to = reader_u16(r)};
    reader_bytes(r, 8); /* sequence and acknowledgment */
    size_t words = reader_u8(r) >> 4;
    header.flags = reader_u8(r);
    reader_bytes(r, 6); /* window, checksum (the kernel has verified it), urgent pointer */
    if (!r->bad && words < WORDS_LEAST)
        reader_fail(r, "is not a TCP header");
    if (!r->bad)
        reader_bytes(r, 4 * (words - WORDS_LEAST));
    if (r->bad)
        header = (struct tcp_header){0};
    return header;
}
