#include "app/archives.h"

#include "app/command.h"
#include "source/paths.h"
#include "sys/clock.h"
#include "sys/output.h"

#include <stdlib.h>
#include <string.h>

/* Times. */

bool archives_parse_time(const char *text, struct utc *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits && digits <= 10 && !text[digits]) {
        out->ns = strtoll(text, NULL, 10) * NS_PER_S;
        return true;
    }
    size_t n = utc_parse(text, strlen(text), out);
    return n && !text[n];
}

static enum err read_time(const struct options *options, enum option option, struct utc *out,
                          struct why *why)
{
    const char *text = options_get(options, option);
    if (!text || archives_parse_time(text, out))
        return ERR_OK;
    return why_set(why, ERR_USAGE,
                   "--%s: '%.60s' is not a time; expected one such as 2022-02-07T05:30:00Z, or "
                   "seconds since 1970",
                   option_row(option)->name, text);
}

enum err archives_span(const struct options *options, struct utc *from, struct utc *until,
                       struct why *why)
{
    *from = *until = (struct utc){0};
    enum err err = read_time(options, OPTION_FROM, from, why);
    if (!err)
        err = read_time(options, OPTION_UNTIL, until, why);
    if (!err && options_has(options, OPTION_UNTIL) && until->ns <= from->ns)
        err = why_set(why, ERR_USAGE, "--until: '%.60s' is not after --from: that leaves nothing",
                      options_get(options, OPTION_UNTIL));
    return err;
}

/* The folder of copies. */

static bool is_set(const char *text)
{
    return text && *text;
}

/* What the XDG Base Directory Specification calls for: a relative XDG_CACHE_HOME counts as none. */
static enum err find_folder(const char *given, struct arena *arena, const char **out,
                            struct why *why)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given)
        *out = given;
    else if (is_set(xdg) && xdg[0] == '/')
        *out = arena_printf(arena, "%s/lastlight", xdg);
    else if (is_set(home))
        *out = arena_printf(arena, "%s/.cache/lastlight", home);
    else
        return why_set(why, ERR_USAGE,
                       "there is no home folder to keep what is fetched; name a "
                       "folder with --cache DIR");
    return ERR_OK;
}

static enum err open_cache(const struct archives_wish *wish, struct archives *archives,
                           struct why *why)
{
    struct web_cache_options cache;
    const char *folder = NULL;
    enum err err = find_folder(wish->cache, &archives->arena, &folder, why);
    if (err)
        return err;
    web_cache_options_init(&cache, folder);
    if (wish->contact)
        cache.agent =
            arena_printf(&archives->arena, "lastlight/%s (+%s)", LASTLIGHT_VERSION, wish->contact);
    archives->cache = web_cache_new(&cache);
    archives->web.cache = archives->cache;
    return ERR_OK;
}

/* The list. */

static void tell(void *context, const char *text)
{
    (void)context;
    command_say("%s", text);
}

static void add_hole(struct archives *archives, struct site_hole hole)
{
    archives->holes = mem_grow(archives->holes, &archives->hole_capacity, archives->hole_count + 1,
                               sizeof *archives->holes);
    archives->holes[archives->hole_count++] = hole;
}

static bool has_computed(const struct site_choice *choice)
{
    for (size_t i = 0; i < choice->count; i++)
        if (choice->files[i].is_computed)
            return true;
    return false;
}

static void take_list(struct archives *archives)
{
    const struct site_choice *choice = &archives->list.choice;
    const char **urls = arena_alloc(&archives->arena, (choice->count + 1) * sizeof *urls);
    for (size_t i = 0; i < choice->count; i++)
        urls[i] = choice->files[i].url;
    archives->paths = urls;
    archives->count = choice->count;
    archives->from = archives->list.from;
    archives->web.may_lack = has_computed(choice);
    for (size_t i = 0; i < choice->hole_count; i++)
        add_hole(archives, choice->holes[i]);
}

static enum err make_list(const struct archives_wish *wish, struct archives *archives,
                          struct why *why)
{
    struct archive_listener listener = {.tell = tell};
    struct archive_span span = wish->span;
    span.now = clock_utc();
    enum err err = archive_list_make(&span, archives->cache, &listener, &archives->list, why);
    archives->has_list = !err;
    if (!err)
        take_list(archives);
    return err;
}

static bool has_url(const struct archives_wish *wish)
{
    for (size_t i = 0; i < wish->count; i++)
        if (path_is_url(wish->paths[i]))
            return true;
    return false;
}

enum err archives_gather(const struct archives_wish *wish, struct archives *out, struct why *why)
{
    struct archives archives = {.paths = wish->paths,
                                .count = wish->count,
                                .collector = wish->span.collector,
                                .from = wish->span.from,
                                .until = wish->span.until};
    enum err err = ERR_OK;
    if (!wish->count || has_url(wish))
        err = open_cache(wish, &archives, why);
    if (!err && !wish->count)
        err = make_list(wish, &archives, why);
    if (err)
        archives_close(&archives);
    else
        *out = archives;
    return err;
}

/* On the command line. */

static enum err check_named(const struct options *options, struct why *why)
{
    static const enum option of_list[] = {OPTION_SITE, OPTION_RIB};
    for (size_t i = 0; i < sizeof of_list / sizeof *of_list; i++)
        if (options_has(options, of_list[i]))
            return why_set(
                why, ERR_USAGE,
                "--%s is about the archives that --collector, --from and --until choose; "
                "leave out '%.60s'",
                option_row(of_list[i])->name, options->arguments[0]);
    return ERR_OK;
}

static enum err check_list(const struct options *options, struct why *why)
{
    const char *name = command_row(options->command)->name;
    if (options_has(options, OPTION_COLLECTOR) && options_has(options, OPTION_FROM) &&
        options_has(options, OPTION_UNTIL))
        return ERR_OK;
    return why_set(why, ERR_USAGE,
                   "'%s' needs archives: lastlight %s FILE..., or those of the web: lastlight %s "
                   "--collector NAME --from TIME --until TIME",
                   name, name, name);
}

enum err archives_open(const struct options *options, const char *contact, struct archives *out,
                       struct why *why)
{
    struct archives_wish wish = {.paths = options->arguments,
                                 .count = options->argument_count,
                                 .span = {.collector = options_get(options, OPTION_COLLECTOR),
                                          .site = options_get(options, OPTION_SITE),
                                          .with_table = options_has(options, OPTION_RIB)},
                                 .cache = options_get(options, OPTION_CACHE),
                                 .contact = contact};
    enum err err = archives_span(options, &wish.span.from, &wish.span.until, why);
    if (!err)
        err = wish.count ? check_named(options, why) : check_list(options, why);
    return err ? err : archives_gather(&wish, out, why);
}

void archives_close(struct archives *archives)
{
    web_cache_free(archives->cache);
    if (archives->has_list)
        arena_done(&archives->list.arena);
    free(archives->holes);
    arena_done(&archives->arena);
    *archives = (struct archives){0};
}

/* Fetching all. */

void archives_watch(void *context, const char *url, struct web_state state)
{
    progress_fetch(context, url, state.done, state.size, state.attempt);
}

static void tell_fault(void *context, const char *fault)
{
    progress_fault(context, fault);
}

static int by_begin(const void *a, const void *b)
{
    const struct site_hole *x = a, *y = b;
    return x->from.ns < y->from.ns ? -1 : x->from.ns > y->from.ns;
}

/* Puts the files in the places of the URLs, and leaves out what could not be had. */
static enum err put_files(struct archives *archives, const char *const *urls, size_t count,
                          struct url_files *files, struct why *why)
{
    const char **paths = arena_alloc(&archives->arena, (archives->count + 1) * sizeof *paths);
    size_t kept = 0, url = 0;
    for (size_t i = 0; i < archives->count; i++) {
        struct web_file file;
        struct site_hole hole;
        if (!path_is_url(archives->paths[i]))
            paths[kept++] = archives->paths[i];
        else if (url_files_get(files, url++, &file))
            paths[kept++] = arena_copy(&archives->arena, file.path, strlen(file.path));
        else if (archives->has_list && url_span(urls, count, url - 1, &hole))
            add_hole(archives, hole);
    }
    archives->paths = paths;
    archives->count = kept;
    if (archives->hole_count)
        qsort(archives->holes, archives->hole_count, sizeof *archives->holes, by_begin);
    enum err err = url_files_end(files, why);
    return kept ? err : why_set(why, ERR_NOT_FOUND, "none of the archives could be fetched");
}

enum err archives_fetch(struct archives *archives, struct why *why)
{
    struct progress progress;
    struct stream_faults faults = {.report = tell_fault, .context = &progress};
    if (!archives->cache)
        return ERR_OK;
    const char **urls = arena_alloc(&archives->arena, (archives->count + 1) * sizeof *urls);
    size_t count = 0;
    for (size_t i = 0; i < archives->count; i++)
        if (path_is_url(archives->paths[i]))
            urls[count++] = archives->paths[i];
    progress_init(&progress, "archives");
    progress.faulty = "archives that cannot be had";
    archives->web.watch = stderr_is_terminal() ? archives_watch : NULL;
    archives->web.context = &progress;
    struct url_files *files = url_files_new(&archives->web, urls, count, &faults);
    enum err err = put_files(archives, urls, count, files, why);
    url_files_free(files);
    progress_end(&progress);
    return err;
}

/* Of the daemon. */

/* What is read in is known again by its files: of a time to come there would be others each time. */
static enum err check_past(const struct archive_span *span, struct why *why)
{
    char until[UTC_TEXT_MAX];
    if (!span->collector || span->until.ns <= clock_utc().ns)
        return ERR_OK;
    return why_set(
        why, ERR_CONFIG,
        "archives of %s: until %s there are still some to come; name a time that is past",
        span->collector, utc_format(span->until, until));
}

enum err archives_of_config(const struct config *config, struct archives *out, struct why *why)
{
    struct archives_wish wish = {.paths = config->archives,
                                 .count = config->archive_count,
                                 .span = config->archive_span,
                                 .cache = config->cache,
                                 .contact = config->contact};
    enum err err = check_past(&wish.span, why);
    if (!err)
        err = archives_gather(&wish, out, why);
    if (err)
        return err;
    err = archives_fetch(out, why);
    if (err == ERR_INPUT)
        why_set(why, err,
                "not all archives that %s names can be had; run it again when they can, or take "
                "them out of it",
                config->path);
    if (err)
        archives_close(out);
    return err;
}
