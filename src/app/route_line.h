/* What the two forms in which `bgp` prints routes have in common: an element becomes one line, written
 * by hand into memory that has room for the longest.
 *
 *     char *end = route_json_line(json, file, element, at);   // end == at: it has no line
 *
 * Prefixes of one UPDATE share their attributes, the lines of a dump their peers, and all of a second
 * their time: what was written last is kept and copied. */
#ifndef APP_ROUTE_LINE_H
#define APP_ROUTE_LINE_H

#include "source/mrt/route_files.h"
#include "wire/bgp_text.h"

/* Room for any line, with what may be written over behind it. */
enum { ROUTE_LINE_MAX = BGP_TEXT_MAX + 8 * 1024 };

/* A text that can be copied by 16 bytes at a time: `text` has room for as many more. */
enum { ROUTE_PIECE_MAX = 96 };
struct route_piece {
    char text[ROUTE_PIECE_MAX + 16];
    unsigned size; /* 0: not made yet */
};

static inline char *route_put(char *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

/* Of literals. */
#define ROUTE_PUT(at, literal) route_put(at, "" literal, sizeof(literal) - 1)

static inline char *route_put_piece(char *at, const struct route_piece *piece)
{
    for (unsigned i = 0; i < piece->size; i += 16)
        memcpy(at + i, piece->text + i, 16);
    return at + piece->size;
}

/* Unlike addr_compare() and prefix_compare(), inline: they are asked for every line. */
static inline bool route_is_same_addr(const struct addr *a, const struct addr *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a->bytes, 16);
    memcpy(y, b->bytes, 16);
    return a->family == b->family && !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

static inline bool route_is_same_prefix(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && route_is_same_addr(&a->addr, &b->addr);
}

/* How a peer is written, kept for as many peers as a large collector has. */
enum { ROUTE_PEERS = 1024 };
struct route_peers {
    struct {
        struct mrt_peer peer;
        struct route_piece piece;
    } of[ROUTE_PEERS];
};

/* The place where the peer's text is, or is to be made: then its size is 0. */
struct route_piece *route_peers_find(struct route_peers *peers, const struct mrt_peer *peer);

/* The attributes of the last UPDATE as they were written for routes of one family. A line of RIS Live may
 * hold several UPDATEs: their bytes are in different places. */
struct route_shared {
    const struct route_file *file;
    uint64_t record;
    const uint8_t *start;
    uint8_t family, safi;
    size_t size;
    char text[ROUTE_LINE_MAX];
};

static inline bool route_shared_has(const struct route_shared *shared,
                                    const struct route_file *file, const struct element *element)
{
    return shared->file == file && shared->record == file->record &&
           shared->start == element->attributes->start &&
           shared->family == element->prefix.addr.family && shared->safi == element->safi;
}

void route_shared_keep(struct route_shared *shared, const struct route_file *file,
                       const struct element *element, const char *text, size_t size);

#endif
