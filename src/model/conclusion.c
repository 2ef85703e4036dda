#include "model/conclusion.h"

#include <stdlib.h>
#include <string.h>

const char *condition_name(enum condition condition)
{
    static const char *const names[] = {"no data", "up", "degraded", "down"};
    return names[condition];
}

const char *confidence_name(enum confidence confidence)
{
    static const char *const names[] = {"low", "moderate", "high"};
    return names[confidence];
}

const char *notice_kind_name(enum notice_kind kind)
{
    static const char *const names[] = {"",          "vantage-unwell", "source-gap",
                                        "peer-lost", "series-silent",  "own-fault"};
    return names[kind];
}

struct conclusion *conclusions_add(struct conclusions *conclusions, enum conclusion_kind kind,
                                   struct utc time)
{
    conclusions->list = mem_grow(conclusions->list, &conclusions->capacity, conclusions->count + 1,
                                 sizeof *conclusions->list);
    struct conclusion *conclusion = &conclusions->list[conclusions->count++];
    memset(conclusion, 0, sizeof *conclusion);
    conclusion->kind = kind;
    conclusion->time = time;
    return conclusion;
}

void conclusions_add_verdict(struct conclusions *conclusions, struct utc time,
                             const struct verdict *verdict)
{
    struct verdict *copy = arena_alloc(&conclusions->arena, sizeof *copy);
    *copy = *verdict;
    conclusions_add(conclusions, CONCLUSION_VERDICT, time)->verdict = copy;
}

void conclusions_clear(struct conclusions *conclusions)
{
    conclusions->count = 0;
    arena_reset(&conclusions->arena);
}

void conclusions_done(struct conclusions *conclusions)
{
    arena_done(&conclusions->arena);
    free(conclusions->list);
    *conclusions = (struct conclusions){0};
}
