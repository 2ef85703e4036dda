/* store/chart_sums: no bytes may lead the reader of a chart's rows astray. */
#include "store/chart_sums.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const uint32_t targets[] = {0, 3, 200, UINT32_MAX};
    for (uint32_t i = 0; i < 8; i++) {
        struct reader row = reader_of(bytes, n);
        struct chart_point point = {0};
        chart_sums_find(&row, i % 2, targets[i / 2], &point);
        assert(!point.timed || (point.least_ns <= point.most_ns && point.sum_ns >= 0));
    }
    return 0;
}
