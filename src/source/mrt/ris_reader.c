/* What RIS Live streamed, read from its lines (ris_live_message.h says what is known of them), as
 * elements: the BGP messages in their raw bytes, and changes of a session's state, of which the service
 * says what it is then, but not always what it was. Nobody tells how the UPDATEs of a session are to be
 * read: that is guessed. */
#include "source/mrt/route_reader.h"

#include "base/mem.h"
#include "source/bgp/ris_live_message.h"
#include "source/line_reader.h"

#include <stdio.h>
#include <stdlib.h>

struct ris_reader {
    struct route_reader base;
    struct line_reader lines;
    struct ris_parser parser;
    struct ris_message message; /* in hand, of a peer */
};

/* ---- lines ---- */

static const char *decode(struct ris_reader *reader, const char *line, size_t n)
{
    const struct ris_message *message = &reader->message;
    const char *fault = ris_message_decode(&reader->parser, line, n, &reader->message);
    if (!fault && *message->host && message->kind != RIS_STATE && !message->has_raw)
        return "a message without its raw bytes, which are what counts: subscribe with includeRaw";
    return fault;
}

static void report_error(struct ris_reader *reader)
{
    char text[RIS_TEXT_MAX + 40];
    snprintf(text, sizeof text, "the service says: %s", reader->message.text);
    line_reader_report(&reader->lines, text);
}

static int next(struct route_reader *base, struct why *why)
{
    struct ris_reader *reader = (struct ris_reader *)base;
    const char *line;
    size_t n;
    int found;
    while ((found = line_reader_next(&reader->lines, &line, &n, why)) > 0) {
        const char *fault = decode(reader, line, n);
        if (fault)
            line_reader_report(&reader->lines, fault);
        else if (reader->message.kind == RIS_ERROR)
            report_error(reader);
        else if (*reader->message.host)
            break;
    }
    base->time = found > 0 ? reader->message.time : base->time;
    return found;
}

/* ---- elements ---- */

static struct mrt_record record_of(const struct ris_reader *reader, enum mrt_kind kind)
{
    const struct ris_message *message = &reader->message;
    return (struct mrt_record){
        .kind = kind, .time = message->time, .peer = {.addr = message->peer, .asn = message->asn}};
}

/* RFC 4271, 8.2.2: an OPEN is sent once the connection is there; a session is established from
 * OpenConfirm, and idle once it is over. */
static void walk_state(struct ris_reader *reader, struct element_walk *walk)
{
    static const struct mrt_state_change changes[] = {
        [RIS_STATE_CONNECTED] = {0, MRT_OPEN_SENT},
        [RIS_STATE_UP] = {MRT_OPEN_CONFIRM, MRT_ESTABLISHED},
        [RIS_STATE_DOWN] = {0, MRT_IDLE}};
    struct mrt_record record = record_of(reader, MRT_KIND_STATE_CHANGE);
    record.state_change = changes[reader->message.state];
    if (record.state_change.after)
        element_walk_heard(walk, &record, BMP_TABLES, 0);
}

static const char *walk_message(struct ris_reader *reader, struct element_walk *walk, uint8_t type,
                                struct reader body)
{
    if (type < BGP_OPEN || type > BGP_ROUTE_REFRESH)
        return "a BGP message is of an unknown type";
    struct mrt_record record = record_of(reader, MRT_KIND_MESSAGE);
    record.message = (struct mrt_message){.type = (enum bgp_message_type)type,
                                          .body = body,
                                          .form = bgp_session_unknown.form,
                                          .is_from_collector = reader->message.is_sent};
    return element_walk_heard(walk, &record, BMP_TABLES, 0);
}

static void walk(struct route_reader *base, struct element_walk *walk)
{
    struct ris_reader *reader = (struct ris_reader *)base;
    struct reader raw = reader->message.raw;
    if (reader->message.kind == RIS_STATE)
        walk_state(reader, walk);
    while (reader_left(&raw)) {
        struct reader body;
        uint8_t type = bgp_message_next(&raw, &body);
        const char *fault = raw.bad ? raw.bad : walk_message(reader, walk, type, body);
        if (fault)
            line_reader_report(&reader->lines, fault);
    }
}

/* ---- in all ---- */

static void report(struct route_reader *base, const char *fault)
{
    line_reader_report(&((struct ris_reader *)base)->lines, fault);
}

static void free_reader(struct route_reader *base)
{
    struct ris_reader *reader = (struct ris_reader *)base;
    line_reader_done(&reader->lines);
    ris_parser_done(&reader->parser);
    free(reader);
}

struct route_reader *ris_reader_new(struct input *input, const void *head, size_t head_size,
                                    struct stream_faults *faults)
{
    struct ris_reader *reader = mem_new(1, sizeof *reader);
    reader->base = (struct route_reader){.next = next,
                                         .walk = walk,
                                         .report = report,
                                         .free = free_reader,
                                         .collector = reader->message.host};
    line_reader_init(&reader->lines, input, head, head_size, faults);
    return &reader->base;
}
