/* Decompresses gzip members (RFC 1952), one after the other, by igzip.
 *
 *     gunzip_begin(gunzip)
 *     while (!gunzip_has_ended(gunzip) && !reason)
 *         reason = gunzip_next(gunzip, in, n, &used, out, room, &made)
 *
 * At damage isal_inflate() is not to be taken at its word: depending on how the input and the output were
 * cut into pieces it gives up to 257 bytes that it never wrote, keeps back up to 64 KiB that are good, and
 * says that it took 8 bytes more than it did. Here damage means the same bytes, the same place and the same
 * reason however the output is cut, and but for the odd last symbol also the input. */
#ifndef SYS_GUNZIP_H
#define SYS_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gunzip;

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *gunzip);

void gunzip_begin(struct gunzip *gunzip); /* a member */
bool gunzip_has_ended(const struct gunzip *gunzip);

/* Makes up to `room` bytes of the next `n` of the member, of which it uses `used`; if it makes as many
 * as there is room for, it may have more without being given any. NULL, or, once all that is good was
 * given, how the member is damaged. */
const char *gunzip_next(struct gunzip *gunzip, const uint8_t *in, size_t n, size_t *used,
                        uint8_t *out, size_t room, size_t *made);
/* After that: how many of the bytes used last are known to lie behind the damage. */
size_t gunzip_unread(const struct gunzip *gunzip);

#endif
