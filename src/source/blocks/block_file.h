/* What is known of networks, as lines of text: kept over a restart, and written by hand or by others where
 * it is known beforehand.
 *
 *     # network        availability  addresses that ever answered  since
 *     192.0.2.0/24     0.62          1-14,20,33                    2026-11-29T10:00:00Z
 *     198.51.100.0/24  12/300        1,5                           2026-11-29T10:00:00Z
 *     203.0.113.0/24   0             -
 *
 * Availability is the share of these addresses that answers at a time, or, of a census that is not over, the
 * answers to so many questions. Fields stand apart by spaces or tabs; the time may be missing. '#' begins a
 * comment. Of several lines for a network the last one counts. */
#ifndef SOURCE_BLOCKS_BLOCK_FILE_H
#define SOURCE_BLOCKS_BLOCK_FILE_H

#include "base/addr.h"
#include "base/buffer.h"
#include "base/utc.h"
#include "source/origins/text.h"
#include "source/blocks/census.h"

struct block_record {
    struct prefix network; /* a /24 of IPv4 */
    struct census census;  /* where it stands; found: the addresses in any case */
    double availability;   /* once the census is over: census_is_over() */
    struct utc since;      /* 0: not known */
};

/* Calls take() for each good line; bad ones are reported and passed over. ERR_IO if the text cannot be read to
 * its end. */
enum err block_file_read(struct text *text,
                         void (*take)(void *context, const struct block_record *record),
                         void *context, struct why *why);

void block_file_begin(struct buffer *out); /* the line with the names */
void block_file_write(const struct block_record *record, struct buffer *out);

#endif
