#include "base/endpoint.h"

#include <string.h>

/* 1 to 65535, without zeros before it. */
static bool read_port(const char *text, size_t n, uint16_t *out)
{
    uint32_t port = 0;
    if (n == 0 || n > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

bool endpoint_parse(const char *text, size_t n, struct endpoint *out)
{
    struct endpoint found = {.host = text, .host_size = n};
    const char *end = text + n, *rest = end;
    if (n == 0)
        return false;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', n);
        if (!close)
            return false;
        rest = close + 1;
        found.host++;
        found.host_size = (size_t)(close - found.host);
        found.has_brackets = true;
    } else if (!addr_parse(text, n, &found.addr)) {
        const char *colon = memchr(text, ':', n);
        rest = colon ? colon : end;
        found.host_size = (size_t)(rest - text);
    }
    if (found.host_size && !addr_parse(found.host, found.host_size, &found.addr))
        found.addr = (struct addr){0};
    if (found.has_brackets && found.addr.family != 6)
        return false;
    if (rest < end && (*rest != ':' || !read_port(rest + 1, (size_t)(end - rest) - 1, &found.port)))
        return false;
    *out = found;
    return true;
}
