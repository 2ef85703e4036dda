/* wire/rtr and wire/rtr_session: no bytes of a cache may lead them astray. What can be read can be
 * written and is the same; what the session says is sound, and it comes to rest whatever it hears.
 * The input is what a cache says, in pieces: a byte of time, a byte of length, and so many
 * bytes. */
#include "wire/rtr_session.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* All that a session says of itself, from its beginning to `n`. */
static void check_pdus(const uint8_t *bytes, size_t n, bool is_own)
{
    size_t length;
    while (n) {
        struct rtr_pdu pdu, again;
        enum rtr_error error;
        const char *fault = rtr_frame(bytes, n, &length);
        if (fault || !length || length > n) {
            assert(!is_own);
            return;
        }
        fault = rtr_decode(reader_of(bytes, length), &pdu, &error);
        assert(!fault || !is_own);
        if (!fault && pdu.type != RTR_ROUTER_KEY) {
            struct buffer out = {0};
            rtr_encode(&pdu, &out);
            assert(out.size == length);
            fault = rtr_decode(reader_of(out.bytes, out.size), &again, &error);
            assert(!fault && again.serial == pdu.serial && again.asn == pdu.asn &&
                   prefix_compare(&again.prefix, &pdu.prefix) == 0 &&
                   again.expire_s == pdu.expire_s &&
                   reader_left(&again.text) == reader_left(&pdu.text));
            buffer_done(&out);
        }
        bytes += length;
        n -= length;
    }
}

struct play {
    struct rtr_session session;
    struct mono now;
    bool is_answering, has_table;
};

static void take(struct play *play, enum rtr_step step, const struct rtr_pdu *pdu)
{
    switch (step) {
    case RTR_CONNECT:
        rtr_session_connected(&play->session, play->now);
        break;
    case RTR_BEGIN:
        assert(!play->is_answering && (play->session.is_full || play->has_table));
        play->is_answering = true;
        break;
    case RTR_CHANGE:
        assert(play->is_answering && pdu->prefix.bits <= pdu->max_bits &&
               pdu->max_bits <= addr_bits(&pdu->prefix.addr));
        if (pdu->asn == 0xdeadbeef)
            rtr_session_refuse(&play->session, play->now, RTR_ERROR_INTERNAL, "too many");
        break;
    case RTR_COMMIT:
        assert(play->is_answering && (play->session.is_full || play->has_table));
        play->is_answering = false;
        play->has_table = true;
        break;
    case RTR_FORGET:
        play->has_table = false;
        break;
    case RTR_CLOSE:
        assert(play->session.fault[0] && play->session.state == RTR_AWAY);
        play->is_answering = false;
        break;
    case RTR_WAIT:
        break;
    }
}

static void run(struct play *play)
{
    enum rtr_step step;
    struct rtr_pdu pdu;
    size_t steps = 0;
    while ((step = rtr_session_next(&play->session, play->now, &pdu)) != RTR_WAIT) {
        assert(++steps < 1000);
        take(play, step, &pdu);
    }
    assert(rtr_session_due(&play->session).ns > play->now.ns);
    if (play->session.state >= RTR_ASKED)
        check_pdus((const uint8_t *)play->session.out.bytes, play->session.out.size, true);
    buffer_clear(&play->session.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct play play = {.now = {NS_PER_S}};
    check_pdus(bytes, n, false);
    rtr_session_init(&play.session, play.now, NULL);
    run(&play);
    struct reader r = reader_of(bytes, n);
    while (reader_left(&r)) {
        uint8_t seconds = reader_u8(&r), size = reader_u8(&r);
        size_t left = reader_left(&r);
        struct reader piece = reader_sub(&r, size < left ? size : left);
        play.now.ns += seconds * seconds * NS_PER_S / 16;
        if (play.session.state >= RTR_ASKED && seconds != 255)
            rtr_session_feed(&play.session, play.now, piece.at, reader_left(&piece));
        else if (play.session.state >= RTR_ASKED) {
            rtr_session_lost(&play.session, play.now, "cut");
            play.is_answering = false;
        }
        run(&play);
    }
    rtr_session_done(&play.session);
    return 0;
}
