/* What is said of the observer itself. Where several sources were blind at the very same time, as
 * when the observer was off, one sentence tells of all of them. */
#ifndef OUT_NOTICES_H
#define OUT_NOTICES_H

#include "base/mem.h"
#include "model/registry.h"
#include "store/query.h"

/* Notices that overlap the incident. */
bool notice_is_within(const struct notice *notice, const struct incident *incident);

/* True if an earlier notice of the list tells of this one too: it is not told again. */
bool notices_is_told(const struct notice_list *notices, size_t at);

/* "vantage lon was not well: 2 of 2 control targets did not answer; ... (began between ... and ...;
 * not over)", for the notice and for those that are told with it. */
const char *notices_words(struct arena *arena, const struct registry *registry,
                          const struct notice_list *notices, size_t at);

#endif
