/* The URLs among the archives that somebody reads: fetched in the order in which they are needed, the
 * next while one is read. What cannot be had is told and counted, and the rest goes on: of the time of
 * a missing archive nothing is known, which is something else than that nothing happened.
 *
 *     struct url_files *files = url_files_new(&options, urls, count, &faults);
 *     for (size_t i = 0; i < count; i++)
 *         if (url_files_get(files, i, &file)) ... file.path ...
 *     err = url_files_end(files, &why);
 *     url_files_free(files); */
#ifndef SOURCE_WEB_URL_FILES_H
#define SOURCE_WEB_URL_FILES_H

#include "source/stream.h"
#include "source/web/collector_site.h"
#include "source/web/fetch_ahead.h"

struct url_files_options {
    struct web_cache *cache; /* NULL: nothing can be fetched */
    bool may_lack;           /* the URLs were computed: one that is not there is no failure */
    /* While a file is waited for, about ten times a second; may be NULL. */
    void (*watch)(void *context, const char *url, struct web_state state);
    /* Of this time nothing will be known, as its archive could not be had; may be NULL. It is called
     * when it would have been the archive's turn. */
    void (*lost)(void *context, struct site_hole hole);
    void *context;
};

struct url_files;
/* `urls` must outlive it. Begins to fetch the first ones. */
struct url_files *url_files_new(const struct url_files_options *options, const char *const *urls,
                                size_t count, struct stream_faults *faults);
/* Waits. False if it cannot be had: that is then told, and counted in faults->missing. */
bool url_files_get(struct url_files *files, size_t i, struct web_file *out);
/* Does not wait, and tells nothing: whether it is there, and nothing need be told of it. `is_decided`
 * is false if nothing can be said yet. */
bool url_files_peek(struct url_files *files, size_t i, struct web_file *out, bool *is_decided);
/* Once all were asked for: tells what lacked. ERR_INPUT if any is missing, or none is there. */
enum err url_files_end(struct url_files *files, struct why *why);
void url_files_free(struct url_files *files); /* NULL is fine */

/* When a file begins, as its name tells; 0: it does not. */
struct utc url_time(const char *url);
/* Of which time nothing is known without urls[i]: until the next of them begins, if that is about when
 * it should. False if its name does not tell, or if it is a table, which is of a moment only. */
bool url_span(const char *const *urls, size_t count, size_t i, struct site_hole *out);

#endif
