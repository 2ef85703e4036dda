/* What `code` and `value` of a PROBE say: it depends on the kind of its target and on its outcome. One
 * place for the log's reader and writer and for everybody who prints them. */
#ifndef MODEL_DETAIL_H
#define MODEL_DETAIL_H

#include "model/model.h"
#include "model/target.h"

#include <stdbool.h>
#include <stddef.h>

enum code_meaning {
    CODE_ICMP,   /* type << 8 | code of an ICMP message; 0 for none */
    CODE_RCODE,  /* of a DNS reply; 0 is NOERROR or none: see code_is_known() */
    CODE_STATUS, /* of an HTTP or SMTP reply; 0 for none */
    CODE_PROBES, /* block: how many addresses were asked in the round; 0: not known */
};

/* An outcome that a router or host reported by ICMP has an ICMP code, whatever was asked. */
enum code_meaning code_meaning(enum target_kind kind, enum outcome outcome);

/* False if a code of 0 means that there was none. */
bool code_is_known(enum code_meaning meaning, enum outcome outcome, unsigned code);

enum value_meaning {
    VALUE_NUMBER,    /* nothing that is defined */
    VALUE_SERIAL,    /* dns: of the SOA; zone: the newest */
    VALUE_NOT_AFTER, /* tls, https, smtp: end of the certificate, seconds since 1970 */
    VALUE_TTL,       /* icmp: of the reply */
    VALUE_HOPS,      /* trace: how far away who answered last is */
    VALUE_BELIEF,    /* block: that it is up, after the round, in percent; 0: not known */
};
enum value_meaning value_meaning(enum target_kind kind);

/* NULL if the response code has no name; -1 if no response code has the name. */
const char *rcode_name(unsigned rcode);
int rcode_from_name(const char *name, size_t n);

#endif
