#include "source/probe/smtp_reply.h"

#include <string.h>
#include <strings.h>

enum { HEAD = 4 }; /* "250 " or "250-" */

void smtp_reply_begin(struct smtp_reply *reply)
{
    *reply = (struct smtp_reply){0};
}

/* Of the first line, or as that. A line may be of the code alone. */
static bool take_head(struct smtp_reply *reply, size_t n)
{
    const char *head = reply->head;
    if (n < HEAD - 1 || (n >= HEAD && head[3] != ' ' && head[3] != '-'))
        return false;
    for (int i = 0; i < 3; i++)
        if (head[i] < '0' || head[i] > '9')
            return false;
    unsigned code = (unsigned)((head[0] - '0') * 100 + (head[1] - '0') * 10 + (head[2] - '0'));
    if (reply->lines == 0)
        reply->code = (uint16_t)code;
    return code == reply->code && code >= 200 && code < 600;
}

static enum smtp_progress end_line(struct smtp_reply *reply)
{
    size_t n = reply->size;
    if (n && n <= HEAD && reply->head[n - 1] == '\r')
        n--;
    bool is_last = n < HEAD || reply->head[3] == ' ';
    if (!take_head(reply, n) || ++reply->lines > SMTP_LINES_MAX)
        return SMTP_BAD;
    size_t text = n > HEAD ? n - HEAD : 0;
    if (text && reply->line[text - 1] == '\r')
        text--;
    reply->line[text] = '\0';
    reply->size = 0;
    return is_last ? SMTP_OVER : SMTP_LINE;
}

enum smtp_progress smtp_reply_feed(struct smtp_reply *reply, char c)
{
    if (c == '\n')
        return end_line(reply);
    if (reply->size >= HEAD + SMTP_LINE_MAX)
        return SMTP_BAD;
    if (reply->size < HEAD)
        reply->head[reply->size] = c;
    else
        reply->line[reply->size - HEAD] = c;
    reply->size++;
    return SMTP_MORE;
}

bool smtp_line_offers(const char *line, const char *keyword)
{
    size_t n = strcspn(line, " ");
    return n == strlen(keyword) && strncasecmp(line, keyword, n) == 0;
}
