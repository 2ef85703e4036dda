#include "source/web/archive_list.h"

#include "source/web/index_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A month that is over so long gets no more files. */
#define MONTH_FINAL_NS (2 * NS_PER_DAY)
/* A longer span has more files than SITE_FILES_MAX in any case. */
#define SPAN_MAX_NS (4 * 366 * NS_PER_DAY)

enum { HOLES_TOLD = 10 };

struct making {
    const struct archive_span *span;
    struct collector_site site;
    struct web_cache *cache;
    const struct archive_listener *listener;
    struct site_names names;
};

static void tell(const struct making *making, const char *text)
{
    if (making->listener->tell)
        making->listener->tell(making->listener->context, text);
}

/* Those that the page names, but none of another month, whose URL would be another. */
static size_t add_page(struct making *making, const char *page, size_t n, struct utc month)
{
    struct site_names found = {0};
    struct utc end = site_month(month, 1);
    size_t count = 0;
    index_page_read(page, n, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct site_name *name = &found.list[i];
        if (name->time.ns < month.ns || name->time.ns >= end.ns)
            continue;
        site_names_add(&making->names, name);
        count++;
    }
    free(found.list);
    return count;
}

/* `reason`: why the index page is of no use. */
static void use_grid(struct making *making, enum site_kind kind, const char *reason,
                     struct utc from, struct utc until)
{
    struct why text;
    why_set(&text, ERR_OK, "%.500s; the names of its files are computed", reason);
    tell(making, text.text);
    site_names_grid(&making->names, &making->site, kind, from, until);
}

/* Reads the page of one month, or takes the grid for it. From and until are within the month. */
static enum err add_month(struct making *making, enum site_kind kind, struct utc from,
                          struct utc until, struct why *why)
{
    char url[SITE_URL_MAX];
    struct web_file file;
    struct buffer page = {0};
    struct utc month = site_month(from, 0);
    struct web_wish wish = {.url = collector_site_folder(&making->site, kind, from, url),
                            .final_at = utc_add(site_month(from, 1), MONTH_FINAL_NS),
                            .size_max = INDEX_PAGE_MAX};
    struct why inner = {0};
    enum err err = web_cache_get(making->cache, &wish, &file, &inner);
    if (err == ERR_CLOSED || err == ERR_FULL || err == ERR_DENIED) {
        *why = inner;
        return err;
    }
    /* The projects have a page for each month that there is; who mirrors them perhaps has none. */
    if (err == ERR_NOT_FOUND && !making->span->site)
        return ERR_OK;
    if (!err && file.is_old)
        tell(making, inner.text);
    if (!err)
        err = cache_file_load(file.path, INDEX_PAGE_MAX, &page, &inner);
    if (err) {
        use_grid(making, kind, inner.text, from, until);
    } else if (!add_page(making, page.bytes ? page.bytes : "", page.size, month)) {
        why_set(&inner, ERR_OK, "%.400s: this index page names no archive", url);
        use_grid(making, kind, inner.text, from, until);
    }
    buffer_done(&page);
    return ERR_OK;
}

/* The names of all months from `from` to `until`. */
static enum err add_months(struct making *making, enum site_kind kind, struct utc from,
                           struct utc until, struct why *why)
{
    enum err err = ERR_OK;
    while (!err && from.ns < until.ns) {
        struct utc next = site_month(from, 1);
        err = add_month(making, kind, from, next.ns < until.ns ? next : until, why);
        from = next;
    }
    site_names_sort(&making->names);
    if (!err && making->names.is_full)
        err = why_set(why, ERR_LIMIT,
                      "%s: more than %d files in this span; ask for it in parts, with --from and "
                      "--until",
                      making->span->collector, SITE_FILES_MAX);
    return err;
}

/* The last table before `from`; NULL if there is none. They are made often: what lies further back, perhaps on
 * the page of another month, is asked for only if none is where it should be. */
static enum err find_table(struct making *making, const struct site_name **out, struct why *why)
{
    struct utc from = making->span->from;
    const int64_t reaches[] = {collector_site_interval(&making->site, SITE_TABLES, from),
                               SITE_TABLE_AGE_MAX_NS};
    enum err err = ERR_OK;
    *out = NULL;
    for (size_t i = 0; i < 2 && !err && !*out; i++) {
        err = add_months(making, SITE_TABLES, utc_add(from, -reaches[i]), utc_add(from, 1), why);
        *out = err ? NULL : collector_site_table(&making->names, from);
    }
    return err;
}

/* The table before `from`; then the updates since it are wanted, too. */
static enum err add_table(struct making *making, struct archive_list *out, struct site_file *table,
                          struct why *why)
{
    const struct site_name *found;
    enum err err = find_table(making, &found, why);
    if (found) {
        *table = (struct site_file){collector_site_url(&making->site, found, &out->arena),
                                    found->time, found->kind, found->is_computed};
        out->from = found->time;
    } else if (!err) {
        tell(making, "there is no table within a day before --from; only updates are read");
        out->lacks_table = true;
    }
    free(making->names.list);
    making->names = (struct site_names){0};
    return err;
}

static void tell_holes(const struct making *making, const struct site_choice *choice)
{
    for (size_t i = 0; i < choice->hole_count && i < HOLES_TOLD; i++) {
        char from[UTC_TEXT_MAX], until[UTC_TEXT_MAX];
        struct why text;
        why_set(&text, ERR_OK, "%s: the archive has no updates of %s to %s: nothing is known of it",
                making->span->collector, utc_format(choice->holes[i].from, from),
                utc_format(choice->holes[i].until, until));
        tell(making, text.text);
    }
    if (choice->hole_count > HOLES_TOLD) {
        struct why text;
        why_set(&text, ERR_OK, "and %zu more such holes", choice->hole_count - HOLES_TOLD);
        tell(making, text.text);
    }
}

static enum err check_span(const struct archive_span *span, struct why *why)
{
    if (!utc_is_known(span->from) || !utc_is_known(span->until) || span->from.ns >= span->until.ns)
        return why_set(why, ERR_USAGE,
                       "%s: say which archives, with --from TIME and a later --until TIME",
                       span->collector);
    if (span->from.ns >= span->now.ns)
        return why_set(why, ERR_USAGE, "%s: --from is in the future; nothing is archived yet",
                       span->collector);
    if (utc_diff(span->until, span->from) > SPAN_MAX_NS)
        return why_set(why, ERR_LIMIT,
                       "%s: too long a span; ask for it in parts, with --from and "
                       "--until",
                       span->collector);
    return ERR_OK;
}

/* The table, if there is one, in front of the updates. */
static void join(struct archive_list *out, const struct site_file *table)
{
    struct site_choice *choice = &out->choice;
    if (!table->url)
        return;
    struct site_file *files = arena_alloc(&out->arena, (choice->count + 1) * sizeof *files);
    files[0] = *table;
    memcpy(files + 1, choice->files, choice->count * sizeof *files);
    choice->files = files;
    choice->count++;
}

static enum err make(struct making *making, struct archive_list *out, struct why *why)
{
    const struct archive_span *span = making->span;
    struct site_file table = {0};
    struct utc until = span->until.ns < span->now.ns ? span->until : span->now;
    out->from = span->from;
    enum err err = span->with_table ? add_table(making, out, &table, why) : ERR_OK;
    /* The file that is under way at `from` may have begun in the month before. */
    int64_t reach = collector_site_interval(&making->site, SITE_UPDATES, out->from);
    if (!err)
        err = add_months(making, SITE_UPDATES, utc_add(out->from, -reach), until, why);
    if (err)
        return err;
    collector_site_choose(&making->site, &making->names, out->from, until, &out->arena,
                          &out->choice);
    if (!out->choice.count && !table.url)
        return why_set(why, ERR_NOT_FOUND, "%s: there are no archives of this span at %s",
                       span->collector, making->site.base);
    tell_holes(making, &out->choice);
    join(out, &table);
    return ERR_OK;
}

enum err archive_list_make(const struct archive_span *span, struct web_cache *cache,
                           const struct archive_listener *listener, struct archive_list *out,
                           struct why *why)
{
    struct making making = {.span = span, .cache = cache, .listener = listener};
    struct archive_list list = {0};
    enum err err = collector_site_init(&making.site, span->collector, span->site, why);
    if (!err)
        err = check_span(span, why);
    if (!err)
        err = make(&making, &list, why);
    free(making.names.list);
    if (err)
        arena_done(&list.arena);
    else
        *out = list;
    return err;
}

/* ---- only the pages ---- */

static void tell_pages(const struct collector_site *site, enum site_kind kind, struct utc from,
                       struct utc until, void (*page)(void *, const char *), void *context)
{
    char url[SITE_URL_MAX];
    for (; from.ns < until.ns; from = site_month(from, 1))
        page(context, collector_site_folder(site, kind, from, url));
}

enum err archive_list_pages(const struct archive_span *span,
                            void (*page)(void *context, const char *url), void *context,
                            struct why *why)
{
    struct collector_site site;
    struct utc from = span->from, until = span->until.ns < span->now.ns ? span->until : span->now;
    enum err err = collector_site_init(&site, span->collector, span->site, why);
    if (!err)
        err = check_span(span, why);
    if (err)
        return err;
    if (span->with_table)
        from = utc_add(from, -collector_site_interval(&site, SITE_TABLES, from));
    if (span->with_table && !site.is_ris) /* RIS has both kinds on one page */
        tell_pages(&site, SITE_TABLES, from, utc_add(span->from, 1), page, context);
    from = utc_add(from, -collector_site_interval(&site, SITE_UPDATES, from));
    tell_pages(&site, SITE_UPDATES, from, until, page, context);
    return ERR_OK;
}
