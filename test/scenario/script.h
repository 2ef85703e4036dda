/* The words of one line of a scenario, taken one after the other. Sticky: the first thing that is
 * not as expected is kept with its place, and from then on everything reads as empty, so that one
 * check a line suffices. */
#ifndef TEST_SCENARIO_SCRIPT_H
#define TEST_SCENARIO_SCRIPT_H

#include "scenario.h"

#include <stdbool.h>

enum { SCRIPT_WORDS = 64 };

struct script {
    struct world *world;
    const char *file;
    int line;
    const char *said; /* the line as written */
    const char *words[SCRIPT_WORDS];
    size_t count, at;
    struct utc day;   /* of the last `day`; 0 none yet */
    uint32_t subject; /* the last one declared */
    bool bad;
    struct why *why;
};

/* Splits the next line into words, which live in the world's arena. */
void script_line(struct script *script, const char *text, size_t n);

/* The reason, in words that say what was found and what was expected. */
void script_fail(struct script *script, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *script_peek(const struct script *script); /* "" at the end of the line */
const char *script_word(struct script *script, const char *expected);
bool script_take(struct script *script,
                 const char *word); /* takes the next word if it is this one */
void script_finish(struct script *script);

double script_number(struct script *script, const char *expected);
double script_share(struct script *script); /* P% as 0 to 1 */
int64_t script_duration(struct script *script);
struct utc script_time(struct script *script);
struct span script_span(struct script *script); /* TIME..TIME */
/* A thing by its name, of one of the kinds (bits 1 << THING_...). */
uint32_t script_thing(struct script *script, unsigned kinds, const char *expected);

#endif
