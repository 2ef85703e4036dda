#include "store/journal.h"

#include "base/hash.h"
#include "base/mem.h"
#include "store/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How the file is used:
 *
 * - WAL, so that readers and the one writer never wait for one another.
 * - synchronous=FULL: every commit is on the disk before it counts. NORMAL would lose the last
 * commits when the power fails (SIGKILL loses nothing either way), and conclusions that alerts have
 * already told people about must not vanish. It costs one fsync a commit, of which there are a few
 * a second at most.
 * - The WAL and its index stay when the writer closes (SQLITE_FCNTL_PERSIST_WAL): a reader that may
 * not write the folder, such as the web server, could not make them and so not open the journal.
 * - A reader keeps one snapshot, so that the answers of one run fit together and never name what
 * its registry does not hold yet. */
enum { WRITER_PATIENCE_MS = 5000, READER_PATIENCE_MS = 2000 };

static const char writer_settings[] = "PRAGMA synchronous = FULL;"
                                      "PRAGMA wal_autocheckpoint = 1000;"
                                      "PRAGMA journal_size_limit = 67108864;";
static const char common_settings[] = "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;";

int64_t block_checksum(uint64_t first_seq, uint64_t count, const void *data, size_t n)
{
    return (int64_t)hash_bytes(data, n, hash_mix(first_seq) ^ count);
}

const char *journal_path(const struct journal *journal)
{
    return journal->path;
}

uint64_t journal_last_seq(const struct journal *journal)
{
    return journal->last_seq;
}

uint16_t journal_rules(const struct journal *journal)
{
    return journal->rules;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->db.handle);
    lockfile_release(journal->lock);
    chart_sums_free(journal->sums);
    free(journal->path);
    free(journal);
}

static bool exists(const char *path)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    int is_there = 0;
    return vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &is_there) == SQLITE_OK && is_there;
}

static bool is_folder(const char *path)
{
    struct buffer inside = {0};
    buffer_printf(&inside, "%s/.", path);
    bool is_it = exists(inside.bytes);
    buffer_done(&inside);
    return is_it;
}

/* The folder of a path, as text for people. */
static void folder_of(const char *path, struct buffer *out)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        buffer_puts(out, ".");
    else
        buffer_add(out, path, slash == path ? 1 : (size_t)(slash - path));
}

static bool is_folder_there(const char *path)
{
    struct buffer folder = {0};
    folder_of(path, &folder);
    bool is_it = exists(folder.bytes);
    buffer_done(&folder);
    return is_it;
}

static enum err fail_missing(const struct journal *journal, struct why *why)
{
    struct buffer folder = {0};
    folder_of(journal->path, &folder);
    enum err err =
        !is_folder_there(journal->path)
            ? why_set(why, ERR_NOT_FOUND,
                      "%s: the folder %s does not exist: make it (mkdir -p), or give another path",
                      journal->path, folder.bytes)
            : why_set(
                  why, ERR_NOT_FOUND,
                  "%s does not exist: `lastlight run` or `lastlight replay` makes a journal, or "
                  "give the path of another one",
                  journal->path);
    buffer_done(&folder);
    return err;
}

/* Why a file could not be opened at all. */
static enum err fail_open(const struct journal *journal, int rc, struct why *why)
{
    int error = journal->db.handle ? sqlite3_system_errno(journal->db.handle) : 0;
    const char *path = journal->path;
    if (is_folder(path))
        return why_set(why, ERR_INPUT, "%s is a folder: give the path of a file", path);
    if ((rc & 0xff) != SQLITE_CANTOPEN)
        return db_fail(&journal->db, rc, "opening it", why);
    if (error == ENOENT && (journal->mode == JOURNAL_READ || !is_folder_there(path)))
        return fail_missing(journal, why);
    if (error == EACCES || error == EPERM)
        return why_set(why, ERR_DENIED,
                       "%s may not be opened by this user: change the permissions of the file and "
                       "its folder, or give another path",
                       path);
    if (error == EROFS)
        return why_set(why, ERR_READONLY,
                       "%s is on a read-only disk: give a path on another, or copy it together "
                       "with its -wal file",
                       path);
    return why_set(why, ERR_IO, "%s cannot be opened: %s: look at the file and its folder", path,
                   error ? strerror(error) : sqlite3_errstr(rc));
}

/* A file in a folder that we may not write, and without a WAL (a copy, a CD): no writer of ours
 * uses it, since writers leave their WAL in place. Only then may SQLite be told that it never
 * changes. */
static void immutable_uri(const char *path, struct buffer *out)
{
    buffer_puts(out, "file:");
    for (; *path; path++) {
        if (strchr("?#%", *path))
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*path);
        else
            buffer_add(out, path, 1);
    }
    buffer_puts(out, "?immutable=1");
}

static int open_handle(struct journal *journal, const char *name, int flags)
{
    sqlite3_close(journal->db.handle);
    journal->db.handle = NULL;
    int rc = sqlite3_open_v2(name, &journal->db.handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return journal->db.handle ? sqlite3_extended_errcode(journal->db.handle) : rc;
    sqlite3_extended_result_codes(journal->db.handle, 1);
    sqlite3_db_config(journal->db.handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_busy_timeout(journal->db.handle,
                         journal->mode == JOURNAL_WRITE ? WRITER_PATIENCE_MS : READER_PATIENCE_MS);
    return sqlite3_exec(journal->db.handle, common_settings, NULL, NULL, NULL);
}

/* The first read is where SQLite looks at the file. */
static int open_for_reading(struct journal *journal)
{
    static const char touch[] = "SELECT count(*) FROM sqlite_schema";
    int rc = open_handle(journal, journal->path, SQLITE_OPEN_READONLY);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(journal->db.handle, touch, NULL, NULL, NULL);
    bool may_be_locked = (rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY;
    if (!may_be_locked || !exists(journal->path))
        return rc;
    struct buffer name = {0};
    buffer_printf(&name, "%s-wal", journal->path);
    if (!exists(name.bytes)) {
        buffer_clear(&name);
        immutable_uri(journal->path, &name);
        rc = open_handle(journal, name.bytes, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(journal->db.handle, touch, NULL, NULL, NULL);
    }
    buffer_done(&name);
    return rc;
}

static enum err take_lock(struct journal *journal, struct why *why)
{
    struct buffer path = {0};
    /* SQLite's name of the file: absolute, links followed, so that no second name gets round it. */
    buffer_printf(&path, "%s.lock", sqlite3_db_filename(journal->db.handle, "main"));
    long holder = 0;
    enum err err = lockfile_take(path.bytes, &journal->lock, &holder, why);
    if (err == ERR_BUSY && holder > 0)
        why_set(why, err,
                "%s is being written by process %ld: stop that one first, or give another path",
                journal->path, holder);
    else if (err == ERR_BUSY)
        why_set(why, err,
                "%s is being written by another process (it holds %s): stop that one first, or "
                "give another path",
                journal->path, path.bytes);
    else if (err == ERR_DENIED || err == ERR_READONLY)
        why_set(why, err,
                "%s: its folder may not be written by this user: change its permissions, or give "
                "another path",
                journal->path);
    buffer_done(&path);
    return err;
}

static enum err use_wal(struct journal *journal, struct why *why)
{
    DB_STATEMENT statement = NULL;
    enum err err = db_prepare(&journal->db, "PRAGMA journal_mode = WAL", &statement, why);
    if (err)
        return err;
    struct why mine = {0};
    if (db_step(&journal->db, statement, "setting it up", &mine) < 0)
        return why_set(why, mine.err, "%s", mine.text);
    const char *mode = (const char *)sqlite3_column_text(statement, 0);
    if (!mode || strcmp(mode, "wal") != 0)
        return why_set(why, ERR_UNSUPPORTED,
                       "%s is on a disk where SQLite's write-ahead log does not work (a network "
                       "drive?): give a path on a local one",
                       journal->path);
    int keep = 1;
    sqlite3_file_control(journal->db.handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return db_run(&journal->db, writer_settings, "setting it up", why);
}

static enum err open_writer(struct journal *journal, struct why *why)
{
    int rc = open_handle(journal, journal->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (rc != SQLITE_OK)
        return fail_open(journal, rc, why);
    if (sqlite3_db_readonly(journal->db.handle, "main") == 1)
        return db_fail(&journal->db, SQLITE_READONLY, "opening it to write", why);
    bool is_empty;
    enum err err = take_lock(journal, why);
    if (!err)
        err = schema_recognise(&journal->db, &is_empty, why);
    if (!err)
        err = use_wal(journal, why);
    if (!err)
        err = is_empty ? schema_create(&journal->db, why) : schema_complete(&journal->db, why);
    return err;
}

static enum err open_reader(struct journal *journal, struct why *why)
{
    int rc = open_for_reading(journal);
    if ((rc & 0xff) == SQLITE_READONLY)
        return why_set(why, ERR_READONLY,
                       "%s has a write-ahead log (-wal) that cannot be read without writing beside "
                       "it: copy both files into a folder of your own, or open it once for writing",
                       journal->path);
    if (rc != SQLITE_OK)
        return fail_open(journal, sqlite3_extended_errcode(journal->db.handle), why);
    bool is_empty;
    enum err err = schema_recognise(&journal->db, &is_empty, why);
    if (!err && is_empty)
        err = why_set(why, ERR_NOT_FOUND,
                      "%s is still empty: `lastlight run` or `lastlight replay` fills it",
                      journal->path);
    return err ? err : db_run(&journal->db, "BEGIN", "taking a snapshot", why);
}

static enum err load_last_block(struct journal *journal, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&journal->db,
                              "SELECT number, first_seq + count - 1 FROM block "
                              "ORDER BY number DESC LIMIT 1",
                              &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status = db_step(&journal->db, select, "looking for its end", &mine);
    if (status < 0)
        return why_set(why, mine.err, "%s", mine.text);
    journal->last_block = status ? (uint64_t)sqlite3_column_int64(select, 0) : 0;
    journal->last_seq = status ? (uint64_t)sqlite3_column_int64(select, 1) : 0;
    return ERR_OK;
}

/* The end as the indexes know it, when the table's last page cannot be read. */
static enum err guess_last_block(struct journal *journal, struct why *why)
{
    int64_t block, seq;
    enum err err = db_number(&journal->db,
                             "SELECT max(number) FROM block INDEXED BY block_last_time "
                             "WHERE last_time IS NOT NULL",
                             0, &block, why);
    if (!err)
        err = db_number(&journal->db, "SELECT max(first_seq) FROM block", 0, &seq, why);
    if (err)
        return err;
    journal->last_block = (uint64_t)block;
    journal->last_seq = (uint64_t)seq;
    return ERR_OK;
}

/* A damaged end stops a writer, which would not know where to go on, but no reader. */
static enum err load_state(struct journal *journal, struct why *why)
{
    int64_t names, rules;
    enum err err = load_last_block(journal, why);
    if (err == ERR_CORRUPT && journal->mode == JOURNAL_READ)
        err = guess_last_block(journal, why);
    if (!err)
        err = db_number(&journal->db, "SELECT max(id) FROM name", 0, &names, why);
    if (!err)
        err = db_number(&journal->db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'rules'",
                        0, &rules, why);
    if (err)
        return err;
    journal->names = (uint32_t)names;
    journal->rules = (uint16_t)rules;
    return ERR_OK;
}

enum err journal_open(const char *path, enum journal_mode mode, struct journal **out,
                      struct why *why)
{
    struct journal *journal = mem_new(1, sizeof *journal);
    journal->path = mem_new(strlen(path) + 1, 1);
    memcpy(journal->path, path, strlen(path) + 1);
    journal->db.path = journal->path;
    journal->mode = mode;
    enum err err = mode == JOURNAL_WRITE ? open_writer(journal, why) : open_reader(journal, why);
    if (!err)
        err = load_state(journal, why);
    if (err) {
        journal_close(journal);
        return err;
    }
    *out = journal;
    return ERR_OK;
}

/* Names beyond those that the registry has. */
static enum err load_names(struct journal *journal, struct registry *registry, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(
        &journal->db, "SELECT id, kind, text FROM name WHERE id > ? AND id <= ? ORDER BY id",
        &select, why);
    if (err)
        return err;
    sqlite3_bind_int64(select, 1, registry_count(registry));
    sqlite3_bind_int64(select, 2, journal->names);
    struct why mine = {0};
    int status;
    while ((status = db_step(&journal->db, select, "reading names", &mine)) == 1) {
        int64_t id = sqlite3_column_int64(select, 0);
        enum name_kind kind = schema_name_kind_of((const char *)sqlite3_column_text(select, 1));
        const char *text = (const char *)sqlite3_column_text(select, 2);
        size_t n = (size_t)sqlite3_column_bytes(select, 2);
        if (!kind || !text || registry_intern(registry, kind, text, n) != id)
            return why_set(why, ERR_CORRUPT,
                           "%s is damaged: name %lld ('%.80s') cannot be what it says: put back a "
                           "copy, or replay the archives into a new journal",
                           journal->path, (long long)id, text ? text : "");
    }
    return status < 0 ? why_set(why, mine.err, "%s", mine.text) : ERR_OK;
}

enum err journal_load_registry(struct journal *journal, struct registry *registry, struct why *why)
{
    return load_names(journal, registry, why);
}

enum err journal_refresh_registry(struct journal *journal, struct registry *registry,
                                  struct why *why)
{
    if (journal->mode == JOURNAL_READ) {
        enum err err = sqlite3_get_autocommit(journal->db.handle)
                           ? ERR_OK
                           : db_run(&journal->db, "COMMIT", "leaving a snapshot", why);
        if (!err)
            err = db_run(&journal->db, "BEGIN", "taking a snapshot", why);
        if (!err)
            err = load_state(journal, why);
        if (err)
            return err;
    }
    return load_names(journal, registry, why);
}

enum err journal_load_checkpoint(struct journal *journal, struct buffer *bytes, uint64_t *seq,
                                 struct why *why)
{
    *seq = 0;
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(
        &journal->db, "SELECT seq, checksum, data FROM checkpoint ORDER BY seq DESC LIMIT 1",
        &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status = db_step(&journal->db, select, "reading a checkpoint", &mine);
    if (status < 0 && mine.err != ERR_CORRUPT)
        return why_set(why, mine.err, "%s", mine.text);
    if (status != 1) /* a checkpoint is a cache: without it all is judged again */
        return ERR_OK;
    uint64_t at = (uint64_t)sqlite3_column_int64(select, 0);
    const void *data = sqlite3_column_blob(select, 2);
    size_t n = (size_t)sqlite3_column_bytes(select, 2);
    if (!data || at > journal->last_seq ||
        sqlite3_column_int64(select, 1) != block_checksum(at, n, data, n))
        return ERR_OK;
    buffer_add(bytes, data, n);
    *seq = at;
    return ERR_OK;
}

enum err journal_progress(struct journal *journal, const char *source, uint64_t *done,
                          bool *is_complete, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&journal->db, "SELECT done, is_complete FROM source WHERE key = ?",
                              &select, why);
    if (err)
        return err;
    sqlite3_bind_text(select, 1, source, -1, SQLITE_STATIC);
    struct why mine = {0};
    int status = db_step(&journal->db, select, "reading how far a source is", &mine);
    if (status < 0)
        return why_set(why, mine.err, "%s", mine.text);
    *done = status ? (uint64_t)sqlite3_column_int64(select, 0) : 0;
    *is_complete = status && sqlite3_column_int64(select, 1);
    return ERR_OK;
}
