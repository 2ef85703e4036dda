/* Files of the web for somebody who reads them one after the other: while one is read, the next are
 * fetched, in a thread of their own.
 *
 *     struct fetch_ahead *ahead = fetch_ahead_new(cache, urls, count, watch, context);
 *     err = fetch_ahead_take(ahead, 0, &file, &why);   waits; those after it are fetched meanwhile
 *     fetch_ahead_free(ahead);
 *
 * It has the cache to itself while it lives. */
#ifndef SOURCE_WEB_FETCH_AHEAD_H
#define SOURCE_WEB_FETCH_AHEAD_H

#include "source/web/web_cache.h"

enum { FETCH_AHEAD = 2 /* files beyond the one that was taken last */ };

struct fetch_ahead;

/* `urls` must outlive it. While fetch_ahead_take() waits, it calls `watch` about ten times a second, if
 * that is not NULL, with what is being fetched. */
struct fetch_ahead *fetch_ahead_new(struct web_cache *cache, const char *const *urls, size_t count,
                                    void (*watch)(void *context, const char *url,
                                                  struct web_state state),
                                    void *context);
/* Waits for a file; as web_cache_get(). In any order, each any number of times. */
enum err fetch_ahead_take(struct fetch_ahead *ahead, size_t i, struct web_file *out,
                          struct why *why);
/* Whether taking it would not wait. */
bool fetch_ahead_has(struct fetch_ahead *ahead, size_t i);
/* Stops what is under way, which can be gone on with later; NULL is fine. */
void fetch_ahead_free(struct fetch_ahead *ahead);

#endif
