#include "source/probe/judge.h"

#include "source/probe/agenda.h"
#include "sys/clock.h"

#include <errno.h>

void stopwatch_start(struct stopwatch *watch)
{
    watch->suspended_ns = clock_suspended_ns();
    watch->started = clock_mono();
    watch->sent = clock_utc();
}

int64_t stopwatch_elapsed_ns(const struct stopwatch *watch)
{
    int64_t elapsed_ns = mono_diff(clock_mono(), watch->started);
    return elapsed_ns > 0 ? elapsed_ns : 1;
}

int64_t stopwatch_rtt_ns(const struct stopwatch *watch, struct utc received)
{
    int64_t elapsed_ns = stopwatch_elapsed_ns(watch);
    int64_t rtt_ns = utc_diff(received, watch->sent);
    return rtt_ns > 0 && rtt_ns <= elapsed_ns ? rtt_ns : elapsed_ns;
}

/* RFC 792 and RFC 1812, section 5.2.7.1. */
static enum outcome unreachable4(uint8_t code)
{
    switch (code) {
    case 0:
    case 6:
    case 11:
        return OUTCOME_NET_UNREACHABLE;
    case 1:
    case 7:
    case 8:
    case 12:
        return OUTCOME_HOST_UNREACHABLE;
    case 2:
        return OUTCOME_PROTO_UNREACHABLE;
    case 3:
        return OUTCOME_PORT_UNREACHABLE;
    case 4:
        return OUTCOME_TOO_BIG;
    case 9:
    case 10:
    case 13:
    case 14:
    case 15:
        return OUTCOME_PROHIBITED;
    default:
        return OUTCOME_ICMP_ERROR;
    }
}

/* RFC 4443, section 3.1. */
static enum outcome unreachable6(uint8_t code)
{
    switch (code) {
    case 0:
        return OUTCOME_NET_UNREACHABLE;
    case 3:
        return OUTCOME_HOST_UNREACHABLE;
    case 4:
        return OUTCOME_PORT_UNREACHABLE;
    case 1:
    case 5:
    case 6:
        return OUTCOME_PROHIBITED;
    default:
        return OUTCOME_ICMP_ERROR;
    }
}

static enum outcome outcome_of_icmp(int family, uint8_t type, uint8_t code)
{
    enum { UNREACHABLE4 = 3, TIME_EXCEEDED4 = 11 };
    enum { UNREACHABLE6 = 1, TOO_BIG6 = 2, TIME_EXCEEDED6 = 3, PARAMETER6 = 4 };
    enum { IN_TRANSIT = 0, UNKNOWN_NEXT_HEADER = 1 };
    if (family == 4 && type == UNREACHABLE4)
        return unreachable4(code);
    if (family == 6 && type == UNREACHABLE6)
        return unreachable6(code);
    if (type == (family == 4 ? TIME_EXCEEDED4 : TIME_EXCEEDED6) && code == IN_TRANSIT)
        return OUTCOME_TTL_EXCEEDED;
    if (family == 6 && type == TOO_BIG6)
        return OUTCOME_TOO_BIG;
    if (family == 6 && type == PARAMETER6 && code == UNKNOWN_NEXT_HEADER)
        return OUTCOME_PROTO_UNREACHABLE;
    return OUTCOME_ICMP_ERROR;
}

static bool is_from_us(const struct addr *from)
{
    return !from->family || route_to(from) == ROUTE_OWN;
}

void judge_icmp(struct answer *answer, const struct addr *to, const struct net_icmp_fault *fault)
{
    enum outcome outcome = outcome_of_icmp(fault->family, fault->type, fault->code);
    if (is_from_us(&fault->from)) {
        enum route_kind route = route_to(to);
        if (route != ROUTE_LINK && route != ROUTE_OWN)
            outcome = OUTCOME_SELF;
    }
    answer->outcome = outcome;
    if (outcome == OUTCOME_SELF)
        return;
    answer->code = (uint16_t)(fault->type << 8 | fault->code);
    answer->peer = fault->from;
}

enum outcome outcome_of_error(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return OUTCOME_REFUSED;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return OUTCOME_RESET;
    case ETIMEDOUT:
        return OUTCOME_TIMEOUT;
    default: /* no way, no descriptors, no buffers, forbidden: all of it here */
        return OUTCOME_SELF;
    }
}

void judge_socket(struct answer *answer, const struct addr *to, int fd, int error)
{
    struct net_icmp_fault fault;
    if (net_icmp_fault(fd, &fault)) {
        judge_icmp(answer, to, &fault);
        return;
    }
    answer->outcome = outcome_of_error(error);
    if (answer->outcome == OUTCOME_REFUSED || answer->outcome == OUTCOME_RESET)
        answer->peer = *to;
}

void judge_unconnected(struct answer *answer, const struct addr *to, int error)
{
    answer->outcome = OUTCOME_SELF;
    if (error != ECONNREFUSED || route_to(to) != ROUTE_OWN)
        return;
    answer->outcome = OUTCOME_REFUSED;
    answer->peer = *to;
}

enum outcome judge_lookup(const struct lookup_result *result)
{
    switch (result->status) {
    case LOOKUP_NO_NAME:
        return OUTCOME_NAME_ERROR;
    case LOOKUP_NO_ADDRESS:
        return OUTCOME_NO_ADDRESS;
    case LOOKUP_SERVER_FAILURE:
        return OUTCOME_SERVER_FAILURE;
    case LOOKUP_FORBIDDEN: /* excluded, which says nothing of the world, or of a private network */
        return manners_is_reserved(&result->addrs[0]) ? OUTCOME_RESERVED_ADDRESS : OUTCOME_NONE;
    case LOOKUP_OURS:
    case LOOKUP_OK: /* none of the addresses can be reached from here */
        break;
    }
    return OUTCOME_SELF;
}

void judge_narrow(struct lookup_result *result, uint8_t family)
{
    size_t kept = 0, of_family = 0;
    for (size_t i = 0; i < result->count; i++) {
        bool is_of_family = !family || result->addrs[i].family == family;
        of_family += is_of_family;
        if (is_of_family && route_to(&result->addrs[i]) != ROUTE_NONE)
            result->addrs[kept++] = result->addrs[i];
    }
    if (result->count && !of_family)
        result->status = LOOKUP_NO_ADDRESS;
    result->count = kept;
}

enum outcome judge_silence_on(enum route_kind route, const struct stopwatch *watch)
{
    enum { SLEPT_NS = 50 * 1000 * 1000 };
    if (clock_suspended_ns() - watch->suspended_ns > SLEPT_NS)
        return OUTCOME_LATE;
    return route == ROUTE_NONE ? OUTCOME_SELF : OUTCOME_TIMEOUT;
}

enum outcome judge_silence(const struct addr *to, const struct stopwatch *watch)
{
    return judge_silence_on(route_to(to), watch);
}

enum outcome judge_silence_by(const struct addr *to, const struct stopwatch *watch, struct mono due)
{
    if (mono_diff(clock_mono(), due) > AGENDA_STALL_NS)
        return OUTCOME_LATE;
    return judge_silence(to, watch);
}

enum outcome judge_asked_late(enum outcome outcome, int64_t late_ns)
{
    return outcome == OUTCOME_TIMEOUT && late_ns > AGENDA_STALL_NS ? OUTCOME_LATE : outcome;
}
