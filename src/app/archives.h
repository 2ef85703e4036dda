/* The archives that a command reads, or the daemon by its configuration: files, of which some may be URLs; or,
 * where none is named, those that a collector has of a span of time, on the web.
 *
 *     struct archives archives;
 *     if (archives_open(options, NULL, &archives, &why)) ...
 *     ... archives.paths, archives.count, archives.web: as route_files.h takes them ...
 *     archives_close(&archives); */
#ifndef APP_ARCHIVES_H
#define APP_ARCHIVES_H

#include "app/config/config.h"
#include "app/options.h"
#include "app/progress.h"
#include "source/web/archive_list.h"
#include "source/web/url_files.h"

struct archives {
    const char *const *paths;
    size_t count;
    const char *collector;        /* --collector; NULL: from each path */
    struct url_files_options web; /* its cache is NULL if there is no URL among them */
    /* Only records of this time are wanted; 0: since ever, for ever. With --rib it begins at the table. */
    struct utc from, until;
    /* Times of which there is no archive, by the index pages and what could not be fetched. */
    struct site_hole *holes;
    size_t hole_count;
    /* Its own: */
    bool has_list;
    struct archive_list list;
    struct web_cache *cache;
    size_t hole_capacity;
    struct arena arena;
};

struct archives_wish {
    const char *const *paths; /* must outlive the archives */
    size_t count;             /* 0: those of the span */
    struct archive_span span; /* without `now`; where paths are named, what of them is wanted */
    const char *cache;        /* folder of copies; NULL: the user's usual */
    const char *contact;      /* put into the User-Agent; NULL: none */
};

/* Reads index pages, and fetches no archive yet. What the user should know is told. Errors as
 * archive_list_make(). On failure there is nothing to close. */
enum err archives_gather(const struct archives_wish *wish, struct archives *out, struct why *why);
/* The same for FILE..., --collector, --from, --until, --rib, --site and --cache. */
enum err archives_open(const struct options *options, const char *contact, struct archives *out,
                       struct why *why);
/* Fetches all URLs: what could be had stands in their places as files here. ERR_INPUT if some are missing,
 * which is told. ERR_NOT_FOUND if nothing is left. */
enum err archives_fetch(struct archives *archives, struct why *why);
/* All that the configuration names, fetched. ERR_CONFIG if its span is not over yet, ERR_INPUT if not all can
 * be had; then, too, there is nothing to close. */
enum err archives_of_config(const struct config *config, struct archives *out, struct why *why);
void archives_close(struct archives *archives);

/* As RFC 3339 has it, or in seconds since 1970. */
bool archives_parse_time(const char *text, struct utc *out);
/* --from and --until; 0 where one is not given. */
enum err archives_span(const struct options *options, struct utc *from, struct utc *until,
                       struct why *why);

/* For url_files.h: shows on a terminal what is waited for. `context` is a struct progress. */
void archives_watch(void *context, const char *url, struct web_state state);

#endif
