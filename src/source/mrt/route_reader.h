/* What routes are read from, told apart by content: MRT archives; a BMP session as its bytes came in
 * (RFC 7854); lines of RIS Live. Each gives its records, one after the other, and what is in the one in
 * hand goes to a walk over elements.
 *
 *     form = route_form_of(head, input_fill(input, head, 0, ROUTE_HEAD));
 *     struct route_reader *reader = route_reader_new(form, input, head, head_size, &faults);
 *     struct element_walk walk = {.report = tell, ...};   // tell() calls route_reader_report()
 *     while ((found = route_reader_next(reader, &why)) > 0)
 *         route_reader_walk(reader, &walk);
 *     route_reader_free(reader); */
#ifndef SOURCE_MRT_ROUTE_READER_H
#define SOURCE_MRT_ROUTE_READER_H

#include "source/mrt/element.h"
#include "source/stream.h"

enum route_form { ROUTE_FORM_MRT, ROUTE_FORM_BMP, ROUTE_FORM_RIS_LIVE, ROUTE_FORM_LOG };

/* What is read of an input to recognise it. */
enum { ROUTE_HEAD = 32 };

/* What is neither BMP nor text is taken for an archive, whose reader finds what is good in it. */
enum route_form route_form_of(const uint8_t *head, size_t n);
/* "an MRT archive", for people. */
const char *route_form_name(enum route_form form);

struct route_reader {
    /* 1 got one, 0 the end, -1 a bad end. */
    int (*next)(struct route_reader *reader, struct why *why);
    void (*walk)(struct route_reader *reader, struct element_walk *walk);
    void (*report)(struct route_reader *reader, const char *fault);
    void (*free)(struct route_reader *reader);
    struct utc time;       /* of the record in hand; 0: not known */
    const char *collector; /* as the record itself names who heard it, else NULL */
};

/* Not of logs. The input is not owned. */
struct route_reader *route_reader_new(enum route_form form, struct input *input, const void *head,
                                      size_t head_size, struct stream_faults *faults);

static inline int route_reader_next(struct route_reader *reader, struct why *why)
{
    return reader->next(reader, why);
}

/* Tells the elements of the record in hand; a bad one is counted and told. */
static inline void route_reader_walk(struct route_reader *reader, struct element_walk *walk)
{
    reader->walk(reader, walk);
}

/* A part of the record in hand is bad: counts it and tells its place. */
static inline void route_reader_report(struct route_reader *reader, const char *fault)
{
    reader->report(reader, fault);
}

static inline void route_reader_free(struct route_reader *reader)
{
    if (reader)
        reader->free(reader);
}

/* The forms. */
struct route_reader *bmp_reader_new(struct input *input, const void *head, size_t head_size,
                                    struct stream_faults *faults);
struct route_reader *ris_reader_new(struct input *input, const void *head, size_t head_size,
                                    struct stream_faults *faults);

#endif
