#include "source/web/collector_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_HOURS(n) ((n)*NS_PER_HOUR)

static const char ris_root[] = "https://data.ris.ripe.net";
static const char routeviews_root[] = "https://archive.routeviews.org";

/* Names. */

static bool starts_with(const char *text, size_t n, const char *start, size_t *length)
{
    *length = strlen(start);
    return n >= *length && memcmp(text, start, *length) == 0;
}

static bool has_ending(const char *text, size_t n)
{
    return (n == 3 && memcmp(text, ".gz", 3) == 0) || (n == 4 && memcmp(text, ".bz2", 4) == 0) ||
           (n == 4 && memcmp(text, ".zst", 4) == 0);
}

/* "20220207.0530", as RFC 3339 has it. */
static bool parse_moment(const char *text, struct utc *out)
{
    char iso[32];
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:00Z", text, text + 4, text + 6, text + 9,
             text + 11);
    return text[8] == '.' && utc_parse(iso, strlen(iso), out) == strlen(iso);
}

bool site_name_parse(const char *text, size_t n, struct site_name *out)
{
    enum { MOMENT = sizeof "20220207.0530" - 1 };
    struct site_name name = {.kind = SITE_TABLES};
    size_t start;
    if (n >= SITE_NAME_MAX)
        return false;
    if (starts_with(text, n, "updates.", &start))
        name.kind = SITE_UPDATES;
    else if (!starts_with(text, n, "bview.", &start) && !starts_with(text, n, "rib.", &start))
        return false;
    if (n < start + MOMENT || !parse_moment(text + start, &name.time) ||
        !has_ending(text + start + MOMENT, n - start - MOMENT))
        return false;
    memcpy(name.text, text, n);
    *out = name;
    return true;
}

/* Where they lie. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* It becomes part of a URL and of a path: letters, digits, dashes and single dots within. */
static bool is_collector(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");
    return n > 0 && n < COLLECTOR_TEXT_MAX && !name[n] && name[0] != '.' && name[n - 1] != '.' &&
           !strstr(name, "..");
}

static bool is_rrc(const char *name)
{
    return strlen(name) == 5 && strncmp(name, "rrc", 3) == 0 && is_digit(name[3]) &&
           is_digit(name[4]);
}

/* RouteViews has route-views2 to 8, route-views.jinx, and of late ones such as amsix.ams. */
static bool is_routeviews(const char *name)
{
    static const char prefix[] = "route-views";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        return name[sizeof prefix - 1] != '\0';
    return strncmp(name, "rrc", 3) != 0 && strchr(name, '.');
}

static enum err check_root(const char *root, struct why *why)
{
    bool is_web = strncmp(root, "http://", 7) == 0 || strncmp(root, "https://", 8) == 0;
    size_t room = sizeof((struct collector_site *)0)->base - COLLECTOR_TEXT_MAX - 16;
    for (const char *at = root; *at; at++)
        if (*at <= ' ' || *at == '?' || *at == '#' || *at == '\x7f')
            is_web = false;
    if (!is_web || strlen(root) > room || !strstr(root, "://") || !strstr(root, "://")[3])
        return why_set(why, ERR_USAGE,
                       "'%.200s' is not the URL of a site of archives; expected one such as %s",
                       root, ris_root);
    return ERR_OK;
}

enum err collector_site_init(struct collector_site *site, const char *collector, const char *root,
                             struct why *why)
{
    if (!is_collector(collector) || !(is_rrc(collector) || is_routeviews(collector)))
        return why_set(why, ERR_USAGE,
                       "no archive of a collector '%.60s' is known; expected rrc00 to rrc26 (RIPE "
                       "RIS), or route-views2, route-views.jinx and the like (RouteViews)",
                       collector);
    enum err err = root ? check_root(root, why) : ERR_OK;
    if (err)
        return err;
    *site = (struct collector_site){.is_ris = is_rrc(collector)};
    snprintf(site->collector, sizeof site->collector, "%s", collector);
    if (!root)
        root = site->is_ris ? ris_root : routeviews_root;
    size_t n = strlen(root);
    while (n && root[n - 1] == '/')
        n--;
    bool has_folder = strcmp(collector, "route-views2") != 0;
    snprintf(site->base, sizeof site->base, "%.*s/%s%s%s", (int)n, root,
             has_folder ? collector : "", has_folder ? "/" : "", site->is_ris ? "" : "bgpdata/");
    return ERR_OK;
}

int64_t collector_site_interval(const struct collector_site *site, enum site_kind kind,
                                struct utc time)
{
    static const struct utc july_2003 = {INT64_C(1058918400) * NS_PER_S}; /* 2003-07-23 */
    if (kind == SITE_TABLES)
        return site->is_ris ? NS_PER_HOURS(8) : NS_PER_HOURS(2);
    return (site->is_ris && time.ns >= july_2003.ns ? 5 : 15) * NS_PER_MINUTE;
}

const char *collector_site_folder(const struct collector_site *site, enum site_kind kind,
                                  struct utc time, char out[SITE_URL_MAX])
{
    struct calendar c = utc_calendar(time);
    snprintf(out, SITE_URL_MAX, "%s%04u.%02u/%s", site->base, (unsigned)c.year % 10000,
             (unsigned)c.month % 100,
             site->is_ris           ? ""
             : kind == SITE_UPDATES ? "UPDATES/"
                                    : "RIBS/");
    return out;
}

const char *collector_site_url(const struct collector_site *site, const struct site_name *name,
                               struct arena *arena)
{
    char folder[SITE_URL_MAX];
    collector_site_folder(site, name->kind, name->time, folder);
    return arena_printf(arena, "%s%s", folder, name->text);
}

struct utc site_month(struct utc time, int months)
{
    struct calendar c = utc_calendar(time);
    char text[32];
    struct utc first = {0};
    int month = c.year * 12 + c.month - 1 + months;
    snprintf(text, sizeof text, "%04u-%02u-01T00:00:00Z", (unsigned)(month / 12) % 10000,
             (unsigned)(month % 12) + 1);
    utc_parse(text, strlen(text), &first); /* 0 before 1970 */
    return first;
}

/* Lists of names. */

void site_names_add(struct site_names *names, const struct site_name *name)
{
    if (names->count >= SITE_FILES_MAX) {
        names->is_full = true;
        return;
    }
    names->list = mem_grow(names->list, &names->capacity, names->count + 1, sizeof *names->list);
    names->list[names->count++] = *name;
}

static int by_time(const void *a, const void *b)
{
    const struct site_name *x = a, *y = b;
    if (x->time.ns != y->time.ns)
        return x->time.ns < y->time.ns ? -1 : 1;
    if (x->kind != y->kind) /* the table of a moment before its changes */
        return x->kind == SITE_TABLES ? -1 : 1;
    if (x->is_computed != y->is_computed)
        return x->is_computed ? 1 : -1;
    return strcmp(x->text, y->text);
}

void site_names_sort(struct site_names *names)
{
    size_t kept = 0;
    if (!names->count)
        return;
    qsort(names->list, names->count, sizeof *names->list, by_time);
    for (size_t i = 1; i < names->count; i++) {
        const struct site_name *last = &names->list[kept], *next = &names->list[i];
        if (last->time.ns != next->time.ns || last->kind != next->kind)
            names->list[++kept] = *next;
    }
    names->count = kept + 1;
}

static struct site_name computed_name(const struct collector_site *site, enum site_kind kind,
                                      struct utc time)
{
    struct site_name name = {.time = time, .kind = kind, .is_computed = true};
    struct calendar c = utc_calendar(time);
    snprintf(name.text, sizeof name.text, "%s.%04u%02u%02u.%02u%02u.%s",
             kind == SITE_UPDATES ? "updates"
             : site->is_ris       ? "bview"
                                  : "rib",
             (unsigned)c.year % 10000, (unsigned)c.month % 100, (unsigned)c.day % 100,
             (unsigned)c.hour % 100, (unsigned)c.minute % 100, site->is_ris ? "gz" : "bz2");
    return name;
}

void site_names_grid(struct site_names *names, const struct collector_site *site,
                     enum site_kind kind, struct utc from, struct utc until)
{
    struct utc time = {from.ns - from.ns % collector_site_interval(site, kind, from)};
    while (time.ns < until.ns && !names->is_full) {
        struct site_name name = computed_name(site, kind, time);
        site_names_add(names, &name);
        time = utc_add(time, collector_site_interval(site, kind, time));
    }
}

/* The choice. */

/* The next of the same kind. */
static const struct site_name *next_of(const struct site_names *names, size_t at)
{
    for (size_t i = at + 1; i < names->count; i++)
        if (names->list[i].kind == names->list[at].kind)
            return &names->list[i];
    return NULL;
}

/* When a file ends: where the next one begins, if that is about when it should. The minute of a name
 * off the grid is cut, so that the file may begin and end up to a minute later. */
static struct utc end_of(const struct collector_site *site, const struct site_names *names,
                         size_t at, bool *has_next)
{
    const struct site_name *name = &names->list[at], *next = next_of(names, at);
    int64_t interval = collector_site_interval(site, name->kind, name->time);
    int64_t late = name->time.ns % interval ? NS_PER_MINUTE : 0;
    *has_next = next && utc_diff(next->time, name->time) < 2 * interval;
    return utc_add(*has_next ? next->time : utc_add(name->time, interval), late);
}

static void add_hole(struct site_choice *out, struct utc from, struct utc until, bool is_known)
{
    if (is_known && from.ns < until.ns)
        out->holes[out->hole_count++] = (struct site_hole){from, until};
}

void collector_site_choose(const struct collector_site *site, const struct site_names *names,
                           struct utc from, struct utc until, struct arena *arena,
                           struct site_choice *out)
{
    struct utc covered = from; /* up to here there are files, or holes that are noted */
    bool is_known = true;      /* by index pages, and not by the grid */
    *out =
        (struct site_choice){.files = arena_alloc(arena, (names->count + 1) * sizeof *out->files),
                             .holes = arena_alloc(arena, (names->count + 2) * sizeof *out->holes)};
    for (size_t i = 0; i < names->count; i++) {
        const struct site_name *name = &names->list[i];
        bool has_next;
        struct utc end = end_of(site, names, i, &has_next);
        if (name->kind != SITE_UPDATES || end.ns <= from.ns || name->time.ns >= until.ns)
            continue;
        is_known = !name->is_computed;
        add_hole(out, covered, name->time, is_known);
        covered = end;
        out->files[out->count++] = (struct site_file){collector_site_url(site, name, arena),
                                                      name->time, name->kind, name->is_computed};
    }
    add_hole(out, covered, until, is_known);
}

const struct site_name *collector_site_table(const struct site_names *names, struct utc from)
{
    const struct site_name *best = NULL;
    for (size_t i = 0; i < names->count; i++)
        if (names->list[i].kind == SITE_TABLES && names->list[i].time.ns <= from.ns)
            best = &names->list[i];
    return best && utc_diff(from, best->time) <= SITE_TABLE_AGE_MAX_NS ? best : NULL;
}
