/* The model as JSON objects with stable members: names instead of numbers, times RFC 3339 UTC, null
 * for what is not known. */
#ifndef OUT_JSON_H
#define OUT_JSON_H

#include "base/buffer.h"
#include "out/dossier.h"

#include <jansson.h>

/* null for NULL; bytes that are not UTF-8 become U+FFFD. */
json_t *json_text(const char *text);
/* null for a number that is not finite. */
json_t *json_number(double value);
json_t *json_time(struct utc t);
/* {"not_before": ..., "not_after": ...} or null. */
json_t *json_interval(const struct interval *at);
/* The name of a number of the registry; null for 0. */
json_t *json_name(const struct registry *registry, uint32_t id);

json_t *json_incident(const struct registry *registry, const struct incident *incident);
json_t *json_episode(const struct episode *episode);
json_t *json_event(const struct registry *registry, const struct event *event);
json_t *json_notice(const struct registry *registry, const struct notice *notice);
json_t *json_series(const struct registry *registry, const struct series_state *series);
/* The standing verdict with all its evidence. */
json_t *json_verdict(const struct dossier *dossier);

/* Writes the object as one line and frees it. */
void json_line(struct buffer *out, json_t *object);

#endif
