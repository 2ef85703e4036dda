/* What the name of an archive says of how it is packed, held against what a server sends. A name without such
 * an ending says nothing, and then anything goes. */
#ifndef SOURCE_WEB_PACKING_H
#define SOURCE_WEB_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a file that begins so may be what its name says: a page that asks for a login comes with status 200,
 * too. An empty one may. */
bool packing_is_named(const char *path, const uint8_t *head, size_t n);

/* Whether the bytes are those of the file in spite of this Content-Encoding: a server may so call how the
 * file itself is packed. Packed once more they are not the file. */
bool packing_is_own(const char *path, const char *encoding);

#endif
