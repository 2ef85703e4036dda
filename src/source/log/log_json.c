#include "source/log/log_json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As few digits as give the same number back; with a point or exponent, so that it stays a real. */
static void write_real(double value, struct buffer *out)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_puts(out, text);
    if (!strpbrk(text, ".e"))
        buffer_puts(out, ".0");
}

static void write_object(const json_t *object, struct buffer *out)
{
    const char *key;
    json_t *value;
    const char *separator = "";
    buffer_add(out, "{", 1);
    /* jansson has no iteration over a const object; it is not changed */
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        buffer_puts(out, separator);
        buffer_json(out, key);
        buffer_add(out, ":", 1);
        log_json_write(value, out);
        separator = ",";
    }
    buffer_add(out, "}", 1);
}

static void write_array(const json_t *array, struct buffer *out)
{
    buffer_add(out, "[", 1);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            buffer_add(out, ",", 1);
        log_json_write(json_array_get(array, i), out);
    }
    buffer_add(out, "]", 1);
}

void log_json_write(const json_t *value, struct buffer *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(value, out);
        break;
    case JSON_ARRAY:
        write_array(value, out);
        break;
    case JSON_STRING:
        buffer_json(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(json_real_value(value), out);
        break;
    case JSON_TRUE:
        buffer_puts(out, "true");
        break;
    case JSON_FALSE:
        buffer_puts(out, "false");
        break;
    case JSON_NULL:
        buffer_puts(out, "null");
        break;
    }
}

const char *log_json_show(const json_t *value, char buffer[LOG_JSON_SHOWN_MAX])
{
    struct buffer text = {0};
    if (json_is_string(value))
        buffer_puts(&text, json_string_value(value));
    else
        log_json_write(value, &text);
    bool is_cut = text.size >= LOG_JSON_SHOWN_MAX;
    size_t n = is_cut ? LOG_JSON_SHOWN_MAX - 4 : text.size;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        buffer[i] = text.bytes[i];
        if (c < ' ' || c == 0x7f || (c >= 0x80 && is_cut && i + 4 > n))
            buffer[i] = '?'; /* control characters, and a letter that would be cut in the middle */
    }
    memcpy(buffer + n, is_cut ? "..." : "", is_cut ? 4 : 1);
    buffer_done(&text);
    return buffer;
}
