#include "source/mrt/collector.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-';
}

/* "route-views2", "route-views.jinx", but not the "updates" of "route-views2.updates.2008.bz2". */
static size_t route_views_length(const char *at)
{
    static const char *const others[] = {"updates", "ribs", "rib", "bview", "mrt"};
    size_t n = strlen("route-views");
    while (is_word(at[n]))
        n++;
    if (at[n] != '.' || !isalpha((unsigned char)at[n + 1]))
        return n;
    size_t end = n + 1;
    while (is_word(at[end]))
        end++;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (end - n - 1 == strlen(others[i]) && memcmp(at + n + 1, others[i], end - n - 1) == 0)
            return n;
    return end;
}

static size_t collector_length(const char *at)
{
    if (strncmp(at, "rrc", 3) == 0 && isdigit((unsigned char)at[3]) &&
        isdigit((unsigned char)at[4]) && !isdigit((unsigned char)at[5]))
        return 5;
    if (strncmp(at, "route-views", 11) == 0)
        return route_views_length(at);
    return strncmp(at, "routeviews", 10) == 0 ? 10 : 0;
}

/* The folders of archive.routeviews.org: NAME/bgpdata/, and bgpdata/ alone, which is route-views2's. */
static bool from_routeviews(const char *path, char out[COLLECTOR_TEXT_MAX])
{
    static const char host[] = "archive.routeviews.org", folder[] = "/bgpdata/";
    const char *at = strstr(path, host);
    if (!at)
        return false;
    at += sizeof host - 1;
    bool has_name = strncmp(at, folder, sizeof folder - 1) != 0;
    size_t n = has_name && *at ? strcspn(at + 1, "/") : 0;
    if (has_name &&
        (!n || n >= COLLECTOR_TEXT_MAX || strncmp(at + 1 + n, folder, sizeof folder - 1) != 0))
        return false;
    at = has_name ? at + 1 : "route-views2";
    n = has_name ? n : strlen(at);
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

bool collector_from_path(const char *path, char out[COLLECTOR_TEXT_MAX])
{
    const char *best = NULL;
    size_t n = 0;
    if (from_routeviews(path, out))
        return true;
    for (const char *at = path; *at; at++) {
        bool is_start = at == path || !isalnum((unsigned char)at[-1]);
        size_t length = is_start ? collector_length(at) : 0;
        bool is_vague = length == 10 && best; /* "routeviews" beside a name that says which */
        if (length && length < COLLECTOR_TEXT_MAX && !is_vague) {
            best = at;
            n = length;
        }
    }
    if (!best)
        return false;
    memcpy(out, best, n);
    out[n] = '\0';
    return true;
}
