/* How much of the address space of a subject's ASes and countries is visible, as the newest bins of the whole
 * table say (source/table/bins.h); nothing where it is not kept. */
#ifndef OUT_BINS_H
#define OUT_BINS_H

#include "out/json.h"
#include "out/page.h"

/* Those of the newest bin that belong to a subject, by subject and name. */
struct bin_list {
    const struct observation *list;
    size_t count;
};

/* `last` is the time of the journal's newest observation. */
enum err bins_fetch(struct journal *journal, const struct registry *registry, struct utc last,
                    struct arena *arena, struct bin_list *out, struct why *why);
/* A line for each AS and country of the subject. */
void bins_put(const struct bin_list *bins, const struct registry *registry, uint32_t subject,
              struct page *page, struct arena *arena);
json_t *bins_json(const struct registry *registry, const struct observation *bin);

#endif
