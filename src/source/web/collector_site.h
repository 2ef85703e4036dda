/* Where the archives of a route collector lie on the web, and which of them hold a span of time. Pure:
 * nothing is fetched here; archive_list.h does.
 *
 *   RIPE RIS    https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz       every 5 minutes
 *               https://data.ris.ripe.net/rrc00/2022.02/bview.20220207.0000.gz         every 8 hours
 *   RouteViews  https://archive.routeviews.org/route-views.jinx/bgpdata/2022.02/
 *                 UPDATES/updates.20220207.0530.bz2                                    every 15 minutes
 *                 RIBS/rib.20220207.0600.bz2                                           every 2 hours
 *               route-views2, the oldest, has no folder of its own: .../bgpdata/2022.02/...
 *
 * A name says when its file begins, cut to the minute. On the grid of the interval are the names of
 * today. Those of RIS before 23 July 2003 (15 minutes then) and many old ones of RouteViews are not:
 * updates.20080224.0208.bz2 of route-views2 holds 02:08:51 to 02:23:43, and its neighbours begin at 01:52
 * and 02:23. Names of September 1999 are in the local time of Amsterdam. Therefore the names are taken
 * from the index pages, and the grid is what is left where a page cannot be read. */
#ifndef SOURCE_WEB_COLLECTOR_SITE_H
#define SOURCE_WEB_COLLECTOR_SITE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/utc.h"
#include "source/mrt/collector.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SITE_URL_MAX = 1024,
    SITE_NAME_MAX = 32,
    /* A year of updates of RIS has 105 120 files. */
    SITE_FILES_MAX = 120 * 1000
};

/* A table older than this says too little of the moment that was asked for. */
#define SITE_TABLE_AGE_MAX_NS NS_PER_DAY

enum site_kind { SITE_UPDATES, SITE_TABLES };

/* The name of one file: "updates.20220207.0530.gz". */
struct site_name {
    struct utc time;
    enum site_kind kind;
    bool is_computed; /* of the grid: whether there is such a file nobody knows yet */
    char text[SITE_NAME_MAX];
};

/* False if the text is not exactly such a name: updates, bview or rib, a date and a minute that exist,
 * and gz, bz2 or zst. */
bool site_name_parse(const char *text, size_t n, struct site_name *out);

struct collector_site {
    bool is_ris;
    char collector[COLLECTOR_TEXT_MAX];
    char base[SITE_URL_MAX / 2]; /* what stands before "2022.02/", with its slash */
};

/* `collector` is a name as the projects write it: rrc00, route-views2, route-views.jinx, amsix.ams.
 * `root` is a mirror's URL in the place of https://data.ris.ripe.net or https://archive.routeviews.org;
 * NULL: those. ERR_USAGE if either cannot be. */
enum err collector_site_init(struct collector_site *site, const char *collector, const char *root,
                             struct why *why);

/* How long a file of this time holds. */
int64_t collector_site_interval(const struct collector_site *site, enum site_kind kind,
                                struct utc time);

/* The URL of the folder in which the files of this kind and of the month of `time` lie, with a slash at
 * its end. RIS has both kinds in one. */
const char *collector_site_folder(const struct collector_site *site, enum site_kind kind,
                                  struct utc time, char out[SITE_URL_MAX]);

/* The first moment of the month of `time`, and of the one after it (months = 1) or before (-1). */
struct utc site_month(struct utc time, int months);

/* A growing list; free(list). */
struct site_names {
    struct site_name *list;
    size_t count;
    size_t capacity;
    bool is_full; /* SITE_FILES_MAX was reached, and the rest left out */
};
void site_names_add(struct site_names *names, const struct site_name *name);
/* By time; of one moment and kind only the first is kept, and listed ones go before computed ones. */
void site_names_sort(struct site_names *names);
/* The computed names of files that hold part of [from, until). */
void site_names_grid(struct site_names *names, const struct collector_site *site,
                     enum site_kind kind, struct utc from, struct utc until);

struct site_file {
    const char *url;
    struct utc time; /* no record in it is older, but for those of 1999 */
    enum site_kind kind;
    bool is_computed;
};
/* A span of which the index pages name no file. */
struct site_hole {
    struct utc from, until;
};
struct site_choice {
    struct site_file *files; /* by time; all in the arena that was given */
    size_t count;
    struct site_hole *holes;
    size_t hole_count;
};

/* Of sorted names the updates of which part lies within [from, until). */
void collector_site_choose(const struct collector_site *site, const struct site_names *names,
                           struct utc from, struct utc until, struct arena *arena,
                           struct site_choice *out);
/* Of sorted names the last table that was begun not after `from`, and at most SITE_TABLE_AGE_MAX_NS before;
 * NULL if there is none. */
const struct site_name *collector_site_table(const struct site_names *names, struct utc from);
/* The URL of a name, in the arena. */
const char *collector_site_url(const struct collector_site *site, const struct site_name *name,
                               struct arena *arena);

#endif
