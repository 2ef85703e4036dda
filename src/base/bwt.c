#include "base/bwt.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    LANES = 8,       /* segments that are followed at a time */
    SEGMENT_MIN = 64 /* links to a segment on average; a short text has fewer segments */
};

/* In a link: its lowest bits are the byte, the highest ones the next link, and the mark says that a
 * segment ends with it. */
#define MARK UINT32_C(0x100)
enum { NEXT = 9 };

struct walk {
    struct bwt *bwt;
    /* Segments, by the links that they begin with; the text begins with the first. */
    uint32_t starts[BWT_SEGMENTS + 1];
    uint32_t first_pieces[BWT_SEGMENTS + 1];
    size_t segment_count;
    size_t next_segment; /* to be given to a lane */
    uint32_t piece_count;
    size_t lane_count;     /* lanes that have something to do; the first ones */
    uint32_t links[LANES]; /* the link by which each lane came to where it is */
    uint8_t *outs[LANES];
    uint32_t pieces[LANES]; /* that they fill */
};

/* ---- the links ---- */

/* Link k belongs to the byte that is k-th in order, and leads to where the column has it. */
static void make_links(uint32_t *links, const uint8_t *column, uint32_t *ends, size_t from,
                       size_t until)
{
    for (size_t i = from; i < until;) {
        uint8_t byte = column[i];
        uint32_t end = ends[byte];
        do
            links[end++] = (uint32_t)i << NEXT | byte;
        while (++i < until && column[i] == byte);
        ends[byte] = end;
    }
}

/* All of them; gives the one that leads to the origin. */
static uint32_t link_all(uint32_t *links, const uint8_t *column, size_t size,
                         const uint32_t counts[256], uint32_t origin)
{
    uint32_t ends[256], sum = 0;
    for (size_t byte = 0; byte < 256; byte++) {
        ends[byte] = sum;
        sum += counts[byte];
    }
    make_links(links, column, ends, 0, origin);
    uint32_t last = ends[column[origin]];
    make_links(links, column, ends, origin, size);
    return last;
}

/* A segment begins where the link leads to. */
static void mark(struct walk *walk, uint32_t *link)
{
    if (!(*link & MARK))
        walk->starts[walk->segment_count++] = *link >> NEXT;
    *link |= MARK;
}

/* ---- following them ---- */

/* Follows all lanes for `steps` links, but not beyond a marked one; how many. */
static size_t follow(struct walk *walk, const uint32_t *links, size_t steps)
{
    size_t i = 0;
    uint32_t any = 0;
    for (; i < steps && !(any & MARK); i++) {
#pragma GCC unroll 8
        for (size_t lane = 0; lane < LANES; lane++) {
            uint32_t link = links[walk->links[lane] >> NEXT];
            walk->outs[lane][i] = (uint8_t)link;
            walk->links[lane] = link;
            any |= link;
        }
    }
    return i;
}

/* The same of the first lane alone. */
static size_t follow_first(struct walk *walk, const uint32_t *links, size_t steps)
{
    uint32_t link = walk->links[0];
    size_t i = 0;
    do {
        link = links[link >> NEXT];
        walk->outs[0][i++] = (uint8_t)link;
    } while (i < steps && !(link & MARK));
    walk->links[0] = link;
    return i;
}

static void begin_piece(struct walk *walk, size_t lane)
{
    assert(walk->piece_count < BWT_PIECES);
    walk->pieces[lane] = walk->piece_count++;
    walk->outs[lane] = walk->bwt->pieces[walk->pieces[lane]];
}

/* False if there is no segment left to begin. */
static bool begin_segment(struct walk *walk, size_t lane)
{
    if (walk->next_segment == walk->segment_count)
        return false;
    begin_piece(walk, lane);
    walk->links[lane] = walk->starts[walk->next_segment] << NEXT;
    walk->first_pieces[walk->next_segment++] = walk->pieces[lane];
    return true;
}

static size_t room(const struct walk *walk, size_t lane)
{
    return BWT_PIECE - (size_t)(walk->outs[lane] - walk->bwt->pieces[walk->pieces[lane]]);
}

static int32_t segment_that_begins(const struct walk *walk, uint32_t start)
{
    int32_t segment = 0;
    while (walk->starts[segment] != start)
        segment++;
    return segment;
}

/* A lane's piece may be full and its segment may have ended. False if it has nothing more to do. */
static bool settle(struct walk *walk, size_t lane)
{
    struct bwt *bwt = walk->bwt;
    uint32_t piece = walk->pieces[lane];
    bwt->lengths[piece] = (uint16_t)(BWT_PIECE - room(walk, lane));
    if (walk->links[lane] & MARK) {
        bwt->following[piece] = ~segment_that_begins(walk, walk->links[lane] >> NEXT);
        return begin_segment(walk, lane);
    }
    if (room(walk, lane) == 0) {
        begin_piece(walk, lane);
        bwt->following[piece] = (int32_t)walk->pieces[lane];
    }
    return true;
}

static void drop_lane(struct walk *walk, size_t lane)
{
    size_t last = --walk->lane_count;
    walk->links[lane] = walk->links[last];
    walk->outs[lane] = walk->outs[last];
    walk->pieces[lane] = walk->pieces[last];
}

/* All lanes at a time as long as there is something to do for all, then one after the other. */
static void follow_all(struct walk *walk)
{
    while (walk->lane_count) {
        size_t lanes = walk->lane_count == LANES ? LANES : 1, steps = BWT_PIECE;
        for (size_t lane = 0; lane < lanes; lane++)
            steps = room(walk, lane) < steps ? room(walk, lane) : steps;
        steps = lanes == LANES ? follow(walk, walk->bwt->links, steps)
                               : follow_first(walk, walk->bwt->links, steps);
        for (size_t lane = lanes; lane-- > 0;) {
            walk->outs[lane] += steps;
            if (!settle(walk, lane))
                drop_lane(walk, lane);
        }
    }
}

/* The pieces in order. If the text is one shorter text repeated, its links are a ring of only that, and
 * the others lead nowhere. */
static void put_together(const struct walk *walk, uint8_t *text, size_t size)
{
    const struct bwt *bwt = walk->bwt;
    uint32_t piece = walk->first_pieces[0];
    for (size_t at = 0; at < size;) {
        size_t n = bwt->lengths[piece] < size - at ? bwt->lengths[piece] : size - at;
        memcpy(text + at, bwt->pieces[piece], n);
        at += n;
        int32_t following = bwt->following[piece];
        piece = following < 0 ? walk->first_pieces[~following] : (uint32_t)following;
    }
}

void bwt_invert(struct bwt *bwt, uint8_t *column, size_t size, const uint32_t counts[256],
                uint32_t origin)
{
    struct walk walk = {.bwt = bwt};
    size_t segments = size / SEGMENT_MIN < BWT_SEGMENTS ? size / SEGMENT_MIN : BWT_SEGMENTS;
    mark(&walk, &bwt->links[link_all(bwt->links, column, size, counts, origin)]);
    for (size_t i = 0; i < segments; i++)
        mark(&walk, &bwt->links[i * (size / segments)]);
    while (walk.lane_count < LANES && begin_segment(&walk, walk.lane_count))
        walk.lane_count++;
    follow_all(&walk);
    put_together(&walk, column, size);
}
