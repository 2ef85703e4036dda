/* libcurl on the loop: its sockets are watched, its timer is kept, and what is over is told. What is
 * transferred, and how, is for those to say who set the options of the easy handles.
 *
 *     transfers = transfers_new(loop, on_over, context);
 *     easy = transfers_open(transfers);
 *     curl_easy_setopt(easy, CURLOPT_URL, url); ...
 *     transfers_begin(transfers, easy);
 *     ... on_over(context, easy, code), which ends it:
 *     transfers_end(transfers, easy);
 */
#ifndef SOURCE_TRANSFERS_H
#define SOURCE_TRANSFERS_H

#include "sys/loop.h"

#include <curl/curl.h>

struct transfers;

/* over() may end the transfer that it is told of, and begin others. */
struct transfers *transfers_new(struct loop *loop,
                                void (*over)(void *context, CURL *easy, CURLcode code),
                                void *context);
void transfers_free(struct transfers *transfers); /* all must have been ended */

/* A handle for one transfer over HTTP or HTTPS, without a proxy and without what another transfer left behind. It
 * trusts nobody: whose certificates are good is for CURLOPT_SSL_CTX_FUNCTION to say. */
CURL *transfers_open(struct transfers *transfers);
/* Nothing is told from within these. A handle may not be ended from within its own callbacks; after that it is
 * not to be used. */
void transfers_begin(struct transfers *transfers, CURL *easy);
void transfers_end(struct transfers *transfers, CURL *easy);

#endif
