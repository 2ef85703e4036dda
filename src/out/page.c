#include "out/page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WIDTH = 80, LEAST_WIDTH = 40 };
static const char bold[] = "\033[1m", plain[] = "\033[0m";

struct page page_of(const struct style *style, struct buffer *out)
{
    size_t width = style->width > 0 ? (size_t)style->width : DEFAULT_WIDTH;
    return (struct page){.out = out,
                         .is_markdown = style->format == FORMAT_MARKDOWN,
                         .has_colour = style->format == FORMAT_TEXT && style->colour,
                         .width = width < LEAST_WIDTH ? LEAST_WIDTH : width};
}

/* Columns that UTF-8 text takes, one for each character. */
static size_t columns_of(const char *text, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* A lead byte of C1 controls (U+0080 to U+009F) is 0xc2 with a second byte below 0xa0. */
static bool is_control(const char *text, size_t i, size_t n)
{
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f)
        return true;
    return c == 0xc2 && i + 1 < n && (unsigned char)text[i + 1] < 0xa0;
}

static void put(struct page *page, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_control(text, i, n)) {
            buffer_puts(page->out, "?");
            i += (unsigned char)text[i] == 0xc2;
            continue;
        }
        if (page->is_markdown && strchr("\\`*_[]<>|#", text[i]))
            buffer_puts(page->out, "\\");
        buffer_add(page->out, &text[i], 1);
    }
}

static void put_text(struct page *page, const char *text)
{
    put(page, text, strlen(text));
}

static void put_spaces(struct page *page, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buffer_puts(page->out, " ");
}

/* "%", "s", "min" or "/24s", perhaps with a full stop or comma behind. */
static bool is_unit(const char *text)
{
    static const char *const units[] = {"%", "s", "ms", "min", "h", "d", "/24s", "/48s"};
    size_t n = strcspn(text, " .,;:)");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i]) == n && memcmp(text, units[i], n) == 0)
            return true;
    return false;
}

/* The bytes of a number whose thousands are set apart, "(1 234 567" of "(1 234 567)"; 0 if it is none. */
static size_t number_of(const char *text)
{
    size_t start = strspn(text, "("), n = start + strspn(text + start, "0123456789");
    if (n == start || n - start > 3)
        return 0;
    while (text[n] == ' ' && strspn(text + n + 1, "0123456789") == 3)
        n += 4;
    return n;
}

/* The bytes of the next word; a number stays together, and a unit with it. */
static size_t word_of(const char *text)
{
    size_t number = number_of(text), n = number + strcspn(text + number, " ");
    bool is_number = n && text[n - 1] >= '0' && text[n - 1] <= '9';
    if (is_number && text[n] == ' ' && is_unit(text + n + 1))
        return n + 1 + strcspn(text + n + 1, " ");
    return n;
}

/* Wraps text into the columns from `indent` to `width`, the first line beginning where the cursor
 * is. */
static void put_wrapped(struct page *page, const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    while (*text) {
        size_t n = word_of(text);
        size_t columns = columns_of(text, n);
        if (column > indent && column + 1 + columns > width) {
            buffer_puts(page->out, "\n");
            put_spaces(page, indent);
            column = indent;
        } else if (column > indent) {
            buffer_puts(page->out, " ");
            column++;
        }
        put(page, text, n);
        column += columns;
        text += n;
        text += strspn(text, " ");
    }
    buffer_puts(page->out, "\n");
}

static void put_bold(struct page *page, const char *text)
{
    if (page->has_colour)
        buffer_puts(page->out, bold);
    put_text(page, text);
    if (page->has_colour)
        buffer_puts(page->out, plain);
}

static void separate(struct page *page)
{
    size_t size = page->out->size;
    if (size && !(size >= 2 && memcmp(page->out->bytes + size - 2, "\n\n", 2) == 0))
        buffer_puts(page->out, "\n");
}

void page_title(struct page *page, const char *text)
{
    separate(page);
    if (page->is_markdown)
        buffer_puts(page->out, "# ");
    put_bold(page, text);
    buffer_puts(page->out, "\n\n");
}

void page_heading(struct page *page, const char *text)
{
    separate(page);
    if (page->is_markdown)
        buffer_puts(page->out, "## ");
    put_bold(page, text);
    buffer_puts(page->out, page->is_markdown ? "\n\n" : "\n");
}

void page_frame(struct page *page, const char *text)
{
    separate(page);
    if (page->is_markdown)
        buffer_puts(page->out, "**");
    if (page->has_colour)
        buffer_puts(page->out, bold);
    if (page->is_markdown)
        put_text(page, text);
    else
        put_wrapped(page, text, 0, page->width);
    if (page->has_colour)
        buffer_puts(page->out, plain);
    if (page->is_markdown)
        buffer_puts(page->out, "**\n\n");
}

void page_paragraph(struct page *page, const char *text)
{
    if (page->is_markdown) {
        separate(page); /* else it would belong to a list before it */
        put_text(page, text);
        buffer_puts(page->out, "\n");
    } else {
        put_wrapped(page, text, 0, page->width);
    }
    buffer_puts(page->out, "\n");
}

void page_item(struct page *page, const char *mark, const char *text)
{
    if (page->is_markdown) {
        bool is_dash = strcmp(mark, "-") == 0;
        buffer_printf(page->out, is_dash ? "- " : "- `%s` ", mark);
        put_text(page, text);
        buffer_puts(page->out, "\n");
        return;
    }
    buffer_printf(page->out, "  %s ", mark);
    put_wrapped(page, text, 3 + columns_of(mark, strlen(mark)), page->width);
}

void page_space(struct page *page)
{
    separate(page);
}

void page_table_add(struct table *table, const char *cell)
{
    table->cells = mem_grow(table->cells, &table->capacity, table->count + 1, sizeof *table->cells);
    table->cells[table->count++] = cell;
}

static void put_markdown_table(struct page *page, const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        buffer_puts(page->out, i % table->columns == 0 ? "| " : " | ");
        put_text(page, table->cells[i]);
        if ((i + 1) % table->columns != 0)
            continue;
        buffer_puts(page->out, " |\n");
        if (i + 1 != table->columns)
            continue;
        for (size_t column = 0; column < table->columns; column++)
            buffer_puts(page->out, column ? "---|" : "|---|");
        buffer_puts(page->out, "\n");
    }
}

enum { MOST_COLUMNS = 12, LEAST_COLUMN = 9, TABLE_INDENT = 2, COLUMN_GAP = 2 };

static size_t total_width(const size_t *widths, size_t columns)
{
    size_t total = TABLE_INDENT + (columns - 1) * COLUMN_GAP;
    for (size_t column = 0; column < columns; column++)
        total += widths[column];
    return total;
}

/* Columns of the widest cell, and of the widest word, of one column of a table. */
static void measure_column(const struct table *table, size_t column, size_t *cell, size_t *word)
{
    *cell = *word = 0;
    for (size_t i = column; i < table->count; i += table->columns) {
        const char *text = table->cells[i];
        size_t n = columns_of(text, strlen(text));
        *cell = n > *cell ? n : *cell;
        while (*text) {
            size_t bytes = word_of(text);
            n = columns_of(text, bytes);
            *word = n > *word ? n : *word;
            text += bytes;
            text += strspn(text, " ");
        }
    }
}

/* The widest column gives way until the table fits, none below its least width. */
static void narrow_columns(size_t *widths, const size_t *least, size_t columns, size_t width)
{
    while (total_width(widths, columns) > width) {
        size_t widest = columns;
        for (size_t column = 0; column < columns; column++)
            if (widths[column] > least[column] &&
                (widest == columns || widths[column] > widths[widest]))
                widest = column;
        if (widest == columns)
            return;
        widths[widest]--;
    }
}

/* As wide as the widest cell; where that does not fit words wrap, and only then they are broken. */
static void place_columns(const struct page *page, const struct table *table,
                          size_t widths[MOST_COLUMNS])
{
    size_t words[MOST_COLUMNS], least[MOST_COLUMNS];
    for (size_t column = 0; column < table->columns; column++) {
        measure_column(table, column, &widths[column], &words[column]);
        least[column] = words[column] < LEAST_COLUMN ? words[column] : LEAST_COLUMN;
    }
    narrow_columns(widths, words, table->columns, page->width);
    narrow_columns(widths, least, table->columns, page->width);
}

/* Bytes of text that fill at most `columns`. */
static size_t bytes_of(const char *text, size_t columns)
{
    size_t n = 0;
    while (text[n] && columns_of(text, n + 1) <= columns)
        n++;
    return n;
}

/* The bytes of the next line of a cell: whole words, or part of one that is wider than the column.
 */
static size_t next_line(const char *text, size_t width)
{
    size_t fits = 0;
    for (size_t at = 0; text[at];) {
        size_t end = at + strspn(text + at, " ");
        end += word_of(text + end);
        if (columns_of(text, end) > width)
            break;
        fits = at = end;
    }
    return fits || !*text ? fits : bytes_of(text, width);
}

static bool is_left(const char *const *cells, size_t columns)
{
    for (size_t column = 0; column < columns; column++)
        if (*cells[column])
            return true;
    return false;
}

static void put_text_row(struct page *page, const char *const *row, size_t columns,
                         const size_t *widths)
{
    const char *cells[MOST_COLUMNS];
    memcpy(cells, row, columns * sizeof *cells);
    do {
        size_t at = 0, begin = TABLE_INDENT;
        for (size_t column = 0; column < columns; column++) {
            size_t n = next_line(cells[column], widths[column]);
            if (n) {
                put_spaces(page, begin - at);
                put(page, cells[column], n);
                at = begin + columns_of(cells[column], n);
            }
            cells[column] += n;
            cells[column] += strspn(cells[column], " ");
            begin += widths[column] + COLUMN_GAP;
        }
        buffer_puts(page->out, "\n");
    } while (is_left(cells, columns));
}

static void put_text_table(struct page *page, const struct table *table)
{
    size_t widths[MOST_COLUMNS];
    place_columns(page, table, widths);
    for (size_t row = 0; row < table->count; row += table->columns) {
        bool is_head = row == 0 && page->has_colour;
        if (is_head)
            buffer_puts(page->out, bold);
        put_text_row(page, table->cells + row, table->columns, widths);
        if (is_head)
            buffer_puts(page->out, plain);
    }
}

void page_table(struct page *page, struct table *table)
{
    assert(table->columns && table->columns <= MOST_COLUMNS);
    assert(table->count % table->columns == 0);
    separate(page);
    if (page->is_markdown)
        put_markdown_table(page, table);
    else
        put_text_table(page, table);
    separate(page);
    free(table->cells);
    *table = (struct table){0};
}
