/* Whether a parent has proven that a zone below it is not signed: by NSEC (RFC 4035, section 5.2) or NSEC3 (RFC
 * 5155, section 8.9). A delegation without DS records and without such a proof is bogus: else anyone on the
 * way could make a signed zone an unsigned one by leaving them out. */
#ifndef SOURCE_DNS_DNSSEC_DENIAL_H
#define SOURCE_DNS_DNSSEC_DENIAL_H

#include "source/dns/dnssec.h"

/* `section` is what stands beside the delegation `name`, of `zone`, whose keys are `keys`. VALID: it is proven
 * that there is no DS record. UNSUPPORTED: by NSEC3 of an unknown kind, or one that would cost too much (RFC
 * 9276, section 3.2), which is as if unsigned. Else as dnssec_check(); BOGUS if there is no proof. */
enum dnssec dnssec_check_unsigned(struct dnssec_time *time, const ldns_rr_list *section,
                                  const ldns_rdf *name, const ldns_rdf *zone,
                                  const ldns_rr_list *keys);

#endif
