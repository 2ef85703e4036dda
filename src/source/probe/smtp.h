/* Mail servers: RFC 5321. The banner is awaited, EHLO said, TLS begun where the server offers it (STARTTLS,
 * RFC 3207; at port 465 before all, RFC 8314), EHLO said again, and QUIT. No mail is begun. That a certificate is
 * wrong is told and no failure, since mail servers among themselves do not look at it; a handshake that
 * fails is one. */
#ifndef SOURCE_PROBE_SMTP_H
#define SOURCE_PROBE_SMTP_H

#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "source/probe/reset_watch.h"
#include "source/probe/tls_watch.h"
#include "sys/resolver.h"

/* What all of a server's talk may come to before it is cut off. */
enum { SMTP_BYTES_MAX = 64 * 1024 };

struct smtp_engine;

/* The store is not owned. */
struct smtp_engine *smtp_new(struct agenda *agenda, struct resolver *resolver,
                             const struct tls_store *store, struct reset_watch *resets);
void smtp_free(struct smtp_engine *engine);
void smtp_ask(struct smtp_engine *engine, const struct question *question);

#endif
