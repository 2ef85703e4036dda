#include "source/probe/fact_memory.h"

#include "base/hash.h"
#include "sys/clock.h"

#include <string.h>

void fact_memory_init(struct fact_memory *memory, struct mono now)
{
    *memory = (struct fact_memory){.refilled = now};
    memset(memory->left, FACT_CHANGES, sizeof memory->left);
}

static void refill(struct fact_memory *memory, struct mono now)
{
    int64_t more = mono_diff(now, memory->refilled) / FACT_REFILL_NS;
    if (more <= 0)
        return;
    memory->refilled.ns += more * FACT_REFILL_NS;
    for (int i = 0; i < FACT_COUNT; i++) {
        int64_t left = memory->left[i] + more;
        memory->left[i] = (uint8_t)(left < FACT_CHANGES ? left : FACT_CHANGES);
    }
}

/* Whether the fact may be kept. What is first seen is no change. */
static bool is_steady(struct fact_memory *memory, enum fact fact, const struct buffer *value)
{
    uint64_t hash = hash_bytes(value->bytes, value->size, fact) | 1;
    bool is_change = memory->hashes[fact] && memory->hashes[fact] != hash;
    memory->hashes[fact] = hash;
    if (is_change && memory->left[fact])
        memory->left[fact]--;
    else if (is_change)
        return false;
    return memory->left[fact] > 0;
}

void fact_memory_keep(struct fact_memory *memory, const struct account *account, struct mono now,
                      struct buffer *out)
{
    struct buffer value = {0};
    bool is_first = true;
    refill(memory, now);
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        if (!account_has(account, fact) || !fact_is_kept(fact))
            continue;
        buffer_clear(&value);
        account_fact_json(account, fact, &value);
        if (!is_steady(memory, fact, &value))
            continue;
        buffer_printf(out, "%s\"%s\":", is_first ? "{\"facts\":{" : ",", fact_name(fact));
        buffer_add(out, value.bytes, value.size);
        is_first = false;
    }
    if (!is_first)
        buffer_puts(out, "}}");
    buffer_done(&value);
}
