/* Of which AS an address is, by a database in MaxMind's format: GeoLite2-ASN, DB-IP's and their like, which say
 * {"autonomous_system_number": 64500}. That is the AS that announced it when the database was made, not
 * whose router it is: a link between two networks is numbered by one of them. */
#ifndef SOURCE_ORIGINS_ASN_DB_H
#define SOURCE_ORIGINS_ASN_DB_H

#include "base/addr.h"
#include "base/err.h"

struct asn_db;

/* A file that is no such database, or one without AS numbers, is refused. */
enum err asn_db_open(const char *path, struct asn_db **out, struct why *why);
void asn_db_free(struct asn_db *db);                                    /* NULL is fine */
uint32_t asn_db_find(const struct asn_db *db, const struct addr *addr); /* 0: not known */

#endif
