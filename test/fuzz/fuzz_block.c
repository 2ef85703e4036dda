/* model/block: no bytes may lead the decoder astray, and what it makes of them can be encoded and
 * comes back the same. */
#include "base/mem.h"
#include "model/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Every observation takes at least one byte. */
static size_t decode(const void *bytes, size_t n, struct observation *list)
{
    struct block_cursor *cursor = mem_new(1, sizeof *cursor);
    cursor->reader = reader_of(bytes, n);
    cursor->next_seq = 1;
    size_t count = 0;
    while (block_next(cursor, &list[count]) == 1) {
        const struct observation *o = &list[count++];
        assert(count <= n && o->seq == count);
        assert(o->kind > 0 && o->kind < OBSERVATION_KIND_COUNT);
        assert(o->outcome < OUTCOME_COUNT && o->stage < STAGE_COUNT);
    }
    free(cursor);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n > 64 * 1024)
        return 0;
    struct observation *first = mem_new(n + 1, sizeof *first);
    size_t count = decode(bytes, n, first);
    struct buffer again = {0};
    block_encode(first, count, &again);
    struct observation *second = mem_new(again.size + 1, sizeof *second);
    size_t got = decode(again.bytes, again.size, second);
    assert(got == count && memcmp(first, second, count * sizeof *first) == 0);
    buffer_done(&again);
    free(first);
    free(second);
    return 0;
}
