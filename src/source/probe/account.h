/* An account: what one question met on its way. Engines write it while they work, where somebody wants
 * it: when each stage was reached, facts about the target (model/facts.def), and for patient readers
 * every step in words. It is no judgement: that is the answer's.
 *
 *     account_reached(account, STAGE_CONNECT, elapsed_ns);
 *     account_text(account, FACT_HTTP_SERVER, "nginx", 5);
 *     account_say(account, elapsed_ns, "< 220 %s", banner);
 *
 * All take NULL, which is an account that nobody wants; who would have to work for a fact asks
 * `if (account)` first. What servers say is cut to ACCOUNT_TEXT_MAX bytes, a list to ACCOUNT_LIST_MAX
 * texts, the steps to ACCOUNT_STEPS_MAX bytes in all: a server that talks without end fills nothing. */
#ifndef SOURCE_PROBE_ACCOUNT_H
#define SOURCE_PROBE_ACCOUNT_H

#include "base/buffer.h"
#include "model/model.h"

#include <stdbool.h>
#include <stdint.h>

enum fact {
#define FACT(constant, name, form, kept, label) FACT_##constant,
#include "model/facts.def"
#undef FACT
    FACT_COUNT
};

enum { ACCOUNT_TEXT_MAX = 300, ACCOUNT_LIST_MAX = 32, ACCOUNT_STEPS_MAX = 64 * 1024 };

struct account;

struct account *account_new(bool wants_steps);
void account_free(struct account *account);

/* ---- for engines ---- */

/* A stage is over, so long after the question was asked. */
void account_reached(struct account *account, enum stage stage, int64_t elapsed_ns);
/* The form of the fact must be the one in the table. Setting one again replaces it; adding to a list
 * appends. */
void account_text(struct account *account, enum fact fact, const char *text, size_t n);
void account_add(struct account *account, enum fact fact, const char *text, size_t n);
void account_number(struct account *account, enum fact fact, int64_t value); /* TIME, FLAG too */
/* A line for people, without its end; control characters in it are made harmless. */
void account_say(struct account *account, int64_t elapsed_ns, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends the steps of another account (NULL: of nobody), and its facts where `with_facts`. */
void account_take(struct account *account, const struct account *other, bool with_facts);

/* ---- for those who read it ---- */

bool account_wants_steps(const struct account *account);
bool account_has(const struct account *account, enum fact fact);
int64_t account_reached_ns(const struct account *account, enum stage stage); /* 0: was not */
/* The steps, a line each, with the time before it. "" if there are none or none were wanted. */
const char *account_steps(const struct account *account);

const char *fact_name(enum fact fact);
const char *fact_label(enum fact fact);
bool fact_is_kept(enum fact fact);
/* A fact that is there: as a JSON value, the same for the same fact; and for people. */
void account_fact_json(const struct account *account, enum fact fact, struct buffer *out);
void account_fact_plain(const struct account *account, enum fact fact, struct buffer *out);

#endif
