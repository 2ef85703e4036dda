/* "Did you mean ...?": the nearest of some known words to one that is unknown.
 *
 *     struct suggestion s = suggestion_for(word, n);
 *     for each candidate: suggestion_consider(&s, candidate);
 *     if (s.best) ... */
#ifndef APP_SUGGEST_H
#define APP_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *word;
    size_t n;
    unsigned distance; /* of `best` */
    const char *best;  /* NULL while nothing is near enough to be what was meant */
};

struct suggestion suggestion_for(const char *word, size_t n);
void suggestion_consider(struct suggestion *suggestion, const char *candidate);

/* How many letters must be added, dropped, changed or swapped with their neighbour to get from one
 * word to the other; words beyond 40 letters are infinitely far from all others. */
unsigned suggestion_distance(const char *a, size_t an, const char *b, size_t bn);

#endif
