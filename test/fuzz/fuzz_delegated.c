/* source/origins/delegated and spans: any bytes as a registry's file: spans in order, apart, and each
 * of a country; or a reason that names the file. */
#include "source/origins/delegated.h"

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

static void check_spans(struct spans *spans, uint64_t most)
{
    spans_seal(spans);
    for (size_t i = 0; i < spans->count; i++) {
        const struct span *span = &spans->list[i];
        uint64_t last = 0;
        assert(span->first <= span->last && span->last <= most);
        assert(i == 0 || spans->list[i - 1].last < span->first);
        struct country country = spans_find(spans, span->first, &last);
        assert(country.code[0] >= 'A' && country.code[0] <= 'Z' && country.code[1] >= 'A' &&
               country.code[1] <= 'Z' && last == span->last);
    }
    spans_done(spans);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t told = 0;
    struct stream_faults faults = {.report = check_fault, .context = &told};
    struct delegations found = {0};
    struct text text;
    struct why why = {0};
    text_of_bytes(&text, "fuzz", bytes, n, &faults);
    enum err err = delegated_read(&text, &found, &why);
    text_close(&text);
    assert(faults.bad == told);
    assert(!err || (why.err == err && strncmp(why.text, "fuzz:", 5) == 0));
    assert(found.asns.count + found.ipv4.count + found.ipv6.count <= faults.records - faults.bad);
    check_spans(&found.asns, UINT32_MAX);
    check_spans(&found.ipv4, UINT32_MAX);
    check_spans(&found.ipv6, UINT64_MAX);
    return 0;
}
