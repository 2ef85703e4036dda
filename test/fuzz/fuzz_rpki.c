/* source/origins/rpki: any bytes as a validator's file: a table, or a reason that names the file; and
 * of every entry it is known whether it was good. */
#include "source/origins/rpki_read.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t told = 0;
    struct stream_faults faults = {.report = check_fault, .context = &told};
    struct utc made = {0};
    struct text text;
    struct why why = {0};
    struct vrps *vrps = vrps_new();
    text_of_bytes(&text, "fuzz", bytes, n, &faults);
    enum err err = rpki_read(&text, vrps, &made, &why);
    text_close(&text);
    assert(faults.bad == told);
    assert(err ? why.err == err && strncmp(why.text, "fuzz:", 5) == 0 : vrps_count(vrps) > 0);
    size_t good = vrps_count(vrps);
    assert(good <= faults.records);
    assert(vrps_seal(vrps) + vrps_count(vrps) == good);
    for (uint8_t i = 0; i < 33; i++) {
        struct addr addr = {{192, 0, 2, 255}, 4};
        struct prefix prefix = prefix_of(&addr, i);
        assert(vrps_validate(vrps, &prefix, 64500) != RPKI_UNKNOWN);
    }
    vrps_free(vrps);
    return 0;
}
