/* The statistics files of the regional registries, delegated and delegated-extended, which say in
 * which country the holder of each AS number and address is registered. Several may stand in one
 * text; each begins with its version line.
 *
 *     2|apnic|20241125|86419|19830613|20241124|+1000
 *     apnic|*|asn|*|25531|summary
 *     apnic|KP|asn|131279|1|20091221|allocated|A91A7381
 *     apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated|A91A7381
 *     apnic|AU|ipv6|2001:dc0::|32|20020801|allocated|A9117BE7
 *
 * For IPv4 and AS numbers the fifth field is how many there are, which need not be a power of two;
 * for IPv6 it is the length of the prefix, of which none is longer than 64. Only what is allocated
 * or assigned has a holder. The registries' own description: "RIR statistics exchange format",
 * version 2, and its extension 2.3. */
#ifndef SOURCE_ORIGINS_DELEGATED_H
#define SOURCE_ORIGINS_DELEGATED_H

#include "source/origins/spans.h"
#include "source/origins/text.h"

struct delegations {
    struct spans asns;
    struct spans ipv4;
    struct spans ipv6; /* by the upper halves of the addresses */
};

/* Adds what the text says; the spans are not sealed. A bad line is reported and passed over. A text
 * that begins with something else than a version line, or has one of another version, is
 * refused. */
enum err delegated_read(struct text *text, struct delegations *out, struct why *why);

/* Where an address stands in its list of spans, and the last one of a prefix. */
uint64_t delegations_first(const struct prefix *prefix);
uint64_t delegations_last(const struct prefix *prefix);

#endif
