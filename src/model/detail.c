#include "model/detail.h"

#include <string.h>

enum code_meaning code_meaning(enum target_kind kind, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_NET_UNREACHABLE:
    case OUTCOME_HOST_UNREACHABLE:
    case OUTCOME_PORT_UNREACHABLE:
    case OUTCOME_PROTO_UNREACHABLE:
    case OUTCOME_PROHIBITED:
    case OUTCOME_TTL_EXCEEDED:
    case OUTCOME_TOO_BIG:
    case OUTCOME_ICMP_ERROR:
        return CODE_ICMP;
    default:
        break;
    }
    if (kind == TARGET_DNS || kind == TARGET_ZONE)
        return CODE_RCODE;
    if (kind == TARGET_BLOCK)
        return CODE_PROBES;
    bool has_status = kind == TARGET_HTTP || kind == TARGET_HTTPS || kind == TARGET_SMTP;
    return has_status ? CODE_STATUS : CODE_ICMP;
}

bool code_is_known(enum code_meaning meaning, enum outcome outcome, unsigned code)
{
    if (code)
        return true;
    return meaning == CODE_RCODE && (outcome == OUTCOME_OK || outcome == OUTCOME_DEGRADED ||
                                     outcome == OUTCOME_EMPTY || outcome == OUTCOME_LAME);
}

enum value_meaning value_meaning(enum target_kind kind)
{
    switch (kind) {
    case TARGET_DNS:
    case TARGET_ZONE:
        return VALUE_SERIAL;
    case TARGET_TLS:
    case TARGET_HTTPS:
    case TARGET_SMTP:
        return VALUE_NOT_AFTER;
    case TARGET_ICMP:
        return VALUE_TTL;
    case TARGET_TRACE:
        return VALUE_HOPS;
    case TARGET_BLOCK:
        return VALUE_BELIEF;
    default:
        return VALUE_NUMBER;
    }
}

static const struct {
    unsigned number;
    const char *name;
} rcodes[] = {
#define RCODE(number, name) {number, name},
#include "model/rcodes.def"
#undef RCODE
};

enum { RCODE_COUNT = sizeof rcodes / sizeof *rcodes };

const char *rcode_name(unsigned rcode)
{
    for (int i = 0; i < RCODE_COUNT; i++)
        if (rcodes[i].number == rcode)
            return rcodes[i].name;
    return NULL;
}

int rcode_from_name(const char *name, size_t n)
{
    for (int i = 0; i < RCODE_COUNT; i++)
        if (strlen(rcodes[i].name) == n && memcmp(rcodes[i].name, name, n) == 0)
            return (int)rcodes[i].number;
    return -1;
}
