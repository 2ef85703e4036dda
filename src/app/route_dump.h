/* Routes as the lines of `bgpdump -m` (and -M), byte for byte, so that scripts made for it can go on:
 *
 *     BGP4MP|TIME|A|PEER|ASN|PREFIX|PATH|ORIGIN|NEXT_HOP|LOCAL_PREF|MED|COMMUNITIES|AG or NAG|AGGREGATOR|
 *     BGP4MP|TIME|W|PEER|ASN|PREFIX
 *     BGP4MP|TIME|STATE|PEER|ASN|BEFORE|AFTER
 *     TABLE_DUMP2|TIME|B|PEER|ASN|PREFIX|... as of A
 *
 * Where bgpdump is merely odd it is followed; where it loses what is in the file it is not:
 *
 * - an AS path or a list of communities is never cut, however long;
 * - dumps of multicast routes and generic ones, those of OpenBGPD's "table-mp" and the records of MRTd for IPv6
 *   have lines, too;
 * - an announcement with a wrong attribute is a withdrawal (RFC 7606, 2);
 * - bits of a prefix behind its length are zero;
 * - messages that the collector sent have the peer's address and ASN, under BGP4MP_LOCAL_AP also. */
#ifndef APP_ROUTE_DUMP_H
#define APP_ROUTE_DUMP_H

#include "app/route_line.h"

struct route_dump_options {
    bool is_short;              /* -M: times for people, nothing after ORIGIN */
    bool has_large_communities; /* -l: a field of them after the communities */
    bool is_time_of_change;     /* -t change: entries of dumps have the time at which they came */
};

struct route_dump;

struct route_dump *route_dump_new(const struct route_dump_options *options);
void route_dump_free(struct route_dump *dump);

/* Writes a line of at most ROUTE_LINE_MAX bytes. Returns its end; `at` if there is none: for messages
 * other than UPDATE and for End-of-RIB. */
char *route_dump_line(struct route_dump *dump, const struct route_file *file,
                      const struct element *element, char *at);

#endif
