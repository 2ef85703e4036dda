/* A BGP speaker and the router that talks to it, for tests: what the speaker tells and what it wants
 * sent, as texts.
 *
 *     struct world world;
 *     begin(&world);                                                 // a session is established
 *     bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24");
 *     assert_string_equal(hear(&world), "+198.51.100.0/24");
 *     assert_string_equal(said(&world), "");
 *     end(&world);
 *
 * For cmocka programs: it fails by their assertions. */
#ifndef TEST_SPEAKER_WORLD_H
#define TEST_SPEAKER_WORLD_H

#include "bgp_maker.h"
#include "source/bgp/bgp_speaker.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct bgp_speaker_options plain = {
    .open = {.asn = 64512,
             .id = 0x0a000001,
             .hold_s = 90,
             .is_as4 = true,
             .has_family = {true, true},
             .add_path = {BGP_CAN_RECEIVE, BGP_CAN_RECEIVE},
             .has_refresh = true,
             .has_refresh_marks = true,
             .has_long_messages = true,
             .is_graceful = true,
             .is_restarting = true},
    .peer_asn = 65001};

enum level { IN_OPEN_SENT, IN_OPEN_CONFIRM, IN_ESTABLISHED };

struct world {
    struct bgp_speaker *speaker;
    struct mono now;
    struct buffer bytes, text;
};

static inline struct mono at(double seconds)
{
    return (struct mono){(int64_t)((1000 + seconds) * 1e9)};
}

/* What the speaker wants sent: "OPEN KEEPALIVE NOTIFICATION(2/2:0004)". It never announces: whatever a
 * test does, an UPDATE among it fails. */
static inline const char *said(struct world *world)
{
    static const char *const names[] = {"", "OPEN", "", "NOTIFICATION", "KEEPALIVE", "REFRESH"};
    const struct buffer *output = bgp_speaker_output(world->speaker);
    struct reader r = reader_of(output->bytes, output->size);
    buffer_clear(&world->text);
    buffer_puts(&world->text, "");
    while (reader_left(&r)) {
        struct reader body;
        uint8_t type = bgp_message_next(&r, &body);
        assert_null(r.bad);
        assert_in_range(type, BGP_OPEN, BGP_ROUTE_REFRESH);
        assert_int_not_equal(type, BGP_UPDATE);
        buffer_printf(&world->text, "%s%s", world->text.size ? " " : "", names[type]);
        if (type == BGP_NOTIFICATION)
            buffer_printf(&world->text, "(%u/%u", body.at[0], body.at[1]);
        if (type == BGP_NOTIFICATION && reader_left(&body) > 2)
            buffer_puts(&world->text, ":");
        for (const uint8_t *b = body.at + 2; type == BGP_NOTIFICATION && b < body.end; b++)
            buffer_printf(&world->text, "%02x", *b);
        if (type == BGP_NOTIFICATION)
            buffer_puts(&world->text, ")");
        if (type == BGP_ROUTE_REFRESH)
            buffer_printf(&world->text, "%u", body.at[1]);
    }
    bgp_speaker_sent(world->speaker, output->size);
    return world->text.bytes;
}

static inline void add_routes(struct buffer *text, const char *sign, struct bgp_routes routes)
{
    struct bgp_nlri nlri;
    char prefix[PREFIX_TEXT_MAX];
    while (bgp_routes_next(&routes, &nlri))
        buffer_printf(text, " %s%s", sign, prefix_format(&nlri.prefix, prefix));
}

static inline void add_update(struct buffer *text, const struct bgp_update *update)
{
    if (update->is_end_of_rib)
        buffer_printf(text, " end%u", update->end_of_rib_family);
    for (size_t i = 0; i < update->withdrawn_count; i++)
        add_routes(text, "-", update->withdrawn[i]);
    for (size_t i = 0; i < update->announced_count; i++)
        add_routes(text, update->is_withdrawal ? "-" : "+", update->announced[i]);
}

/* What it tells: "opened established +198.51.100.0/24 end4 closed". Whoever is opened is accepted. */
static inline const char *told(struct world *world)
{
    struct bgp_event event;
    buffer_clear(&world->text);
    buffer_puts(&world->text, "");
    while (bgp_speaker_next(world->speaker, world->now, &event)) {
        if (event.kind == BGP_EVENT_UPDATE)
            add_update(&world->text, &event.update);
        else
            buffer_puts(&world->text, event.kind == BGP_EVENT_OPENED        ? " opened"
                                      : event.kind == BGP_EVENT_ESTABLISHED ? " established"
                                                                            : " closed");
        if (event.kind == BGP_EVENT_OPENED)
            bgp_speaker_accept(world->speaker, world->now);
    }
    return world->text.size ? world->text.bytes + 1 : "";
}

/* Gives it what was made. */
static inline const char *hear(struct world *world)
{
    bgp_speaker_feed(world->speaker, world->bytes.bytes, world->bytes.size);
    buffer_clear(&world->bytes);
    return told(world);
}

static inline void begin_as(struct world *world, const struct bgp_speaker_options *options)
{
    *world = (struct world){.now = at(0)};
    world->speaker = bgp_speaker_new(options, world->now);
}

/* With a router that says this of itself, as far as that. */
static inline void begin_with(struct world *world, const struct bgp_open *router, enum level level)
{
    begin_as(world, &plain);
    if (level == IN_OPEN_SENT)
        return;
    assert_string_equal(said(world), "OPEN");
    bgp_open_write(&world->bytes, router);
    assert_string_equal(hear(world), "opened");
    assert_string_equal(said(world), "KEEPALIVE");
    if (level == IN_OPEN_CONFIRM)
        return;
    bgp_keepalive_write(&world->bytes);
    assert_string_equal(hear(world), "established");
}

static inline void begin(struct world *world)
{
    begin_with(world, &bgp_router, IN_ESTABLISHED);
}

static inline void end(struct world *world)
{
    bgp_speaker_free(world->speaker);
    buffer_done(&world->bytes);
    buffer_done(&world->text);
}

#endif
