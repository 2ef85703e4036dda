#include "app/suggest.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's distance with swaps of neighbours. */
unsigned suggestion_distance(const char *a, size_t an, const char *b, size_t bn)
{
    if (an > WORD_MAX || bn > WORD_MAX)
        return UINT_MAX;
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= an; i++)
        cost[i][0] = (unsigned)i;
    for (size_t j = 0; j <= bn; j++)
        cost[0][j] = (unsigned)j;
    for (size_t i = 1; i <= an; i++) {
        for (size_t j = 1; j <= bn; j++) {
            unsigned differs = a[i - 1] != b[j - 1];
            cost[i][j] =
                least(cost[i - 1][j - 1] + differs, least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[an][bn];
}

struct suggestion suggestion_for(const char *word, size_t n)
{
    return (struct suggestion){.word = word, .n = n, .distance = UINT_MAX};
}

/* Near enough is a third of the word, at least one letter; a word and its beginning count as near,
 * since that is how people shorten. */
void suggestion_consider(struct suggestion *suggestion, const char *candidate)
{
    size_t n = strlen(candidate);
    unsigned distance = suggestion_distance(suggestion->word, suggestion->n, candidate, n);
    size_t tolerance = suggestion->n < 6 ? 1 + suggestion->n / 4 : suggestion->n / 3;
    if (suggestion->n >= 3 && suggestion->n < n &&
        memcmp(suggestion->word, candidate, suggestion->n) == 0)
        distance = least(distance, (unsigned)tolerance);
    if (distance > tolerance || distance >= suggestion->distance)
        return;
    suggestion->distance = distance;
    suggestion->best = candidate;
}
