/* What routers and collectors told, in words:
 *
 *     assert_string_equal(told_text(&text, registry, seen, count),
 *                         "start up table:198.51.100.0/24 complete withdraw:198.51.100.0/24 gap");
 */
#ifndef TEST_TOLD_H
#define TEST_TOLD_H

#include "base/buffer.h"
#include "model/observation.h"
#include "model/registry.h"

static inline const char *told_word(const struct observation *o)
{
    static const char *const routes[] = {"", "announce", "withdraw", "table"};
    static const char *const peers[] = {"", "up", "down", "size", "complete", "heard", "telling"};
    return o->kind == OBSERVATION_ROUTE  ? routes[o->code]
           : o->kind == OBSERVATION_PEER ? peers[o->code]
                                         : observation_kind_name((enum observation_kind)o->kind);
}

/* Written into `text`, whatever that held before. */
static inline const char *told_text(struct buffer *text, const struct registry *registry,
                                    const struct observation *seen, size_t count)
{
    buffer_clear(text);
    buffer_puts(text, "");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(text, "%s%s", i ? " " : "", told_word(&seen[i]));
        if (seen[i].kind == OBSERVATION_ROUTE)
            buffer_printf(text, ":%s", registry_text(registry, seen[i].target));
    }
    return text->size ? text->bytes : "";
}

#endif
