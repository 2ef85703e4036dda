/* libcurl on the loop: its sockets are watched, its timer is kept, and what is over is told. What is
 * transferred, and how, is for those to say who make the easy handles.
 *
 *     transfers = transfers_new(loop, on_over, context);
 *     transfers_begin(transfers, easy);
 *     ... on_over(context, easy, code), which ends it:
 *     transfers_end(transfers, easy);
 *     curl_easy_cleanup(easy);
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

/* Nothing is told from within these. A handle may not be ended from within its own callbacks. */
void transfers_begin(struct transfers *transfers, CURL *easy);
void transfers_end(struct transfers *transfers, CURL *easy);

#endif
