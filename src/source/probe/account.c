#include "source/probe/account.h"

#include "base/mem.h"
#include "base/utc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form { TEXT, LIST, NUMBER, TIME, FLAG };
enum kept { TOLD, KEPT };

static const struct {
    const char *name, *label;
    enum form form;
    enum kept kept;
} facts[] = {
#define FACT(constant, name, form, kept, label) {name, label, form, kept},
#include "model/facts.def"
#undef FACT
};

struct value {
    uint8_t count; /* texts of a list, those that were cut off too */
    int64_t number;
    struct buffer texts; /* NUL-terminated, one after the other */
};

/* There is one for each question, of which most have few facts. */
struct account {
    bool wants_steps;
    int64_t reached_ns[STAGE_COUNT];
    uint8_t places[FACT_COUNT]; /* of its value, from 1 on; 0: it has none */
    struct value *values;       /* in the order in which they came */
    size_t count, capacity;
    struct buffer steps;
};
_Static_assert(FACT_COUNT <= UINT8_MAX, "every value has its place");

struct account *account_new(bool wants_steps)
{
    struct account *account = mem_new(1, sizeof *account);
    account->wants_steps = wants_steps;
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    for (size_t i = 0; i < account->count; i++)
        buffer_done(&account->values[i].texts);
    free(account->values);
    buffer_done(&account->steps);
    free(account);
}

/* Of a fact that is there. */
static const struct value *value_of(const struct account *account, enum fact fact)
{
    assert(account->places[fact]);
    return &account->values[account->places[fact] - 1];
}

/* To be set: what was there before, or a new one. */
static struct value *value_for(struct account *account, enum fact fact)
{
    if (!account->places[fact]) {
        account->values = mem_grow(account->values, &account->capacity, account->count + 1,
                                   sizeof *account->values);
        account->values[account->count++] = (struct value){0};
        account->places[fact] = (uint8_t)account->count;
    }
    return &account->values[account->places[fact] - 1];
}

/* ---- for engines ---- */

void account_reached(struct account *account, enum stage stage, int64_t elapsed_ns)
{
    if (account)
        account->reached_ns[stage] = elapsed_ns > 0 ? elapsed_ns : 1;
}

static void append(struct value *value, const char *text, size_t n)
{
    const char *nul = memchr(text, '\0', n); /* one that a server put there would be the end */
    n = nul ? (size_t)(nul - text) : n;
    buffer_add(&value->texts, text, n < ACCOUNT_TEXT_MAX ? n : ACCOUNT_TEXT_MAX);
    buffer_add(&value->texts, "", 1);
}

void account_text(struct account *account, enum fact fact, const char *text, size_t n)
{
    assert(facts[fact].form == TEXT);
    if (!account)
        return;
    struct value *value = value_for(account, fact);
    buffer_clear(&value->texts);
    append(value, text, n);
}

void account_add(struct account *account, enum fact fact, const char *text, size_t n)
{
    assert(facts[fact].form == LIST);
    struct value *value = account ? value_for(account, fact) : NULL;
    if (!value || value->count >= ACCOUNT_LIST_MAX)
        return;
    value->count++;
    append(value, text, n);
}

void account_number(struct account *account, enum fact fact, int64_t number)
{
    assert(facts[fact].form == NUMBER || facts[fact].form == TIME || facts[fact].form == FLAG);
    if (account)
        value_for(account, fact)->number = number;
}

void account_say(struct account *account, int64_t elapsed_ns, const char *format, ...)
{
    if (!account || !account->wants_steps || account->steps.size > ACCOUNT_STEPS_MAX)
        return;
    char line[2 * ACCOUNT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_printf(&account->steps, "%10.3f ms  ", (double)elapsed_ns / NS_PER_MS);
    buffer_plain(&account->steps, line);
    buffer_puts(&account->steps, "\n");
    if (account->steps.size > ACCOUNT_STEPS_MAX)
        buffer_puts(&account->steps, "               ... and more, which is left out\n");
}

void account_take(struct account *account, const struct account *other, bool with_facts)
{
    if (!account || !other)
        return;
    if (account->wants_steps && account->steps.size <= ACCOUNT_STEPS_MAX)
        buffer_puts(&account->steps, account_steps(other));
    for (int i = 0; with_facts && i < STAGE_COUNT; i++)
        account->reached_ns[i] = other->reached_ns[i];
    for (enum fact fact = 0; with_facts && fact < FACT_COUNT; fact++) {
        if (!account_has(other, fact))
            continue;
        struct value *mine = value_for(account, fact);
        const struct value *theirs = value_of(other, fact);
        buffer_clear(&mine->texts);
        buffer_add(&mine->texts, theirs->texts.bytes, theirs->texts.size);
        mine->count = theirs->count;
        mine->number = theirs->number;
    }
}

/* ---- for those who read it ---- */

bool account_wants_steps(const struct account *account)
{
    return account && account->wants_steps;
}

bool account_has(const struct account *account, enum fact fact)
{
    return account && account->places[fact];
}

int64_t account_reached_ns(const struct account *account, enum stage stage)
{
    return account ? account->reached_ns[stage] : 0;
}

const char *account_steps(const struct account *account)
{
    return account && account->steps.size ? account->steps.bytes : "";
}

const char *fact_name(enum fact fact)
{
    return facts[fact].name;
}

const char *fact_label(enum fact fact)
{
    return facts[fact].label;
}

bool fact_is_kept(enum fact fact)
{
    return facts[fact].kept == KEPT;
}

/* The texts of a list or the one text, each written by `write`. */
static void write_texts(const struct value *value, const char *between,
                        void (*write)(struct buffer *, const char *), struct buffer *out)
{
    const char *end = value->texts.bytes + value->texts.size;
    for (const char *text = value->texts.bytes; text < end; text += strlen(text) + 1) {
        if (text > value->texts.bytes)
            buffer_puts(out, between);
        write(out, text);
    }
}

static const char *write_time(const struct value *value, char text[UTC_TEXT_MAX])
{
    /* A certificate may name a year that nanoseconds since 1970 cannot reach. */
    int64_t most = INT64_MAX / NS_PER_S;
    int64_t seconds = value->number > most ? most : value->number < -most ? -most : value->number;
    return utc_format((struct utc){seconds * NS_PER_S}, text);
}

void account_fact_json(const struct account *account, enum fact fact, struct buffer *out)
{
    const struct value *value = value_of(account, fact);
    char time[UTC_TEXT_MAX];
    switch (facts[fact].form) {
    case TEXT:
        write_texts(value, "", buffer_json, out);
        return;
    case LIST:
        buffer_puts(out, "[");
        write_texts(value, ",", buffer_json, out);
        buffer_puts(out, "]");
        return;
    case NUMBER:
        buffer_printf(out, "%" PRId64, value->number);
        return;
    case TIME:
        buffer_printf(out, "\"%s\"", write_time(value, time));
        return;
    case FLAG:
        buffer_puts(out, value->number ? "true" : "false");
        return;
    }
}

void account_fact_plain(const struct account *account, enum fact fact, struct buffer *out)
{
    const struct value *value = value_of(account, fact);
    char time[UTC_TEXT_MAX];
    switch (facts[fact].form) {
    case TEXT:
    case LIST:
        write_texts(value, ", ", buffer_plain, out);
        return;
    case NUMBER:
        buffer_printf(out, "%" PRId64, value->number);
        return;
    case TIME:
        buffer_puts(out, write_time(value, time));
        return;
    case FLAG:
        buffer_puts(out, value->number ? "yes" : "no");
        return;
    }
}
