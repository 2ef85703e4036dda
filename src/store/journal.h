/* The journal: every observation, then everything that was concluded from it, in one SQLite file (WAL,
 * STRICT tables). One writer; readers never block it and it never blocks them.
 *
 *     journal_open(path, JOURNAL_WRITE, &journal, &why);
 *     journal_load_registry(journal, registry, &why);
 *     ... journal_commit(journal, &batch, &why) for every batch
 *
 * A commit is one transaction: new registry entries, the observations as one block (model/block.h), the
 * conclusions drawn from them, the progress of the source, and now and then a checkpoint of the core. A
 * commit that fails has written nothing and can be tried again with the same batch. It fails, too, if the
 * file was moved or deleted meanwhile.
 *
 * Every error names the file and the cure. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/buffer.h"
#include "base/err.h"
#include "model/conclusion.h"
#include "model/observation.h"
#include "model/registry.h"

enum { JOURNAL_SCHEMA = 2 };

enum journal_mode {
    /* An existing journal, read-only; any number at once, also while a writer is busy. All answers are
     * those of one snapshot, until journal_refresh_registry() takes a new one. A reader that stays open
     * for hours must do that now and then: the WAL grows as long as a snapshot needs it. */
    JOURNAL_READ,
    JOURNAL_WRITE, /* made if it does not exist; one at a time: a second gets ERR_BUSY with the pid of the first */
};

struct journal;

enum err journal_open(const char *path, enum journal_mode mode, struct journal **out,
                      struct why *why);
void journal_close(struct journal *journal); /* NULL is fine */
const char *journal_path(const struct journal *journal);

/* What one transaction writes. */
struct journal_batch {
    const struct registry *registry; /* entries beyond those that the journal has are added */
    const struct observation *observations; /* seq set: they follow the journal's last */
    size_t count;
    const struct conclusions *conclusions;
    uint16_t rules;       /* version of the rules that drew them; 0: leave what the journal says */
    const char *source;   /* progress: NULL, or the key under which source_done is kept */
    uint64_t source_done; /* observations of that source that the journal holds now */
    bool source_is_complete;
    const struct buffer *checkpoint; /* NULL, or core_save() after this batch */
};
enum err journal_commit(struct journal *journal, const struct journal_batch *batch,
                        struct why *why);

/* The highest sequence number that is in the journal (a reader: in its snapshot), 0 if empty. */
uint64_t journal_last_seq(const struct journal *journal);

/* The version of the rules that drew its conclusions, 0 if there are none. */
uint16_t journal_rules(const struct journal *journal);

/* Interns the journal's names, in order, into an empty registry: numbers come out the same. */
enum err journal_load_registry(struct journal *journal, struct registry *registry, struct why *why);
/* A reader's new snapshot, and the names that are new in it (readers that stay open). */
enum err journal_refresh_registry(struct journal *journal, struct registry *registry,
                                  struct why *why);

/* The newest checkpoint; `bytes` stays empty and *seq 0 if there is none. */
enum err journal_load_checkpoint(struct journal *journal, struct buffer *bytes, uint64_t *seq,
                                 struct why *why);

/* How far a source was when it was last committed; done 0 if never seen. */
enum err journal_progress(struct journal *journal, const char *source, uint64_t *done,
                          bool *is_complete, struct why *why);

/* Observations in journal order from `first_seq` on, block by block. visit() returns false to stop. A
 * damaged block is skipped: visit_damaged (may be NULL) hears of it, with first_seq 0 where only its time
 * is known (journal_read_span). */
struct journal_visitor {
    bool (*visit)(void *context, const struct observation *observation);
    void (*visit_damaged)(void *context, uint64_t first_seq, uint64_t count, const char *reason);
    void *context;
};
enum err journal_read(struct journal *journal, uint64_t first_seq,
                      const struct journal_visitor *visitor, struct why *why);
/* The same, only blocks that hold observations of [from, until]. */
enum err journal_read_span(struct journal *journal, struct utc from, struct utc until,
                           const struct journal_visitor *visitor, struct why *why);

/* Checks everything: SQLite's own integrity, every block's checksum and decoding, every reference.
 * report() hears each fault; *faults counts them. */
enum err journal_check(struct journal *journal, void (*report)(void *context, const char *fault),
                       void *context, uint64_t *faults, struct why *why);

#endif
