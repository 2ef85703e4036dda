#include "source/web/packing.h"

#include <string.h>
#include <strings.h>

static const struct packing {
    const char *ending, *magic;
    size_t magic_size;
    const char *encodings[2]; /* RFC 9110, 8.4.1, and what else servers call it */
} packings[] = {{".gz", "\x1f\x8b", 2, {"gzip", "x-gzip"}},
                {".bz2", "BZh", 3, {"bzip2", "x-bzip2"}},
                {".zst", "\x28\xb5\x2f\xfd", 4, {"zstd", "x-zstd"}},
                {".xz", "\xfd\x37zXZ\0", 6, {"xz", "x-xz"}}};

/* By its name; NULL if that does not say. */
static const struct packing *packing_of(const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        size_t end = strlen(packings[i].ending);
        if (n > end && strcmp(path + n - end, packings[i].ending) == 0)
            return &packings[i];
    }
    return NULL;
}

bool packing_is_named(const char *path, const uint8_t *head, size_t n)
{
    const struct packing *packing = packing_of(path);
    return !packing || !n ||
           (n >= packing->magic_size && memcmp(head, packing->magic, packing->magic_size) == 0);
}

bool packing_is_own(const char *path, const char *encoding)
{
    const struct packing *packing = packing_of(path);
    if (!*encoding || strcasecmp(encoding, "identity") == 0)
        return true;
    return packing && (strcasecmp(encoding, packing->encodings[0]) == 0 ||
                       strcasecmp(encoding, packing->encodings[1]) == 0);
}
