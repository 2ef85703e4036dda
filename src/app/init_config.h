/* The configuration that `init` writes: of what a survey found and what was tried, with the reasons beside
 * it. */
#ifndef APP_INIT_CONFIG_H
#define APP_INIT_CONFIG_H

#include "app/init_targets.h"
#include "source/origins/country.h"

struct init_finding {
    const struct survey *survey;
    const struct init_targets *targets;
    const char *name;       /* of the subject */
    struct country country; /* "": none */
    const char *resolver;   /* that was asked; NULL: none was */
    size_t unanswered;      /* questions of the DNS */
    struct utc now;
};

void init_config_write(const struct init_finding *finding, struct buffer *out);

#endif
