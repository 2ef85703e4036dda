/* Tells on standard error, in a line each, what the daemon has just concluded: that an incident
 * opened or is over, and that the observer itself is unwell or well again. All else is in the
 * journal. */
#ifndef APP_HERALD_H
#define APP_HERALD_H

#include "base/buffer.h"
#include "model/conclusion.h"
#include "model/registry.h"

struct herald {
    const struct registry *registry;
    uint8_t *incidents; /* by number: what was told of it last */
    size_t capacity, known;
    struct notice notice; /* the one that was told last */
};

void herald_init(struct herald *herald, const struct registry *registry);
void herald_done(struct herald *herald);

/* For pipeline_listen(); context: the herald. */
void herald_hear(void *context, const struct conclusion *conclusion);

/* The line for a conclusion; leaves `out` empty if there is nothing to tell. */
void herald_line(struct herald *herald, const struct conclusion *conclusion, struct buffer *out);

#endif
