#include "source/web/url_files.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct url_files {
    struct fetch_ahead *ahead;
    const char *const *urls;
    size_t count;
    struct url_files_options options;
    struct stream_faults *faults;
    uint64_t missing;
    size_t lacking;
    const char *first_lacking;
};

static bool name_of(const char *url, struct site_name *out)
{
    const char *slash = strrchr(url, '/');
    const char *start = slash ? slash + 1 : url;
    return site_name_parse(start, strlen(start), out);
}

struct utc url_time(const char *url)
{
    struct site_name name;
    return name_of(url, &name) ? name.time : (struct utc){0};
}

bool url_span(const char *const *urls, size_t count, size_t i, struct site_hole *out)
{
    struct site_name name, next;
    char collector[COLLECTOR_TEXT_MAX];
    if (!name_of(urls[i], &name) || name.kind != SITE_UPDATES)
        return false;
    struct collector_site site = {.is_ris = collector_from_path(urls[i], collector) &&
                                            strncmp(collector, "rrc", 3) == 0};
    int64_t interval = collector_site_interval(&site, SITE_UPDATES, name.time);
    struct utc until = utc_add(name.time, interval);
    for (size_t j = i + 1; j < count; j++) {
        if (!name_of(urls[j], &next) || next.kind != SITE_UPDATES || next.time.ns <= name.time.ns)
            continue;
        if (utc_diff(next.time, name.time) < 2 * interval)
            until = next.time;
        break;
    }
    *out = (struct site_hole){name.time, until};
    return true;
}

struct url_files *url_files_new(const struct url_files_options *options, const char *const *urls,
                                size_t count, struct stream_faults *faults)
{
    struct url_files *files = mem_new(1, sizeof *files);
    *files =
        (struct url_files){.urls = urls, .count = count, .options = *options, .faults = faults};
    files->ahead = fetch_ahead_new(options->cache, urls, count, options->watch, options->context);
    return files;
}

static void tell(const struct url_files *files, const char *text)
{
    if (files->faults->report)
        files->faults->report(files->faults->context, text);
}

static void miss(struct url_files *files, size_t i, const struct why *why)
{
    struct site_hole hole;
    if (files->options.lost && url_span(files->urls, files->count, i, &hole))
        files->options.lost(files->options.context, hole);
    if (why->err == ERR_NOT_FOUND && files->options.may_lack) {
        if (!files->lacking++)
            files->first_lacking = files->urls[i];
        return;
    }
    files->missing++;
    files->faults->missing++;
    tell(files, why->text);
}

bool url_files_get(struct url_files *files, size_t i, struct web_file *out)
{
    struct why why = {0};
    if (fetch_ahead_take(files->ahead, i, out, &why)) {
        miss(files, i, &why);
        return false;
    }
    if (out->is_old)
        tell(files, why.text);
    return true;
}

bool url_files_peek(struct url_files *files, size_t i, struct web_file *out, bool *is_decided)
{
    struct why why = {0};
    *is_decided = fetch_ahead_has(files->ahead, i);
    return *is_decided && fetch_ahead_take(files->ahead, i, out, &why) == ERR_OK && !out->is_old;
}

enum err url_files_end(struct url_files *files, struct why *why)
{
    struct why text;
    if (files->lacking) {
        why_set(&text, ERR_OK,
                "%zu of %zu archives are not there, the first of them %s: of their times nothing "
                "is known",
                files->lacking, files->count, files->first_lacking);
        tell(files, text.text);
    }
    if (files->missing)
        return why_set(why, ERR_INPUT,
                       "%" PRIu64 " of %zu archives could not be fetched: of their times nothing "
                       "is known; all else was used",
                       files->missing, files->count);
    if (files->lacking && files->lacking == files->count)
        return why_set(why, ERR_INPUT, "none of the archives is there");
    return ERR_OK;
}

void url_files_free(struct url_files *files)
{
    if (!files)
        return;
    fetch_ahead_free(files->ahead);
    free(files);
}
