/* Store -> people. Each function answers one question about a journal, in one of the formats. Nothing
 * here changes the journal. Text is UTF-8, times ISO 8601 UTC, every figure N of M. */
#ifndef OUT_OUT_H
#define OUT_OUT_H

#include "base/buffer.h"
#include "store/query.h"

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON /* JSON Lines */ };

struct style {
    enum format format;
    bool colour; /* only for FORMAT_TEXT */
    int width;   /* columns to wrap text at; 0: 80 */
};

/* What is watched, how each layer is, open incidents, the observer's own state. */
enum err out_status(struct journal *journal, const struct style *style, struct buffer *out,
                    struct why *why);
/* One line an incident, and notices about the observer. */
enum err out_incidents(struct journal *journal, const struct style *style, struct buffer *out,
                       struct why *why);
/* The reasoning behind the newest verdict on one incident. */
enum err out_why(struct journal *journal, uint32_t incident, const struct style *style,
                 struct buffer *out, struct why *why);
/* The full report: summary, time line, verdict, evidence, revisions, what cannot be told, method. */
enum err out_report(struct journal *journal, uint32_t incident, const struct style *style,
                    struct buffer *out, struct why *why);

/* What one target did in each five minutes. */
struct chart_wish {
    const char *target;
    struct utc from, until; /* 0: of the last day of the journal */
};
enum err out_chart(struct journal *journal, const struct chart_wish *wish,
                   const struct style *style, struct buffer *out, struct why *why);

/* The observation log of the journal (design 7), written piece by piece as buffer fills: `write` gets
 * whole lines. Sorted by time within the lateness bound. */
enum err out_log(struct journal *journal,
                 enum err (*write)(void *context, const void *bytes, size_t n), void *context,
                 struct why *why);

/* One observation as a line of the log, with its newline. A SUBJECT needs its MEMBERs: see out_log(). */
void out_log_line(const struct registry *registry, const struct observation *observation,
                  struct buffer *out);

#endif
