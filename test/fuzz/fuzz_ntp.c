/* An answer by NTP: whatever it says, it is ours only by the cookie, and its times can be reckoned with. */
#include "wire/ntp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct reader whole = reader_of(bytes, n);
    struct utc around = {(int64_t)(reader_u64(&whole) >> 2)};
    uint64_t cookie = reader_u64(&whole);
    struct reader r = whole;
    struct ntp_reply reply = ntp_read_reply(&r, cookie, around);
    int64_t delay_ns, half_an_era = (INT64_C(1) << 31) + 1;
    if (r.bad && reply.what != NTP_FOREIGN)
        abort();
    if (reply.what != NTP_TIME)
        return 0;
    if (llabs(utc_diff(reply.sent, around) / NS_PER_S) > half_an_era ||
        llabs(utc_diff(reply.received, around) / NS_PER_S) > half_an_era)
        abort();
    ntp_offset_ns(around, &reply, around, &delay_ns);
    if (delay_ns < 0 || reply.distance_ns < 0)
        abort();
    return 0;
}
