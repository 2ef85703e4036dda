#include "source/probe/echo_numbers.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void echo_numbers_add(struct echo_numbers *numbers, uint16_t ident)
{
    assert(numbers->count < ECHO_IDENTS_MAX);
    numbers->idents[numbers->count++] = (struct echo_ident){
        .ident = ident, .slots = mem_new(ECHO_SEQUENCES, sizeof(struct echo_slot))};
}

void echo_numbers_done(struct echo_numbers *numbers)
{
    for (unsigned i = 0; i < numbers->count; i++)
        free(numbers->idents[i].slots);
    *numbers = (struct echo_numbers){0};
}

struct echo_slot *echo_numbers_claim(struct echo_numbers *numbers, uint32_t *number)
{
    unsigned i = 0;
    while (i < numbers->count && numbers->idents[i].under_way == ECHO_UNDER_WAY_MAX)
        i++;
    if (i == numbers->count)
        return NULL;
    struct echo_ident *ident = &numbers->idents[i];
    while (ident->slots[ident->next].echo)
        ident->next++;
    ident->under_way++;
    *number = i * ECHO_SEQUENCES + ident->next;
    return &ident->slots[ident->next++];
}

void echo_numbers_release(struct echo_numbers *numbers, uint32_t number)
{
    numbers->idents[number / ECHO_SEQUENCES].under_way--;
    echo_numbers_slot(numbers, number)->echo = NULL;
}

struct echo_slot *echo_numbers_find(const struct echo_numbers *numbers, uint16_t ident,
                                    uint16_t sequence)
{
    for (unsigned i = 0; i < numbers->count; i++)
        if (numbers->idents[i].ident == ident)
            return &numbers->idents[i].slots[sequence];
    return NULL;
}
