/* Any bytes as the note of a copy (sys/cache_file): none, or one that is the same after it was written and
 * read again. */
#include "sys/cache_file.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct cache_note note, again;
    struct buffer text = {0};
    memset(&note, 0, sizeof note);
    if (!n || !cache_note_parse((const char *)bytes, n, &note))
        return 0;
    cache_note_format(&note, &text);
    assert(cache_note_parse(text.bytes, text.size, &again));
    assert(strcmp(note.url, again.url) == 0 && strcmp(note.etag, again.etag) == 0);
    assert(strcmp(note.modified, again.modified) == 0 && note.size == again.size);
    assert(note.changed.ns == again.changed.ns && note.checked.ns == again.checked.ns);
    buffer_done(&text);
    return 0;
}
