#include "app/identity.h"

#include "base/hash.h"
#include "source/paths.h"
#include "sys/input.h"

#include <inttypes.h>
#include <string.h>

static uint64_t hash_text(const char *text, uint64_t hash)
{
    return hash_bytes(text, strlen(text), hash);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Name, size, and what it begins with. */
static enum err add_file(const struct folder_entry *file, uint64_t *hash, struct why *why)
{
    struct input *input;
    uint8_t head[4096];
    size_t n = 0;
    enum err err = input_open_to_look(file->path, &input, why);
    if (err)
        return err;
    /* A file that is damaged so early still has its name and size; replay tells the damage. */
    if (input_read(input, head, sizeof head, &n, NULL))
        n = 0;
    input_close(input);
    *hash = hash_text(base_name(file->path), *hash);
    *hash = hash_bytes(&file->size, sizeof file->size, *hash);
    *hash = hash_bytes(head, n, *hash);
    return ERR_OK;
}

/* What is watched decides which observations an archive of routes yields. */
static uint64_t hash_subjects(const struct subject_spec *subjects, size_t count, uint64_t hash)
{
    for (size_t i = 0; i < count; i++) {
        hash = hash_text(subjects[i].name, hash);
        hash = hash_text(subjects[i].title ? subjects[i].title : "", hash);
        hash ^= hash_mix((uint64_t)subjects[i].utc_offset_s + 1);
        for (size_t j = 0; j < subjects[i].member_count; j++)
            hash = hash_text(subjects[i].members[j].text,
                             hash + (uint64_t)subjects[i].members[j].kind +
                                 (uint64_t)subjects[i].members[j].interval_ns);
    }
    return hash;
}

static uint64_t hash_holes(const struct replay_options *options, uint64_t hash)
{
    for (size_t i = 0; i < options->hole_count; i++)
        hash = hash_bytes(&options->holes[i].from.ns, sizeof options->holes[i].from.ns, hash);
    return hash;
}

static enum err add_files(const char *const *named, size_t count, uint64_t *hash, struct why *why)
{
    struct paths paths;
    enum err err = paths_gather(named, count, &paths, why);
    if (err)
        return err;
    for (size_t i = 0; i < paths.count && !err; i++)
        err = add_file(&paths.list[i], hash, why);
    paths_done(&paths);
    return err;
}

enum err identity_of_replay(const struct replay_options *options,
                            const struct subject_spec *subjects, size_t subject_count,
                            const struct table_config *table, struct buffer *out, struct why *why)
{
    uint64_t hash = hash_subjects(subjects, subject_count, 0);
    hash = hash_text(options->collector ? options->collector : "", hash);
    hash = hash_holes(options, hash);
    if (table->is_wanted)
        hash = hash_text("table", hash);
    for (size_t i = 0; i < options->path_count; i++)
        if (strcmp(options->paths[i], "-") == 0)
            return ERR_OK;
    enum err err = ERR_OK;
    if (table->country_count)
        err = add_files(table->countries, table->country_count, &hash, why);
    if (!err)
        err = add_files(options->paths, options->path_count, &hash, why);
    if (err)
        return err;
    const char *name = base_name(options->paths[0]);
    buffer_printf(out, "replay %.80s #%016" PRIx64, *name ? name : options->paths[0], hash);
    return ERR_OK;
}
