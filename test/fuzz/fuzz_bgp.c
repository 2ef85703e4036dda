/* wire/bgp_session, wire/bgp_message and source/bgp/bgp_speaker: no bytes of a router may lead them
 * astray, or make them announce anything. The first byte says how the others come in: in what pieces,
 * and whether time passes in between. */
#include "source/bgp/bgp_speaker.h"
#include "wire/bgp_message.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { PIECES = 0x3f, HAS_TIME = 0x40, HAS_ANY_AS = 0x80 };

/* What is sent, whole messages each time; it is taken away. */
static void check_output(struct bgp_speaker *speaker)
{
    const struct buffer *output = bgp_speaker_output(speaker);
    struct reader r = reader_of(output->bytes, output->size), body;
    while (reader_left(&r)) {
        uint8_t type = bgp_message_next(&r, &body);
        assert(!r.bad && type >= BGP_OPEN && type <= BGP_ROUTE_REFRESH && type != BGP_UPDATE);
    }
    assert(output->size <= BGP_OUTPUT_MAX + BGP_LONG_MESSAGE_MAX + 100);
    bgp_speaker_sent(speaker, output->size);
}

/* What can be read of an OPEN is the same when it is written and read again. */
static void check_open(const struct bgp_open *open)
{
    struct buffer written = {0};
    struct bgp_open again;
    struct reader body;
    bgp_open_write(&written, open);
    struct reader r = reader_of(written.bytes, written.size);
    assert(bgp_message_next(&r, &body) == BGP_OPEN && !r.bad);
    const char *fault = bgp_open_decode(body, &again);
    assert(!fault && again.id == open->id && again.hold_s == open->hold_s);
    /* An AS of four bytes without the capability cannot have been said. */
    assert(again.asn == open->asn && again.is_as4 == open->is_as4);
    for (int i = 0; i < 2; i++)
        assert(again.add_path[i] == open->add_path[i] &&
               (again.has_family[i] == open->has_family[i] || !open->has_family[1 - i]));
    assert(again.is_graceful == open->is_graceful && again.restart_s == open->restart_s);
    buffer_done(&written);
}

static void walk(struct bgp_routes routes)
{
    struct bgp_nlri nlri;
    while (bgp_routes_next(&routes, &nlri))
        assert(nlri.prefix.bits <= addr_bits(&nlri.prefix.addr));
}

static void check_update(const struct bgp_speaker *speaker, const struct bgp_update *update)
{
    const struct bgp_session *session = bgp_speaker_session(speaker);
    for (size_t i = 0; i < update->withdrawn_count; i++)
        walk(update->withdrawn[i]);
    for (size_t i = 0; i < update->announced_count; i++) {
        assert(session->has_family[update->announced[i].family == 6]);
        walk(update->announced[i]);
    }
}

static void take_events(struct bgp_speaker *speaker, struct mono now)
{
    struct bgp_event event;
    while (bgp_speaker_next(speaker, now, &event)) {
        if (event.kind == BGP_EVENT_OPENED) {
            check_open(bgp_speaker_peer(speaker));
            bgp_speaker_accept(speaker, now);
        } else if (event.kind == BGP_EVENT_UPDATE) {
            check_update(speaker, &event.update);
        } else if (event.kind == BGP_EVENT_CLOSED) {
            assert(bgp_speaker_is_closed(speaker) && *bgp_speaker_reason(speaker));
        }
    }
    assert(bgp_speaker_wants(speaker).ns > now.ns);
    check_output(speaker);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint8_t how = n ? bytes[0] : 0;
    struct bgp_speaker_options options = {.open = {.asn = 64512,
                                                   .id = 1,
                                                   .hold_s = 90,
                                                   .is_as4 = true,
                                                   .has_family = {true, true},
                                                   .add_path = {BGP_CAN_RECEIVE, BGP_CAN_RECEIVE},
                                                   .has_refresh = true,
                                                   .has_refresh_marks = true,
                                                   .has_long_messages = true,
                                                   .is_graceful = true,
                                                   .is_restarting = true},
                                          .peer_asn = how & HAS_ANY_AS ? 0 : 65001};
    struct mono now = {NS_PER_S};
    size_t piece = 1 + (how & PIECES) * (size_t)16;
    struct bgp_speaker *speaker = bgp_speaker_new(&options, now);
    for (size_t i = n ? 1 : 0; i < n; i += piece) {
        bgp_speaker_feed(speaker, bytes + i, n - i < piece ? n - i : piece);
        take_events(speaker, now);
        now.ns += how & HAS_TIME ? 11 * NS_PER_S : 0;
    }
    bgp_speaker_refresh(speaker);
    bgp_speaker_stop(speaker, BGP_CEASE_SHUTDOWN);
    check_output(speaker);
    bgp_speaker_free(speaker);
    return 0;
}
