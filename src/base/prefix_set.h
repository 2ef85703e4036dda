/* A set of prefixes that is asked whether an address is within one of them: sorted, without those that
 * lie within others, 18 bytes each.
 *
 *     prefix_set_add(&set, &prefix);     // in any order
 *     prefix_set_seal(&set);             // before it is asked
 *     found = prefix_set_find(&set, &addr);
 *
 * A zeroed struct is empty and sealed; prefix_set_done() frees it. */
#ifndef BASE_PREFIX_SET_H
#define BASE_PREFIX_SET_H

#include "base/addr.h"

struct prefix_set {
    struct prefix *list;
    size_t count, capacity;
};

void prefix_set_add(struct prefix_set *set, const struct prefix *prefix);
void prefix_set_seal(struct prefix_set *set);
/* The prefix that holds the address; NULL if none does. */
const struct prefix *prefix_set_find(const struct prefix_set *set, const struct addr *addr);
void prefix_set_done(struct prefix_set *set);

#endif
