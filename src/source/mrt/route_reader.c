#include "source/mrt/route_reader.h"

#include "base/mem.h"
#include "source/mrt/mrt_reader.h"

#include <assert.h>
#include <stdlib.h>

/* ---- which ---- */

/* The text in which the service's own messages begin: {"type":"ris_message", ...} */
static bool has_ris_type(const uint8_t *head, size_t n)
{
    static const char type[] = "\"ris_";
    const size_t length = sizeof type - 1;
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(head + i, type, length) == 0)
            return true;
    return false;
}

/* A time of MRT begins with 3 only before 1973, so that BMP's version is no archive. */
enum route_form route_form_of(const uint8_t *head, size_t n)
{
    size_t length;
    if (n && head[0] == '{')
        return has_ris_type(head, n) ? ROUTE_FORM_RIS_LIVE : ROUTE_FORM_LOG;
    if (n >= BMP_HEADER && !bmp_frame(head, n, &length))
        return ROUTE_FORM_BMP;
    return ROUTE_FORM_MRT;
}

const char *route_form_name(enum route_form form)
{
    static const char *const names[] = {"an MRT archive", "a BMP session", "a stream of RIS Live",
                                        "an observation log"};
    return names[form];
}

/* ---- MRT ---- */

struct archive_reader {
    struct route_reader base;
    struct mrt_reader records;
    struct mrt_header header;
    struct reader body;
};

static int archive_next(struct route_reader *base, struct why *why)
{
    struct archive_reader *reader = (struct archive_reader *)base;
    int found = mrt_reader_next(&reader->records, &reader->header, &reader->body, why);
    if (found > 0)
        base->time = mrt_reader_time(&reader->header, reader->body);
    return found;
}

static void archive_walk(struct route_reader *base, struct element_walk *walk)
{
    struct archive_reader *reader = (struct archive_reader *)base;
    const char *fault = element_walk_record(walk, &reader->header, reader->body);
    if (fault)
        mrt_reader_reject(&reader->records, fault);
}

static void archive_report(struct route_reader *base, const char *fault)
{
    mrt_reader_report(&((struct archive_reader *)base)->records, fault);
}

static void archive_free(struct route_reader *base)
{
    mrt_reader_done(&((struct archive_reader *)base)->records);
    free(base);
}

static struct route_reader *archive_reader_new(struct input *input, const void *head,
                                               size_t head_size, struct stream_faults *faults)
{
    struct archive_reader *reader = mem_new(1, sizeof *reader);
    reader->base = (struct route_reader){
        .next = archive_next, .walk = archive_walk, .report = archive_report, .free = archive_free};
    mrt_reader_init(&reader->records, input, head, head_size, faults);
    return &reader->base;
}

/* ---- any ---- */

struct route_reader *route_reader_new(enum route_form form, struct input *input, const void *head,
                                      size_t head_size, struct stream_faults *faults)
{
    static struct route_reader *(*const forms[])(struct input *, const void *, size_t,
                                                 struct stream_faults *) = {
        [ROUTE_FORM_MRT] = archive_reader_new,
        [ROUTE_FORM_BMP] = bmp_reader_new,
        [ROUTE_FORM_RIS_LIVE] = ris_reader_new};
    assert(form != ROUTE_FORM_LOG);
    return forms[form](input, head, head_size, faults);
}
