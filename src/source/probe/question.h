/* What the prober asks the engines (ping, tcp, dns, http), and what they answer. */
#ifndef SOURCE_PROBE_QUESTION_H
#define SOURCE_PROBE_QUESTION_H

#include "base/addr.h"
#include "base/utc.h"
#include "model/model.h"
#include "model/target.h"
#include "source/probe/account.h"

#include <stdint.h>

struct manners;

/* Members as in struct observation. */
struct answer {
    struct utc sent;
    int64_t late_ns; /* sent so long after it was due; 0: as soon as it was asked */
    int64_t rtt_ns;  /* 0: no answer, or not measured rightly */
    int64_t value;
    struct addr peer; /* who answered or reported; family 0: nobody */
    uint16_t code;
    enum outcome outcome;
    enum stage stage;
};

/* What an engine remembers of a target from one question to the next: its own, released by it. */
struct probe_memory {
    void *state; /* NULL: nothing yet */
    void (*release)(void *state);
};

/* Copied by the engine that is asked, `expect_text` and `zone` too; what the other pointers lead to must live until
 * the answer. answered() is called exactly once, perhaps before the asking call returns, but not any
 * more after the engine was freed. */
struct question {
    const struct target *target;
    const char *text;    /* of the target */
    struct mono due;     /* when it was to be asked */
    struct addr address; /* ask this one, and do not look the name up; family 0: do */
    uint8_t family;      /* 4 or 6: only addresses of this one are asked; 0: of both */
    uint8_t hops; /* icmp, tcp, udp: through so many routers at most; 0: as the system has it */
    uint16_t own_port; /* tcp, udp: asked from this port of ours; 0: from any */
    int64_t timeout_ns;
    int expect_status;
    unsigned redirects;      /* http: so many are followed; 0: one is an answer like any other */
    const char *expect_text; /* NULL: nothing in particular */
    struct account *account; /* NULL: nobody wants one */
    const struct zone_settings *zone; /* of zone targets; NULL: none */
    struct probe_memory *memory;      /* NULL: nothing is to be remembered */
    /* The prober's, which may change meanwhile: by which what an engine sends beyond one question is counted.
     * NULL: by none. */
    struct manners *const *manners;
    void (*answered)(void *context, const struct answer *answer);
    void *context;
};

#endif
