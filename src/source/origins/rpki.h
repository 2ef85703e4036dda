/* What the RPKI says of a route: its origin is valid, invalid in one of two ways, or nothing is
 * known (RFC 6811). From a file that a validator wrote, or kept up to date by a validator
 * (rtr_client.h):
 *
 *     struct rpki *rpki = rpki_load("rpki.json.gz", &faults, &why);
 *     if (rpki_validate(rpki, &prefix, origin) == RPKI_INVALID_ORIGIN) ...
 *     rpki_free(rpki);
 *
 * Files are the JSON of rpki-client, Routinator, OctoRPKI, FORT and StayRTR, which all have a list
 * "roas" of {"asn": 64500 or "AS64500", "prefix", "maxLength"}, and CSV whose first line names the
 * columns "ASN", "IP Prefix" and "Max Length": what validators write, and RIPE's archive with a
 * file a day. Compressed or not. Where the longest length is not said it is the prefix's own (RFC
 * 6482, 3.3). The validity dates of single entries are not looked at: a validator left out what was
 * over. */
#ifndef SOURCE_ORIGINS_RPKI_H
#define SOURCE_ORIGINS_RPKI_H

#include "base/utc.h"
#include "source/stream.h"
#include "source/origins/vrps.h"

struct rpki;

/* A bad entry is counted, told with its place and passed over. A file that cannot be read to its
 * end, or without any good entry, is refused: half a table would call valid routes invalid. NULL
 * with why. */
struct rpki *rpki_load(const char *path, struct stream_faults *faults, struct why *why);
/* One that knows nothing yet: everything is RPKI_UNKNOWN. */
struct rpki *rpki_new(void);
void rpki_free(struct rpki *rpki);

/* A few hundred nanoseconds. origin: the AS the path ends with, 0 if it ends with a set or is
 * empty. */
enum rpki_state rpki_validate(const struct rpki *rpki, const struct prefix *prefix,
                              uint32_t origin);

/* NULL while nothing is known. */
const struct vrps *rpki_vrps(const struct rpki *rpki);
/* When the validator wrote it; 0 if the file does not say. */
struct utc rpki_made(const struct rpki *rpki);
/* Puts a sealed table, which it takes over, in the place of the one before; NULL: nothing is
 * known. */
void rpki_replace(struct rpki *rpki, struct vrps *vrps);

#endif
