/* Manners: whom we do not ask, and how fast we ask.
 *
 * An address that is excluded is never sent anything, whatever names it. One of the private and reserved
 * ranges (RFC 6890 and IANA's registries of special-purpose addresses) is asked only if somebody named
 * it: the target itself is that address, or it lies within a prefix that is allowed. So a name that
 * suddenly resolves to 127.0.0.1 does not make us ask ourselves.
 *
 * Rates are kept by the generic cell rate algorithm (ITU-T I.371): a second's worth may go at once, what is
 * beyond has to wait. Besides the rate in all there is one for each neighbourhood: a /24 or a /48, or a
 * host name while its address is not known. */
#ifndef SOURCE_PROBE_MANNERS_H
#define SOURCE_PROBE_MANNERS_H

#include "base/prefix_set.h"
#include "base/utc.h"

#include <stdint.h>

struct manners_options {
    struct prefix_set excluded, allowed; /* sealed */
    double rate;                         /* questions a second in all; 0: as many as there are */
    double neighbour_rate;               /* ... to one neighbourhood; 0: the same */
    double
        follow_rate; /* ... out of turn, of what goes dark or comes back; 0: none (follow_up.h) */
};

struct manners;

/* The options are not owned and must live as long. */
struct manners *manners_new(const struct manners_options *options);
void manners_free(struct manners *manners); /* NULL is fine */

enum manners_verdict { MANNERS_MAY, MANNERS_EXCLUDED, MANNERS_RESERVED };
/* is_named: the address itself was written down as what is to be asked. */
enum manners_verdict manners_judge(const struct manners_options *options, const struct addr *addr,
                                   bool is_named);

bool manners_is_reserved(const struct addr *addr);

/* A number for the neighbourhood of an address or a host name. */
uint64_t manners_neighbourhood(const struct addr *addr);
uint64_t manners_neighbourhood_of_name(const char *host, size_t n);

/* 0: the question may go now, and is counted; else how long it has to wait, and it is not. */
int64_t manners_wait_ns(struct manners *manners, uint64_t neighbourhood, struct mono now);
/* A question that may go takes more than one packet to somebody, as a zone's to each of its servers or a trace's
 * to each hop: this one is counted, too, and what comes next waits the longer. NULL is fine. */
void manners_count(struct manners *manners, const struct addr *to, struct mono now);

#endif
