/* Reads `expect ...`. */
#include "parse.h"

#include <stdio.h>
#include <string.h>

/* Takes "a|b|c" apart and gives each part's number by look_up(), as bits. */
static unsigned parse_set(struct script *script, int (*look_up)(const char *name, size_t n),
                          const char *expected)
{
    const char *word = script_word(script, expected);
    unsigned set = 0;
    while (!script->bad) {
        size_t n = strcspn(word, "|");
        int number = look_up(word, n);
        if (number < 0)
            script_fail(script, "'%.*s' is not %s", (int)n, word, expected);
        else
            set |= 1u << number;
        if (!word[n])
            break;
        word += n + 1;
    }
    return set;
}

static int look_up_layer(const char *name, size_t n)
{
    for (int i = 0; i < LAYER_COUNT; i++)
        if (strlen(layer_name((enum layer)i)) == n &&
            memcmp(layer_name((enum layer)i), name, n) == 0)
            return i;
    return n == 10 && memcmp(name, "unresolved", n) == 0 ? (int)LAYER_COUNT : -1;
}

static int look_up_call(const char *name, size_t n)
{
    return n == 4 && memcmp(name, "none", n) == 0 ? (int)CAUSE_COUNT : cause_from_name(name, n);
}

static int look_up_evidence(const char *name, size_t n)
{
    for (int i = 0; i < EVIDENCE_COUNT; i++) {
        const char *known = evidence_name((enum evidence_kind)i);
        if (strlen(known) == n && memcmp(known, name, n) == 0)
            return i;
    }
    return -1;
}

static int look_up_truth(const char *name, size_t n)
{
    static const char *const names[] = {
        [TRUTH_UNKNOWN] = "unknown", [TRUTH_ABSENT] = "absent", [TRUTH_PRESENT] = "present"};
    for (int i = 0; i < 3; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return i;
    return -1;
}

static int look_up_confidence(const char *name, size_t n)
{
    for (int i = CONFIDENCE_LOW; i <= CONFIDENCE_HIGH; i++) {
        const char *known = confidence_name((enum confidence)i);
        if (strlen(known) == n && memcmp(known, name, n) == 0)
            return i;
    }
    return -1;
}

static int look_up_notice(const char *name, size_t n)
{
    for (int i = NOTICE_VANTAGE_UNWELL; i < NOTICE_KIND_END; i++) {
        const char *known = notice_kind_name((enum notice_kind)i);
        if (strlen(known) == n && memcmp(known, name, n) == 0)
            return i;
    }
    return -1;
}

/* One name of a table. */
static int parse_one(struct script *script, int (*look_up)(const char *name, size_t n),
                     const char *expected)
{
    const char *word = script_word(script, expected);
    int number = script->bad ? 0 : look_up(word, strlen(word));
    if (number < 0)
        script_fail(script, "'%s' is not %s", word, expected);
    return number;
}

static void parse_when(struct script *script, struct expectation *e)
{
    if (script_take(script, "began")) {
        e->began = script_span(script);
        if (script_take(script, "around"))
            e->began_at = script_time(script);
    }
    if (script_take(script, "ended")) {
        e->ended = script_span(script);
        if (script_take(script, "around"))
            e->ended_at = script_time(script);
    } else if (script_take(script, "open"))
        e->is_open = true;
}

/* N or N..M */
static void parse_range(struct script *script, struct expectation *e)
{
    const char *word = script_word(script, "N or N..M");
    unsigned low, high;
    char rest;
    int got = sscanf(word, "%u..%u%c", &low, &high, &rest);
    if (got == 1 && !strstr(word, ".."))
        high = low;
    else if (got != 2 || high < low)
        script_fail(script, "'%s' is not N or N..M", word);
    if (script->bad)
        return;
    e->low = low;
    e->high = high;
}

static void parse_share_range(struct script *script, struct expectation *e)
{
    const char *word = script_word(script, "P%..P%");
    char rest;
    if (sscanf(word, "%lf%%..%lf%%%c", &e->low, &e->high, &rest) != 2)
        script_fail(script, "'%s' is not P%%..P%%", word);
    e->low /= 100;
    e->high /= 100;
}

static void parse_n_of_m(struct script *script, struct expectation *e)
{
    e->low = script_number(script, "a number");
    if (!script_take(script, "of"))
        script_fail(script, "expected N of M");
    e->high = script_number(script, "a number");
}

static void parse_evidence(struct script *script, struct expectation *e)
{
    e->kind = EXPECT_EVIDENCE;
    e->what = parse_one(script, look_up_evidence, "a kind of evidence (model/evidence.def)");
    bool is_not = script_take(script, "not");
    e->set = parse_set(script, look_up_truth, "present, absent or unknown");
    if (is_not)
        e->set = ~e->set & 7;
    if (script_take(script, "and"))
        parse_n_of_m(script, e);
}

static void parse_no_or_never(struct script *script, struct expectation *e, bool is_never)
{
    if (is_never ? script_take(script, "call") : script_take(script, "leading"))
        e->kind = is_never ? EXPECT_NEVER_CALL : EXPECT_NOT_LEADING;
    else if (!is_never && script_take(script, "in") && script_take(script, "set"))
        e->kind = EXPECT_NOT_IN_SET;
    else
        script_fail(script, "'%s' is nothing that can be expected", script_peek(script));
    e->set = parse_set(script, cause_from_name, "a cause (model/causes.def)");
}

void parse_truth(struct script *script)
{
    script->world->has_truth = true;
    script->world->truth =
        (enum cause)parse_one(script, cause_from_name, "a cause (model/causes.def)");
}

void parse_expectation(struct script *script)
{
    struct expectation e = {.line = script->line, .said = script->said, .low = -1, .high = -1};
    e.is_optional = script_take(script, "maybe");
    const char *what = script_word(script, "what is expected");
    if (e.is_optional && strcmp(what, "notice") != 0)
        script_fail(script, "only a notice may be there or not");
    if (strcmp(what, "no") == 0 && script_take(script, "incident")) {
        e.kind = EXPECT_NO_INCIDENT;
    } else if (strcmp(what, "incident") == 0) {
        e.kind = EXPECT_INCIDENT;
        e.name = script_word(script, "a subject");
        parse_when(script, &e);
    } else if (strcmp(what, "episodes") == 0) {
        e.kind = EXPECT_EPISODES;
        parse_range(script, &e);
    } else if (strcmp(what, "depth") == 0) {
        e.kind = EXPECT_DEPTH;
        parse_share_range(script, &e);
    } else if (strcmp(what, "extent") == 0) {
        e.kind = EXPECT_EXTENT;
        e.what = parse_one(script, look_up_layer, "a layer (model/layers.def)");
        parse_n_of_m(script, &e);
    } else if (strcmp(what, "first") == 0 && script_take(script, "layer")) {
        e.kind = EXPECT_FIRST_LAYER;
        e.set = parse_set(script, look_up_layer, "a layer (model/layers.def) or unresolved");
    } else if (strcmp(what, "confidence") == 0) {
        e.kind = EXPECT_CONFIDENCE;
        e.set = parse_set(script, look_up_confidence, "low, moderate or high");
    } else if (strcmp(what, "leading") == 0) {
        e.kind = EXPECT_LEADING;
        e.set = parse_set(script, cause_from_name, "a cause (model/causes.def)");
    } else if (strcmp(what, "in") == 0 && script_take(script, "set")) {
        e.kind = EXPECT_IN_SET;
        e.set = parse_set(script, cause_from_name, "a cause (model/causes.def)");
    } else if (strcmp(what, "call") == 0) {
        e.kind = EXPECT_CALL;
        e.set = parse_set(script, look_up_call, "a cause (model/causes.def) or none");
    } else if (strcmp(what, "not") == 0 || strcmp(what, "never") == 0) {
        parse_no_or_never(script, &e, what[1] == 'e');
    } else if (strcmp(what, "evidence") == 0) {
        parse_evidence(script, &e);
    } else if (strcmp(what, "notice") == 0) {
        e.kind = EXPECT_NOTICE;
        e.what = parse_one(script, look_up_notice, "a kind of notice (model/conclusion.h)");
        e.name = script_word(script, "a vantage or collector");
        parse_when(script, &e);
    } else if (strcmp(what, "events") == 0 && script_take(script, "at") &&
               script_take(script, "most")) {
        e.kind = EXPECT_EVENTS;
        e.high = script_number(script, "a number");
    } else {
        script_fail(script, "'%s' is nothing that can be expected", what);
    }
    WORLD_ADD(script->world, expectations, expectation_count, expectation_capacity, e);
}
