#include "core/incident/tracks.h"

#include <string.h>

static uint32_t outcome_flag(enum outcome outcome, enum stage stage, enum layer layer)
{
    switch (outcome) {
    case OUTCOME_TIMEOUT:
        return layer == LAYER_SERVICE && stage <= STAGE_CONNECT ? TRACK_TIMEOUT | TRACK_UNCONNECTED
                                                                : TRACK_TIMEOUT;
    case OUTCOME_HOST_UNREACHABLE:
        return TRACK_HOST_UNREACHABLE;
    case OUTCOME_NET_UNREACHABLE:
    case OUTCOME_TTL_EXCEEDED:
        return TRACK_NO_ROUTE;
    case OUTCOME_PROHIBITED:
        return TRACK_PROHIBITED;
    case OUTCOME_CERT_EXPIRED:
        return TRACK_EXPIRED;
    case OUTCOME_HTTP_UNAVAILABLE:
        return TRACK_SAID_SO;
    case OUTCOME_NAME_ERROR:
    case OUTCOME_NO_ADDRESS:
    case OUTCOME_RESERVED_ADDRESS:
    case OUTCOME_SERVER_FAILURE:
    case OUTCOME_DNS_REFUSED:
    case OUTCOME_LAME:
    case OUTCOME_DNS_ERROR:
    case OUTCOME_DNSSEC_EXPIRED:
    case OUTCOME_DNSSEC_BOGUS:
    case OUTCOME_EMPTY:
        return layer == LAYER_NAME ? TRACK_WRONG : TRACK_TIMEOUT;
    case OUTCOME_REFUSED:
    case OUTCOME_RESET:
        return TRACK_ERROR | TRACK_REFUSED;
    case OUTCOME_CLOSED:
    case OUTCOME_PORT_UNREACHABLE:
    case OUTCOME_PROTO_UNREACHABLE:
    case OUTCOME_BAD_REPLY:
    case OUTCOME_TLS_ERROR:
    case OUTCOME_CERT_INVALID:
    case OUTCOME_HTTP_ERROR:
    case OUTCOME_CONTENT:
    case OUTCOME_REDIRECTS:
    case OUTCOME_SMTP_ERROR:
        return TRACK_ERROR;
    default:
        return 0;
    }
}

/* A service whose name was not found was not asked: that says nothing of it or of its host, but of
 * names. */
static bool is_unresolved(const struct member *member, const struct sight *sight)
{
    return member->layer == LAYER_SERVICE && sight->stage == STAGE_RESOLVE;
}

static bool interval_is_known(const struct interval *interval)
{
    return utc_is_known(interval->first_after);
}

/* Routes: partial is the fall below 0.8; a foreign origin is a failure of its own. */
static struct interval degraded_since(const struct member *member, const struct sight *sight)
{
    if (member->kind != NAME_PREFIX)
        return sight->since;
    return sight->condition == CONDITION_UP && sight->is_foreign ? sight->foreign_began
                                                                 : sight->left_up;
}

static enum condition condition_seen(const struct member *member, const struct sight *sight)
{
    if (member->kind == NAME_PREFIX && sight->is_foreign && sight->condition == CONDITION_UP)
        return CONDITION_DEGRADED;
    return sight->condition;
}

static void note_foreign(struct track *track, const struct sight *sight)
{
    struct interval none = {{0}, {0}};
    if (sight->is_foreign && !(track->flags & TRACK_FOREIGN)) {
        track->flags |= TRACK_FOREIGN;
        track->foreign_began = sight->foreign_began;
        track->foreign_peers = 0;
    }
    if (!(track->flags & TRACK_FOREIGN))
        return;
    track->foreign_ended = sight->is_foreign ? none : sight->foreign_ended;
    if (sight->foreign_peers <= track->foreign_peers)
        return;
    track->foreign_asn = sight->foreign_asn;
    track->foreign_prefix = sight->foreign_prefix;
    track->foreign_peers = sight->foreign_peers;
    track->foreign_of = sight->foreign_of;
}

static void note_failure(struct track *track, const struct member *member,
                         const struct sight *sight, enum condition condition)
{
    if (condition == CONDITION_DEGRADED || member->kind == NAME_PREFIX) {
        track->flags |= TRACK_DEGRADED;
        if (!interval_is_known(&track->degraded))
            track->degraded = degraded_since(member, sight);
    }
    if (condition != CONDITION_DOWN)
        return;
    if (!(track->flags & TRACK_FAILED))
        track->down = sight->since;
    else if (track->condition != CONDITION_DOWN)
        track->relapses++;
    track->flags |= TRACK_FAILED;
    track->down_last = sight->since;
}

static void note_return(struct track *track, const struct member *member, const struct sight *sight)
{
    struct interval at = sight->since;
    if (member->kind == NAME_PREFIX && interval_is_known(&sight->foreign_ended) &&
        sight->foreign_ended.first_after.ns > at.first_after.ns)
        at = sight->foreign_ended;
    track->up_last = at;
    if (!interval_is_known(&track->up_first))
        track->up_first = at;
}

/* The phase that an episode began with stays, whatever phases follow: it is the one that says how
 * it began. One that was over before the next began, for longer than leads up to anything, does
 * not. */
static void keep_graded(const struct track *track, struct sight *next)
{
    const struct sight *held = &track->sight;
    int64_t calm = 20 * held->round_ns + 5 * NS_PER_MINUTE;
    if (!track->slot || !interval_is_known(&held->graded_began) ||
        next->graded_began.first_after.ns <= held->graded_began.first_after.ns ||
        next->graded_began.first_after.ns - held->graded_last.ns > calm)
        return;
    next->graded_began = held->graded_began;
    next->graded_last = held->graded_last;
    next->graded_loss = held->graded_loss;
    next->graded_rtt = held->graded_rtt;
}

/* Another vantage has it that it was lost before: the first that saw it dates it. */
static void date_earlier(struct track *track, const struct interval *since)
{
    int64_t told = track->since.first_after.ns;
    if (since->first_after.ns >= told || since->first_after.ns < track->since.last_before.ns)
        return;
    if (track->down.first_after.ns == told)
        track->down = *since;
    if (track->down_last.first_after.ns == told)
        track->down_last = *since;
    track->since = *since;
}

static void note_words(struct track *track, const struct member *member, const struct sight *sight,
                       struct utc returned)
{
    bool is_new = track->condition != CONDITION_DOWN;
    if (is_unresolved(member, sight))
        track->flags |= is_new && !(track->flags & TRACK_FAILED) ? TRACK_UNRESOLVED : 0u;
    else if (is_new || returned.ns <= track->down_last.first_after.ns)
        track->flags |= outcome_flag(sight->outcome, sight->stage, member->layer);
}

bool track_see(struct track *track, const struct member *member, const struct sight *sight,
               struct utc returned)
{
    enum condition condition = condition_seen(member, sight);
    struct sight seen = *sight;
    keep_graded(track, &seen);
    track->sight = seen;
    track->has_data = condition != CONDITION_NO_DATA;
    if (!track->has_data || !sight->was_up)
        return false;
    if (member->kind == NAME_PREFIX) {
        double loss = 1 - sight->v;
        track->loss = loss > track->loss ? loss : track->loss;
        note_foreign(track, sight);
    }
    if (condition == CONDITION_DOWN && member->kind == NAME_TARGET)
        note_words(track, member, sight, returned);
    if (condition == CONDITION_DOWN && track->condition == CONDITION_DOWN &&
        member->kind == NAME_TARGET)
        date_earlier(track, &sight->since);
    if (condition == (enum condition)track->condition)
        return false;
    if (condition >= CONDITION_DEGRADED)
        note_failure(track, member, sight, condition);
    else if (track_is_failing(track))
        note_return(track, member, sight);
    track->condition = (uint8_t)condition;
    track->since = sight->since;
    return true;
}

void track_begin_episode(struct track *track)
{
    struct interval none = {{0}, {0}};
    track->flags = 0;
    track->degraded = track->down = track->down_last = none;
    track->up_first = track->up_last = none;
    track->relapses = 0;
    track->loss = 0;
    track->flaps_before = track->sight.flap_count;
}

static void note_answer(struct host_state *host, const struct member *member,
                        const struct track *track)
{
    int64_t at = track->sight.last_good.ns;
    if (!track->has_data || (track->flags & TRACK_FAILED))
        return; /* what fails itself, or came back first, proves nothing */
    if (at > host->answered_ns)
        host->answered_ns = at;
    if (member->layer == LAYER_HOST && at > host->pinged_ns)
        host->pinged_ns = at;
}

void tracks_compare_hosts(const struct watch_list *watch, struct table *tracks, uint32_t subject,
                          struct table *hosts)
{
    hosts->count = 0;
    for (size_t i = 0; i < watch->domains.count; i++)
        table_add(hosts);
    uint32_t first = watch_subject(watch, subject)->first_member;
    for (uint32_t row = first; row; row = watch_member(watch, row - 1)->next) {
        const struct member *member = watch_member(watch, row - 1);
        if (member->kind == NAME_TARGET && member->is_listed)
            note_answer(table_at(hosts, member->domain), member, track_at(tracks, row - 1));
    }
    for (uint32_t row = first; row; row = watch_member(watch, row - 1)->next) {
        const struct member *member = watch_member(watch, row - 1);
        struct track *track = track_at(tracks, row - 1);
        if (member->kind != NAME_TARGET || !member->is_listed ||
            track->condition != CONDITION_DOWN || is_unresolved(member, &track->sight))
            continue;
        const struct host_state *host = table_at(hosts, member->domain);
        int64_t later = track->since.first_after.ns + track->sight.round_ns;
        track->flags |= host->answered_ns > later ? TRACK_HOST_ANSWERED : 0u;
        track->flags |= host->pinged_ns > later ? TRACK_HOST_PINGED : 0u;
    }
}
