#include "out/sentence.h"

#include "base/buffer.h"
#include "out/words.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

struct rendering {
    struct arena *arena;
    const struct registry *registry;
    const struct finding *finding;
    struct utc day;
    bool is_short; /* parts in brackets are left out */
};

/* AS numbers and counts in full, ratios with one decimal. */
static const char *number(struct arena *arena, double value)
{
    bool is_whole = value == floor(value) || fabs(value) >= 100;
    return arena_printf(arena, is_whole ? "%.0f" : "%.1f", value);
}

static const char *duration(struct arena *arena, double ns)
{
    char text[DURATION_TEXT_MAX];
    bool is_sane = ns > 0 && ns < 9e18;
    return arena_printf(arena, "%s", duration_format(is_sane ? (int64_t)ns : 0, text));
}

static bool is_known(const struct interval *interval)
{
    return utc_is_known(interval->last_before) || utc_is_known(interval->first_after);
}

static const char *moment(const struct rendering *r, const struct interval *at)
{
    return is_known(at) ? words_interval(r->arena, at, r->day) : NULL;
}

static const char *name_of(const struct rendering *r)
{
    uint32_t name = r->finding->name;
    return name ? registry_text(r->registry, name) : NULL;
}

/* One of the forms in "one|many" or "none|one|many", by a count. */
static const char *plural(const struct rendering *r, uint32_t count, const char *forms, size_t n)
{
    const char *at[3] = {forms};
    size_t length[3] = {n}, known = 1;
    for (size_t i = 0; i < n; i++)
        if (forms[i] == '|' && known < 3) {
            length[known - 1] = (size_t)(forms + i - at[known - 1]);
            at[known] = forms + i + 1;
            length[known] = n - i - 1;
            known++;
        }
    size_t which = known == 3 ? (count < 2 ? count : 2) : count != 1;
    return which < known ? arena_copy(r->arena, at[which], length[which]) : NULL;
}

/* The text of one mark; NULL if its figure is not known. */
static const char *figure(const struct rendering *r, const char *mark, size_t n)
{
    const struct finding *f = r->finding;
    static const char *const marks[] = {"n",      "m",      "a",     "b",      "a%",   "b%",
                                        "a:time", "b:time", "first", "second", "name", "layer"};
    size_t which = 0, count = sizeof marks / sizeof *marks;
    if (n > 2 && mark[1] == '|')
        return plural(r, mark[0] == 'n' ? f->n : f->m, mark + 2, n - 2);
    while (which < count && !(strlen(marks[which]) == n && memcmp(marks[which], mark, n) == 0))
        which++;
    switch (which) {
    case 0:
        return arena_printf(r->arena, "%u", f->n);
    case 1:
        return arena_printf(r->arena, "%u", f->m);
    case 2:
        return number(r->arena, f->a);
    case 3:
        return number(r->arena, f->b);
    case 4:
        return words_share(r->arena, f->a);
    case 5:
        return words_share(r->arena, f->b);
    case 6:
        return duration(r->arena, f->a);
    case 7:
        return duration(r->arena, f->b);
    case 8:
        return moment(r, &f->first);
    case 9:
        return moment(r, &f->second);
    case 10:
        return name_of(r);
    case 11:
        return f->layer < LAYER_COUNT ? layer_phrase((enum layer)f->layer) : NULL;
    default:
        return arena_printf(r->arena, "{%.*s}", (int)n, mark);
    }
}

/* Renders [at, end); false if a figure was missing. */
static bool render(const struct rendering *r, const char *at, const char *end, struct buffer *out)
{
    bool is_complete = true;
    while (at < end) {
        char stop = *at == '{' ? '}' : *at == '[' ? ']' : 0;
        const char *close = stop ? memchr(at, stop, (size_t)(end - at)) : NULL;
        if (!close) {
            buffer_add(out, at++, 1);
            continue;
        }
        if (stop == ']') {
            struct buffer part = {0};
            if (!r->is_short && render(r, at + 1, close, &part))
                buffer_add(out, part.bytes, part.size);
            buffer_done(&part);
        } else {
            const char *text = figure(r, at + 1, (size_t)(close - at) - 1);
            is_complete = is_complete && text;
            buffer_puts(out, text ? text : "not known");
        }
        at = close + 1;
    }
    return is_complete;
}

static const char *render_all(const struct rendering *r, const char *template)
{
    struct buffer out = {0};
    render(r, template, template + strlen(template), &out);
    const char *text = out.size ? arena_copy(r->arena, out.bytes, out.size) : "";
    buffer_done(&out);
    return text;
}

const char *sentence_render(struct arena *arena, const struct registry *registry,
                            const char *template, const struct finding *finding, struct utc day)
{
    struct rendering r = {arena, registry, finding, day, false};
    return render_all(&r, template);
}

static const char *clause(const struct rendering *r)
{
    enum evidence_kind kind = (enum evidence_kind)r->finding->kind;
    if (r->finding->truth == TRUTH_UNKNOWN)
        return arena_printf(r->arena, "%s: not known", evidence_name(kind));
    return render_all(r, r->finding->truth == TRUTH_PRESENT ? evidence_present(kind)
                                                            : evidence_absent(kind));
}

const char *sentence(struct arena *arena, const struct registry *registry,
                     const struct finding *finding, struct utc day)
{
    struct rendering r = {arena, registry, finding, day, false};
    return clause(&r);
}

const char *sentence_short(struct arena *arena, const struct registry *registry,
                           const struct finding *finding)
{
    struct rendering r = {arena, registry, finding, {0}, true};
    return clause(&r);
}

const char *sentence_whole(struct arena *arena, const char *text)
{
    size_t n = strlen(text);
    char *whole = arena_printf(arena, "%s%s", text, n && text[n - 1] == '.' ? "" : ".");
    whole[0] = (char)toupper((unsigned char)whole[0]);
    return whole;
}
