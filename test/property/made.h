/* For property tests: a made stream of observations, and a journal written out as bytes to compare.
 */
#ifndef TEST_PROPERTY_MADE_H
#define TEST_PROPERTY_MADE_H

#include "base/buffer.h"
#include "base/hash.h"
#include "model/observation.h"
#include "model/registry.h"

/* A small generator: the same numbers on every machine, told by its seed. */
struct dice {
    uint64_t seed, turn;
};

static inline uint64_t roll(struct dice *dice, uint64_t limit)
{
    return hash_mix(dice->seed + ++dice->turn * UINT64_C(0x9e3779b97f4a7c15)) % limit;
}

/* Probes of some hundred targets that fail now and then for a while, each for itself or all but the
 * controls at once, with ticks, gaps and a subject between them; new names turn up all the time.
 * The same seed gives the same stream. */
enum { MADE_TARGETS = 300, MADE_MEMBERS = 280 };
struct made {
    struct dice dice;
    struct registry *registry;
    uint64_t index;
    uint32_t vantage, subject;
    uint32_t targets[MADE_TARGETS], addresses[MADE_TARGETS];
    uint8_t is_down[MADE_TARGETS];
};
struct made made_stream(uint64_t seed, struct registry *registry);
struct observation made_next(struct made *made);

/* Everything that must be the same however a journal came about: all its tables but the runs of
 * observations and the checkpoint, and all observations, decoded. Fails the test if it cannot be
 * read. Damaged blocks are told by a line. */
void dump_journal(const char *path, struct buffer *out);

/* A new empty folder, and its removal with the files in it. */
void folder_make(char path[64]);
void folder_remove(const char *path);

#endif
