/* Files of routes (route_reader.h), one or a thousand, as one row of elements in order of time: what `bgp`
 * prints and `scan` feeds to the whole table.
 *
 *     struct route_files_options options = {.paths = paths, .path_count = count,
 *                                           .filter = &filter, .take = take, .context = context};
 *     if (route_files_open(&options, &faults, &files, &why)) ...
 *     err = route_files_run(files, &why);
 *     route_files_free(files);
 *
 * Records are merged by their time, ties by the order of the paths; within a file they stay as they
 * are. When a file begins its name tells (archive_names.h), or else it is looked into; it is opened when the
 * merge is about to get there, so that its decompression runs beside the file in hand and a year of archives needs no more
 * open files than a day. A path that is a URL is fetched while those before it are read; its name
 * tells when it begins; one that cannot be had is told, and missing in `faults`. Each has its own
 * reader and its own PEER_INDEX_TABLE. Damage is told through `faults` with its place, and the rest
 * is used. */
#ifndef SOURCE_MRT_ROUTE_FILES_H
#define SOURCE_MRT_ROUTE_FILES_H

#include "source/mrt/element.h"
#include "source/stream.h"
#include "source/web/url_files.h"

/* So many archives may lie across each other in time; more is ERR_LIMIT. */
enum { ROUTE_FILES_OPEN_MAX = 256 };
/* So many collectors are told apart; further ones count as the last of them. */
enum { ROUTE_COLLECTORS_MAX = 256 };

struct route_files;

/* Where an element comes from. */
struct route_file {
    const char *path;
    /* The one of the options, else as the record says, else from the path, else NULL: not known. Of
     * RIS Live it may change with each record: then the text does, too. */
    const char *collector;
    uint16_t collector_number; /* the same for the same name */
    size_t index;              /* in the order of the paths, folders and patterns taken apart */
    uint64_t record; /* of it, from 1; the elements of one record come one after the other */
};

struct route_files_options {
    const char *const *paths; /* as in paths.h */
    size_t path_count;
    const char *collector;               /* NULL: from each record or path */
    bool has_archives_only;              /* BMP and RIS Live are refused */
    const struct element_filter *filter; /* NULL: everything passes; must outlive the run */
    /* May be NULL. Whoever sets it means to follow what comes in by a pipe (input_on_wait()): it is called
     * whenever there is nothing just now, and SIGINT and SIGTERM then end the run where it is. False: so
     * does it. */
    bool (*wait)(void *context);
    /* NULL: elements are counted, and nothing else. */
    void (*take)(void *context, const struct element *element);
    /* About ten times a second: bytes of all files done and in all (0: not known), and elements that
     * passed the filter. May be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total, uint64_t elements);
    struct url_files_options web; /* how URLs among the paths are fetched */
    void *context;
};

/* ERR_USAGE if a file is named twice; ERR_UNSUPPORTED if one is of a form that is not read here; others if one
 * is not there or cannot be opened. Never ERR_INPUT. */
enum err route_files_open(const struct route_files_options *options, struct stream_faults *faults,
                          struct route_files **out, struct why *why);
/* Takes them all, or as many as there are until route_files_stop(). ERR_INPUT if files were damaged
 * or missing (all that was readable was used; faults tells); ERR_LIMIT as above. */
enum err route_files_run(struct route_files *files, struct why *why);
/* For `take`: no further record is read. Elements of the one in hand may still come. Another
 * route_files_run() goes on where this one stopped. */
void route_files_stop(struct route_files *files);
bool route_files_is_stopped(const struct route_files *files);
/* For `take`: the file that the element is from. */
const struct route_file *route_files_current(const struct route_files *files);
/* By their numbers, those of which there was a record so far; "" where it is not known. */
const char *const *route_files_collectors(const struct route_files *files, size_t *count);
/* Of all files so far. */
struct element_counts route_files_counts(const struct route_files *files);
void route_files_free(struct route_files *files);

#endif
