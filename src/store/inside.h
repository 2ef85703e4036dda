/* The inside of a journal, shared by the files of this room only. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "model/block.h"
#include "store/chart_sums.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/schema.h"
#include "sys/lockfile.h"

/* Observations a block at most. */
enum { BLOCK_MAX = 16 * 1024 };

/* Statements that commits use again and again; those of the tables of conclusions come first. */
enum statement_number {
    STATEMENT_NAME = TABLE_COUNT,
    STATEMENT_BLOCK,
    STATEMENT_SOURCE,
    STATEMENT_CHECKPOINT,
    STATEMENT_OLD_CHECKPOINTS,
    STATEMENT_RULES,
    STATEMENT_CHART,
    STATEMENT_COUNT
};

struct journal {
    struct db db;
    char *path;
    enum journal_mode mode;
    struct lockfile *lock;
    /* What the journal holds; for a reader, what it held when the snapshot was taken. */
    uint64_t last_seq;
    uint64_t last_block;
    uint32_t names;
    uint16_t rules;
    /* Of a writer: the subject that was described last, whose targets may go on, by what is committed; and by
     * what is being committed. */
    struct subject_row described, describing;
    struct chart_sums *sums; /* of a writer; NULL: to be made of what the journal holds */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Covers a block's place as well as its bytes. */
int64_t block_checksum(uint64_t first_seq, uint64_t count, const void *data, size_t n);

/* Up to which observation the charts are written, and when their newest bin begins; 0 if there are none,
 * or they cannot be read. */
enum err chart_done(struct journal *journal, uint64_t *seq, struct utc *newest, struct why *why);

/* A block as it is stored, checked and decoded. */
struct block {
    uint64_t first_seq, count;
    struct utc first_time, last_time;
    struct observation *observations;
    size_t capacity;
};
/* 1 got it, 0 it is damaged (*reason says how, a static string), -1 our failure. */
int block_load(struct journal *journal, uint64_t number, struct block *block, const char **reason,
               struct why *why);
void block_done(struct block *block);

#endif
