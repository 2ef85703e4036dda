/* The configuration file (YAML). Every error names file:line:column, what was found and what was
 * expected. */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/err.h"
#include "base/mem.h"
#include "model/subject.h"
#include "source/probe/prober.h"
#include "source/stream.h"

struct config {
    const char *path;
    const char *journal; /* path, relative to the configuration file's folder */
    const char *vantage; /* name; the host name if not given */
    const char *contact; /* put into the User-Agent */
    struct probe_plan *plan; /* everything that is probed, controls first */
    size_t plan_count;
    struct subject_spec *subjects;
    size_t subject_count;
    struct watch watch; /* of all subjects */
    const char **archives; /* MRT files or folders that `run` and `replay` read in */
    size_t archive_count;
    const char *collector;
    struct arena arena;
};

enum err config_load(const char *path, struct config *out, struct why *why);
void config_done(struct config *config);

#endif
