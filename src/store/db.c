#include "store/db.h"

#include <errno.h>
#include <string.h>

static bool is_out_of_space(const struct db *db, int rc)
{
    int error = db->handle ? sqlite3_system_errno(db->handle) : 0;
    return (rc & 0xff) == SQLITE_FULL ||
           ((rc & 0xff) == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT));
}

static enum err fail_io(const struct db *db, int rc, const char *doing, struct why *why)
{
    int error = db->handle ? sqlite3_system_errno(db->handle) : 0;
    return why_set(why, ERR_IO,
                   "%s: the disk failed while %s (%s; %s): look at the system's log for the disk; "
                   "what was committed before stays",
                   db->path, doing, sqlite3_errstr(rc),
                   error ? strerror(error) : "no reason given");
}

enum err db_fail(const struct db *db, int rc, const char *doing, struct why *why)
{
    if (is_out_of_space(db, rc))
        return why_set(why, ERR_FULL,
                       "%s: no space left on its disk while %s: free some; nothing that was "
                       "committed is lost, and the next commit tries again",
                       db->path, doing);
    switch (rc & 0xff) {
    case SQLITE_READONLY:
        return why_set(why, ERR_READONLY,
                       "%s is read-only (failed while %s): allow this user to write it and its "
                       "folder, or give another path",
                       db->path, doing);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return why_set(why, ERR_DENIED, "%s may not be opened by this user: change its permissions",
                       db->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return why_set(why, ERR_BUSY,
                       "%s is kept locked by another program (while %s): close what has it open "
                       "for writing, then try again",
                       db->path, doing);
    case SQLITE_CORRUPT:
        return why_set(why, ERR_CORRUPT,
                       "%s is damaged (found while %s: %s): `lastlight db check` tells where; put "
                       "back a copy, or replay the archives into a new journal",
                       db->path, doing, sqlite3_errmsg(db->handle));
    case SQLITE_NOTADB:
        return why_set(why, ERR_INPUT,
                       "%s is not a journal of lastlight: give the path of one, or of a file that "
                       "does not exist yet",
                       db->path);
    case SQLITE_ERROR:
        return why_set(
            why, ERR_VERSION,
            "%s is not laid out as this program does it (found while %s: %s): it was made "
            "by another version; export it with that one, or replay the archives into a "
            "new journal",
            db->path, doing, sqlite3_errmsg(db->handle));
    case SQLITE_CONSTRAINT:
        return why_set(why, ERR_INPUT,
                       "%s already has what was to be written while %s (%s): this is a bug of "
                       "lastlight",
                       db->path, doing, sqlite3_errmsg(db->handle));
    default:
        return fail_io(db, rc, doing, why);
    }
}

enum err db_run(const struct db *db, const char *sql, const char *doing, struct why *why)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : db_fail(db, sqlite3_extended_errcode(db->handle), doing, why);
}

enum err db_prepare(const struct db *db, const char *sql, sqlite3_stmt **out, struct why *why)
{
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, out, NULL);
    return rc == SQLITE_OK
               ? ERR_OK
               : db_fail(db, sqlite3_extended_errcode(db->handle), "preparing a question", why);
}

void db_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

int db_step(const struct db *db, sqlite3_stmt *statement, const char *doing, struct why *why)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    db_fail(db, sqlite3_extended_errcode(db->handle), doing, why);
    return -1;
}

enum err db_done(const struct db *db, sqlite3_stmt *statement, const char *doing, struct why *why)
{
    struct why mine = {0};
    int status = db_step(db, statement, doing, &mine);
    sqlite3_reset(statement);
    if (status >= 0)
        return ERR_OK;
    return why_set(why, mine.err, "%s", mine.text);
}

enum err db_number(const struct db *db, const char *sql, int64_t fallback, int64_t *out,
                   struct why *why)
{
    DB_STATEMENT statement = NULL;
    enum err err = db_prepare(db, sql, &statement, why);
    if (err)
        return err;
    struct why mine = {0};
    int status = db_step(db, statement, "reading", &mine);
    if (status < 0)
        return why_set(why, mine.err, "%s", mine.text);
    bool has_value = status == 1 && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *out = has_value ? sqlite3_column_int64(statement, 0) : fallback;
    return ERR_OK;
}
