/* source/blocks/block_file: any bytes as what is known of networks: records that fit, and that are read again
 * as they were once written; or a reason that names the line. */
#include "source/blocks/block_file.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_fault(void *context, const char *fault)
{
    uint64_t *told = context;
    ++*told;
    assert(strncmp(fault, "fuzz:", 5) == 0);
    for (; *fault; fault++)
        assert(*fault >= ' ' && *fault < 0x7f);
}

static enum err read_all(const void *bytes, size_t n, struct stream_faults *faults,
                         void (*take)(void *, const struct block_record *), void *context)
{
    struct text text;
    text_of_bytes(&text, "fuzz", bytes, n, faults);
    enum err err = block_file_read(&text, take, context, NULL);
    text_close(&text);
    return err;
}

static void take_again(void *context, const struct block_record *record)
{
    struct buffer *again = context;
    block_file_write(record, again);
}

static void take(void *context, const struct block_record *record)
{
    struct buffer first = {0}, again = {0};
    struct stream_faults faults = {0};
    uint64_t *count = context;
    ++*count;
    assert(record->network.addr.family == 4 && record->network.bits == 24);
    assert(record->availability >= 0 && record->availability <= 1);
    assert(record->census.answered <= record->census.asked);
    assert(record->census.asked <= CENSUS_QUESTIONS);
    block_file_write(record, &first);
    enum err err = read_all(first.bytes, first.size, &faults, take_again, &again);
    assert(!err && !faults.bad && strcmp(first.bytes, again.bytes) == 0);
    buffer_done(&first);
    buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t told = 0, count = 0;
    struct stream_faults faults = {.report = check_fault, .context = &told};
    enum err err = read_all(bytes, n, &faults, take, &count);
    assert(!err && faults.bad == told);
    assert(count <= faults.records);
    return 0;
}
