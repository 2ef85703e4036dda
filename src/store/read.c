#include "base/mem.h"
#include "store/inside.h"

#include <stdlib.h>

void block_done(struct block *block)
{
    free(block->observations);
    *block = (struct block){0};
}

static bool is_name(const struct journal *journal, const struct observation *o)
{
    uint32_t most = journal->names;
    return o->source <= most && o->target <= most && o->peer <= most && o->path <= most &&
           o->extra <= most;
}

/* NULL, or what is wrong with the bytes. */
static const char *decode(const struct journal *journal, const void *data, size_t n,
                          struct block *block)
{
    if (block->count > BLOCK_MAX)
        return "says that it holds more observations than a block can";
    block->observations = mem_grow(block->observations, &block->capacity, (size_t)block->count + 1,
                                   sizeof *block->observations);
    struct block_cursor *cursor = mem_new(1, sizeof *cursor);
    cursor->reader = reader_of(data, n);
    cursor->next_seq = block->first_seq;
    const char *bad = NULL;
    uint64_t got = 0;
    int status;
    while (!bad && (status = block_next(cursor, &block->observations[got])) != 0) {
        if (status < 0)
            bad = cursor->reader.bad;
        else if (!is_name(journal, &block->observations[got]))
            bad = "refers to a name that the journal does not have";
        else if (++got > block->count)
            bad = "holds more observations than it says";
    }
    if (!bad && got < block->count)
        bad = "holds fewer observations than it says";
    free(cursor);
    return bad;
}

static enum err ask_for_block(struct journal *journal, uint64_t number, sqlite3_stmt **out,
                              struct why *why)
{
    enum err err = db_prepare(&journal->db,
                              "SELECT first_seq, count, first_time, last_time, checksum, data "
                              "FROM block WHERE number = ?",
                              out, why);
    if (!err)
        sqlite3_bind_int64(*out, 1, (int64_t)number);
    return err;
}

int block_load(struct journal *journal, uint64_t number, struct block *block, const char **reason,
               struct why *why)
{
    DB_STATEMENT select = NULL;
    if (ask_for_block(journal, number, &select, why))
        return -1;
    struct why mine = {0};
    int status = db_step(&journal->db, select, "reading observations", &mine);
    if (status < 0 && mine.err != ERR_CORRUPT) {
        why_set(why, mine.err, "%s", mine.text);
        return -1;
    }
    *reason = status < 0 ? "lies on a damaged page" : status == 0 ? "is missing" : NULL;
    if (*reason)
        return 0;
    block->first_seq = (uint64_t)sqlite3_column_int64(select, 0);
    block->count = (uint64_t)sqlite3_column_int64(select, 1);
    block->first_time.ns = sqlite3_column_int64(select, 2);
    block->last_time.ns = sqlite3_column_int64(select, 3);
    const void *data = sqlite3_column_blob(select, 5);
    size_t n = (size_t)sqlite3_column_bytes(select, 5);
    if (sqlite3_column_int64(select, 4) != block_checksum(block->first_seq, block->count, data, n))
        *reason = "does not match its checksum";
    else
        *reason = decode(journal, data, n, block);
    return *reason ? 0 : 1;
}

/* A walk over blocks in journal order. What lies between two good blocks and could not be read is
 * told when the second is found, since only that says how many observations are missing. */
struct walk {
    struct journal *journal;
    const struct journal_visitor *visitor;
    struct block block;
    uint64_t next_seq;  /* the next one to visit */
    const char *reason; /* why those before the next good block are missing */
};

static void tell_gap(struct walk *walk, uint64_t end_seq)
{
    if (walk->visitor->visit_damaged && (walk->reason || end_seq > walk->next_seq))
        walk->visitor->visit_damaged(walk->visitor->context, walk->next_seq,
                                     end_seq - walk->next_seq,
                                     walk->reason ? walk->reason : "is missing");
    walk->reason = NULL;
}

/* False when the visitor wants no more. */
static bool visit_block(struct walk *walk)
{
    const struct block *block = &walk->block;
    for (uint64_t i = 0; i < block->count; i++) {
        const struct observation *o = &block->observations[i];
        if (o->seq < walk->next_seq)
            continue;
        if (!walk->visitor->visit(walk->visitor->context, o))
            return false;
    }
    walk->next_seq = block->first_seq + block->count;
    return true;
}

/* 1 go on, 0 stop, -1 failed. */
static int walk_block(struct walk *walk, uint64_t number, struct why *why)
{
    const char *reason;
    int status = block_load(walk->journal, number, &walk->block, &reason, why);
    if (status < 0)
        return -1;
    if (status == 0) {
        walk->reason = walk->reason ? walk->reason : reason;
        return 1;
    }
    if (walk->reason || walk->block.first_seq > walk->next_seq)
        tell_gap(walk, walk->block.first_seq);
    return visit_block(walk);
}

static enum err first_block(struct journal *journal, uint64_t seq, uint64_t *number,
                            struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&journal->db,
                              "SELECT number FROM block WHERE first_seq <= ? "
                              "ORDER BY first_seq DESC LIMIT 1",
                              &select, why);
    if (err)
        return err;
    sqlite3_bind_int64(select, 1, (int64_t)seq);
    struct why mine = {0};
    int status = db_step(&journal->db, select, "looking for observations", &mine);
    if (status < 0 && mine.err != ERR_CORRUPT)
        return why_set(why, mine.err, "%s", mine.text);
    *number = status == 1 ? (uint64_t)sqlite3_column_int64(select, 0) : 1;
    return ERR_OK;
}

enum err journal_read(struct journal *journal, uint64_t first_seq,
                      const struct journal_visitor *visitor, struct why *why)
{
    uint64_t number;
    enum err err = first_block(journal, first_seq, &number, why);
    if (err)
        return err;
    struct walk walk = {
        .journal = journal, .visitor = visitor, .next_seq = first_seq ? first_seq : 1};
    struct why mine = {0};
    int status = 1;
    for (; status == 1 && number <= journal->last_block; number++)
        status = walk_block(&walk, number, &mine);
    if (status == 1 && walk.reason)
        tell_gap(&walk, journal->last_seq >= walk.next_seq ? journal->last_seq + 1 : walk.next_seq);
    block_done(&walk.block);
    return status < 0 ? why_set(why, mine.err, "%s", mine.text) : ERR_OK;
}

/* Answered from one index alone, from its end, where most spans lie; a damaged block is then met one by one. Left
 * to itself SQLite would read the whole table in order of number. */
static const char span_sql[] = "SELECT number FROM block INDEXED BY block_last_time "
                               "WHERE last_time >= ? AND first_time <= ? ORDER BY number";

/* As walk_block(), for blocks that need not follow one another. */
static int walk_span(struct walk *walk, uint64_t number, struct why *why)
{
    const char *reason;
    int status = block_load(walk->journal, number, &walk->block, &reason, why);
    walk->next_seq = walk->block.first_seq;
    if (status == 1)
        return visit_block(walk);
    if (status == 0 && walk->visitor->visit_damaged)
        walk->visitor->visit_damaged(walk->visitor->context, 0, 0, reason);
    return status == 0 ? 1 : -1;
}

enum err journal_read_span(struct journal *journal, struct utc from, struct utc until,
                           const struct journal_visitor *visitor, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&journal->db, span_sql, &select, why);
    if (err)
        return err;
    sqlite3_bind_int64(select, 1, from.ns);
    sqlite3_bind_int64(select, 2, until.ns);
    struct walk walk = {.journal = journal, .visitor = visitor};
    struct why mine = {0};
    int status;
    while ((status = db_step(&journal->db, select, "looking for a time", &mine)) == 1) {
        status = walk_span(&walk, (uint64_t)sqlite3_column_int64(select, 0), &mine);
        if (status != 1)
            break;
    }
    block_done(&walk.block);
    return status < 0 ? why_set(why, mine.err, "%s", mine.text) : ERR_OK;
}
