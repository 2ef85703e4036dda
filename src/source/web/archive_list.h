/* Which archives of a collector hold a span of time: the index pages of its months are read, and where
 * one cannot be, the names of the grid are taken for it. What the pages do not name is a hole, and is
 * told: that nothing was archived must not look as if nothing had happened.
 *
 *     struct archive_span span = {.collector = "rrc00", .from = from, .until = until, .now = now};
 *     if (archive_list_make(&span, cache, &listener, &list, &why)) ...
 *     ... list.choice.files[i].url ...
 *     arena_done(&list.arena); */
#ifndef SOURCE_WEB_ARCHIVE_LIST_H
#define SOURCE_WEB_ARCHIVE_LIST_H

#include "source/web/collector_site.h"
#include "source/web/web_cache.h"

struct archive_span {
    const char *collector;
    const char *site; /* a mirror's URL; NULL: the project's own */
    struct utc from, until;
    struct utc now;
    /* Also the last table before `from`, and all updates since. */
    bool with_table;
};

/* What the user should know. */
struct archive_listener {
    void (*tell)(void *context, const char *text);
    void *context;
};

struct archive_list {
    struct site_choice choice; /* the table first; its files cover from `from` on */
    struct utc from;           /* the one asked for, or when the table was begun */
    bool lacks_table;          /* it was asked for, and there is none */
    struct arena arena;
};

/* ERR_USAGE: no such collector or site, or an empty span. ERR_LIMIT: too long a span. ERR_NOT_FOUND: there
 * is nothing in it. ERR_CLOSED: stopped. On failure there is nothing to free. */
enum err archive_list_make(const struct archive_span *span, struct web_cache *cache,
                           const struct archive_listener *listener, struct archive_list *out,
                           struct why *why);

/* The index pages that it reads for that at least, in order; nothing is asked here. Errors as above, but for
 * what only asking shows. */
enum err archive_list_pages(const struct archive_span *span,
                            void (*page)(void *context, const char *url), void *context,
                            struct why *why);

#endif
