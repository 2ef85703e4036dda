#include "source/probe/manners.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* IANA's registries of special-purpose addresses (RFC 6890), and multicast. */
static const struct {
    uint8_t family, bits;
    uint8_t bytes[16];
} reserved[] = {
    {4, 8, {0}},                          /* this network */
    {4, 8, {10}},                         /* private, RFC 1918 */
    {4, 10, {100, 64}},                   /* shared, RFC 6598 */
    {4, 8, {127}},                        /* loopback */
    {4, 16, {169, 254}},                  /* link-local */
    {4, 12, {172, 16}},                   /* private */
    {4, 24, {192, 0, 0}},                 /* protocol assignments */
    {4, 24, {192, 0, 2}},                 /* documentation, RFC 5737 */
    {4, 16, {192, 168}},                  /* private */
    {4, 15, {198, 18}},                   /* benchmarking, RFC 2544 */
    {4, 24, {198, 51, 100}},              /* documentation */
    {4, 24, {203, 0, 113}},               /* documentation */
    {4, 3, {224}},                        /* multicast, and class E, and broadcast */
    {6, 96, {0}},                         /* unspecified, loopback, IPv4-compatible */
    {6, 96, {[10] = 0xff, 0xff}},         /* IPv4-mapped */
    {6, 48, {0, 0x64, 0xff, 0x9b, 0, 1}}, /* local translation, RFC 8215 */
    {6, 64, {1}},                         /* discard, RFC 6666 */
    {6, 48, {0x20, 1, 0, 2}},             /* benchmarking */
    {6, 32, {0x20, 1, 0x0d, 0xb8}},       /* documentation */
    {6, 20, {0x3f, 0xff}},                /* documentation, RFC 9637 */
    {6, 7, {0xfc}},                       /* private, RFC 4193 */
    {6, 10, {0xfe, 0x80}},                /* link-local */
    {6, 8, {0xff}},                       /* multicast */
};

/* Neighbourhoods of late, four to a set; those of which the oldest is forgotten could ask a little too
 * soon. */
enum { SETS = 8192, WAYS = 4 };

/* When the next one would be due if all were evenly spaced ("theoretical arrival time"). */
struct cell {
    uint64_t neighbourhood;
    struct mono next;
};

struct manners {
    int64_t step_ns, neighbour_step_ns; /* 0: no limit */
    struct mono next;
    struct cell (*cells)[WAYS];
};

static int64_t step_of(double rate)
{
    return rate > 0 ? (int64_t)((double)NS_PER_S / rate) : 0;
}

struct manners *manners_new(const struct manners_options *options)
{
    struct manners *manners = mem_new(1, sizeof *manners);
    manners->step_ns = step_of(options->rate);
    manners->neighbour_step_ns = step_of(options->neighbour_rate);
    if (manners->neighbour_step_ns)
        manners->cells = mem_new(SETS, sizeof *manners->cells);
    return manners;
}

void manners_free(struct manners *manners)
{
    if (!manners)
        return;
    free(manners->cells);
    free(manners);
}

bool manners_is_reserved(const struct addr *addr)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        struct prefix prefix = {.addr = {.family = reserved[i].family}, .bits = reserved[i].bits};
        for (int k = 0; k < 16; k++)
            prefix.addr.bytes[k] = reserved[i].bytes[k];
        if (prefix_has_addr(&prefix, addr))
            return true;
    }
    return false;
}

enum manners_verdict manners_judge(const struct manners_options *options, const struct addr *addr,
                                   bool is_named)
{
    if (prefix_set_find(&options->excluded, addr))
        return MANNERS_EXCLUDED;
    if (is_named || !manners_is_reserved(addr) || prefix_set_find(&options->allowed, addr))
        return MANNERS_MAY;
    return MANNERS_RESERVED;
}

uint64_t manners_neighbourhood(const struct addr *addr)
{
    struct prefix prefix = prefix_of(addr, addr->family == 4 ? 24 : 48);
    return hash_bytes(prefix.addr.bytes, sizeof prefix.addr.bytes, prefix.addr.family);
}

uint64_t manners_neighbourhood_of_name(const char *host, size_t n)
{
    return hash_bytes(host, n, 0);
}

/* How long until it conforms: a second's worth may be ahead of the even spacing. */
static int64_t wait_ns(struct mono next, int64_t step_ns, struct mono now)
{
    int64_t burst_ns = step_ns < NS_PER_S ? NS_PER_S - step_ns : 0;
    int64_t wait = step_ns ? next.ns - burst_ns - now.ns : 0;
    return wait > 0 ? wait : 0;
}

static void count(struct mono *next, int64_t step_ns, struct mono now)
{
    next->ns = (next->ns > now.ns ? next->ns : now.ns) + step_ns;
}

/* Its cell, made anew in the place of the one that is longest ago if it is not there. */
static struct cell *cell_of(struct manners *manners, uint64_t neighbourhood)
{
    struct cell *set = manners->cells[neighbourhood % SETS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].neighbourhood == neighbourhood)
            return &set[i];
        if (set[i].next.ns < oldest->next.ns)
            oldest = &set[i];
    }
    *oldest = (struct cell){.neighbourhood = neighbourhood};
    return oldest;
}

int64_t manners_wait_ns(struct manners *manners, uint64_t neighbourhood, struct mono now)
{
    struct cell *cell = manners->cells ? cell_of(manners, neighbourhood) : NULL;
    int64_t wait = wait_ns(manners->next, manners->step_ns, now);
    int64_t near = cell ? wait_ns(cell->next, manners->neighbour_step_ns, now) : 0;
    if (wait || near)
        return wait > near ? wait : near;
    count(&manners->next, manners->step_ns, now);
    if (cell)
        count(&cell->next, manners->neighbour_step_ns, now);
    return 0;
}

void manners_count(struct manners *manners, const struct addr *to, struct mono now)
{
    struct cell *cell =
        manners && manners->cells ? cell_of(manners, manners_neighbourhood(to)) : NULL;
    if (manners)
        count(&manners->next, manners->step_ns, now);
    if (cell)
        count(&cell->next, manners->neighbour_step_ns, now);
}
