/* The numbers of echo requests: identifiers, each with 65 536 sequence numbers, and what was last sent
 * with every one of them. That is kept until the number is used again, which is as late as can be, so
 * that late replies and duplicates are known for what they are.
 *
 *     echo_numbers_add(&numbers, ident);
 *     slot = echo_numbers_claim(&numbers, &number);     NULL: add another identifier
 *     *slot = (struct echo_slot){.echo = echo, .cookie = cookie};
 *     slot = echo_numbers_find(&numbers, ident, sequence);
 *     echo_numbers_release(&numbers, number); */
#ifndef SOURCE_PROBE_ECHO_NUMBERS_H
#define SOURCE_PROBE_ECHO_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ECHO_SEQUENCES = 65536,
    /* So many of an identifier's numbers can be under way: a free one is then never far. */
    ECHO_UNDER_WAY_MAX = ECHO_SEQUENCES / 4 * 3,
    ECHO_IDENTS_MAX = 8 /* 393 216 requests under way */
};

struct echo;

struct echo_slot {
    struct echo *echo; /* NULL: over */
    uint64_t cookie;
    bool is_answered;
};

struct echo_ident {
    uint16_t ident;
    uint16_t next;
    unsigned under_way;
    struct echo_slot *slots;
};

/* A zeroed struct has none. */
struct echo_numbers {
    struct echo_ident idents[ECHO_IDENTS_MAX];
    unsigned count;
};

void echo_numbers_add(struct echo_numbers *numbers, uint16_t ident);
void echo_numbers_done(struct echo_numbers *numbers);

/* The next free one, of the first identifier that has any: `number` is the place of the identifier
 * and the sequence number. NULL if there is none. The caller sets its echo. */
struct echo_slot *echo_numbers_claim(struct echo_numbers *numbers, uint32_t *number);
/* Its echo is over. */
void echo_numbers_release(struct echo_numbers *numbers, uint32_t number);

/* NULL if the identifier is not one of these. */
struct echo_slot *echo_numbers_find(const struct echo_numbers *numbers, uint16_t ident,
                                    uint16_t sequence);

static inline struct echo_slot *echo_numbers_slot(const struct echo_numbers *numbers,
                                                  uint32_t number)
{
    return &numbers->idents[number / ECHO_SEQUENCES].slots[number % ECHO_SEQUENCES];
}

static inline uint16_t echo_numbers_ident(const struct echo_numbers *numbers, uint32_t number)
{
    return numbers->idents[number / ECHO_SEQUENCES].ident;
}

#endif
