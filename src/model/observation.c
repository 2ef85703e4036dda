#include "model/observation.h"

const char *observation_kind_name(enum observation_kind kind)
{
    static const char *const names[OBSERVATION_KIND_COUNT] = {
        [OBSERVATION_PROBE] = "probe",     [OBSERVATION_ROUTE] = "route",
        [OBSERVATION_PEER] = "peer",       [OBSERVATION_VISIBILITY] = "visibility",
        [OBSERVATION_TICK] = "tick",       [OBSERVATION_GAP] = "gap",
        [OBSERVATION_START] = "start",     [OBSERVATION_STOP] = "stop",
        [OBSERVATION_SUBJECT] = "subject", [OBSERVATION_MEMBER] = "member",
        [OBSERVATION_BIN] = "bin"};
    return names[kind];
}
