/* What the files of wire/bgp share and nobody else uses: bgp.c (messages and prefixes),
 * bgp_attributes.c (which attributes are there and whether they are sound), bgp_path.c (AS paths). */
#ifndef WIRE_BGP_INSIDE_H
#define WIRE_BGP_INSIDE_H

#include "wire/bgp.h"

static inline uint64_t attribute_bit(unsigned type)
{
    return UINT64_C(1) << type;
}

/* Finds the attributes: fills present, found, start and scan. */
void attributes_scan(struct reader bytes, struct bgp_attributes *out);

/* Judges what was found: fills path, origin, discarded and fault. NULL, or why the route is not to be
 * used. */
const char *attributes_judge(const struct bgp_form *form, bool is_dump, struct bgp_attributes *out);

/* RFC 4271, 4.3; RFC 7606, 7.2; RFC 7607: segments must fill the attribute exactly, none be empty
 * and no AS be 0. */
bool path_is_sound(struct reader r, bool is_as4);
/* RFC 6793, 4.2.3: the path of a speaker of 2-byte ASNs, both parts of which are sound. False if the
 * AS4_PATH is of no use. */
bool path_merge(struct reader head, struct reader as4, struct bgp_path *out);

#endif
