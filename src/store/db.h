/* A thin layer over SQLite for this room: statements that finalise themselves, and SQLite's
 * failures as sentences that name the file and the cure. Nothing outside store/ includes it. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct db {
    sqlite3 *handle;
    const char *path; /* owned by the journal */
};

/* Ends a function after a failed call: turns what SQLite says (result code `rc`, and the handle's
 * errno) into an error with file and cure. `doing` completes "while ...". */
enum err db_fail(const struct db *db, int rc, const char *doing, struct why *why);

/* Runs statements that give no rows. */
enum err db_run(const struct db *db, const char *sql, const char *doing, struct why *why);

enum err db_prepare(const struct db *db, const char *sql, sqlite3_stmt **out, struct why *why);
void db_finalize(sqlite3_stmt **statement);
#define DB_STATEMENT __attribute__((cleanup(db_finalize))) sqlite3_stmt *

/* 1 got a row, 0 no more, -1 failed (why says how). */
int db_step(const struct db *db, sqlite3_stmt *statement, const char *doing, struct why *why);
/* Steps a statement that gives no rows, and makes it ready for the next time. */
enum err db_done(const struct db *db, sqlite3_stmt *statement, const char *doing, struct why *why);

/* One number; `fallback` if there is no row or it is NULL. */
enum err db_number(const struct db *db, const char *sql, int64_t fallback, int64_t *out,
                   struct why *why);

#endif
