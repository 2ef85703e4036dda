/* A page for people, written from top to bottom as plain text (wrapped at a width) or Markdown.
 * What is written is made safe on the way: control characters never reach a terminal, and
 * Markdown's own marks are escaped. */
#ifndef OUT_PAGE_H
#define OUT_PAGE_H

#include "base/buffer.h"
#include "base/mem.h"
#include "out/out.h"

struct page {
    struct buffer *out;
    bool is_markdown, has_colour;
    size_t width;
};

struct page page_of(const struct style *style, struct buffer *out);

void page_title(struct page *page, const char *text);
void page_heading(struct page *page, const char *text);
/* One of the fixed frames of a verdict, such as "Observed:". */
void page_frame(struct page *page, const char *text);
void page_paragraph(struct page *page, const char *text);
/* One point of a list; `mark` stands before it: "-" or a weight. */
void page_item(struct page *page, const char *mark, const char *text);
/* Ends a list. */
void page_space(struct page *page);

/* A table: the first row holds the heads. Zero it, add cells row by row, and give it to
 * page_table(), which empties it. Cells are wrapped where the table would not fit. */
struct table {
    size_t columns;
    const char **cells;
    size_t count, capacity;
};
void page_table_add(struct table *table, const char *cell);
void page_table(struct page *page, struct table *table);

#endif
