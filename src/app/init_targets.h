/* What `init` proposes to ask, of all that a survey found, and whether it answered when it was tried. */
#ifndef APP_INIT_TARGETS_H
#define APP_INIT_TARGETS_H

#include "app/asking.h"
#include "source/survey/survey.h"

enum init_section {
    INIT_CONTROLS,
    INIT_NAME_SERVERS,
    INIT_MAIL,
    INIT_PAGES,
    INIT_HOSTS,
    INIT_SECTIONS
};

/* All that `init` proposes: so many, at most. */
enum { INIT_TARGETS_MAX = 1000 };

struct init_target {
    const char *text;
    const char *about; /* the host's name, or what it is */
    enum init_section section;
    bool was_asked, is_excluded;
    /* https of a page whose http is there, too: one of them is enough. */
    bool is_instead; /* http, to be taken if https does not answer */
    struct observation result;
};

struct init_targets {
    struct init_target *list;
    size_t count, capacity;
    uint64_t refused;
    struct arena arena;
};

/* Controls are root servers: somebody else's, and in many places. */
void init_targets_make(struct init_targets *targets, const struct survey *survey);
void init_targets_done(struct init_targets *targets);

/* Asks each of them once. Excluded addresses (of the configuration of -c, if there is one) are not
 * asked. */
enum err init_targets_try(struct init_targets *targets, const struct config *config,
                          struct why *why);
/* Whether anybody answered: if not, it may be us. */
bool init_targets_have_answer(const struct init_targets *targets);
/* Whether it is proposed: it answered, or nothing says that it does not. */
bool init_target_is_proposed(const struct init_targets *targets, const struct init_target *target);

#endif
