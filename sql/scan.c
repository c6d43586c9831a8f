#include "sql/lexer.h"

#include <assert.h>
#include <strings.h>

/* Up to the quote that closes it; a doubled quote is one of the text. Bytes from 0x80 need no care:
 * in the character sets that are read at all no quote or backslash is part of another character. */
const uint8_t *sql_scan_quoted(const uint8_t *p, const uint8_t *end, uint8_t quote,
                               bool backslash_escapes)
{
    while (p < end) {
        uint8_t c = *p++;

        if (c == quote) {
            if (p == end || *p != quote)
                return p;
            p++;
        } else if (c == '\\' && backslash_escapes) {
            if (p == end)
                return NULL;
            p++;
        } else if (!c && quote == '`') {
            return NULL;
        }
    }
    return NULL;
}

/* The server ends such a comment also at a NUL byte, and then stumbles over it. */
const uint8_t *sql_scan_line(const uint8_t *p, const uint8_t *end)
{
    size_t n = (size_t)(end - p);
    const uint8_t *line = n ? memchr(p, '\n', n) : NULL;

    if (line)
        n = (size_t)(line - p);
    if (n && memchr(p, 0, n))
        return NULL;
    return line ? line + 1 : end;
}

static struct span trimmed(struct span s)
{
    while (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r')))
        s.n--;
    return s;
}

static bool is_word(struct span s, const char *word)
{
    return s.n == strlen(word) && strncasecmp((const char *)s.p, word, s.n) == 0;
}

/* "tillway: primary" or "tillway: replica", alone in its comment. */
static void read_hint(struct sql_lexer *l, struct span s)
{
    static const char mark[] = "tillway:";
    const size_t n = sizeof(mark) - 1;

    s = trimmed(s);
    if (s.n < n || !is_word((struct span){s.p, n}, mark))
        return;
    s = trimmed((struct span){s.p + n, s.n - n});
    if (is_word(s, "primary"))
        l->hint_primary = true;
    else if (is_word(s, "replica"))
        l->hint_replica = true;
}

const uint8_t *sql_scan_comment(struct sql_lexer *l, const uint8_t *p)
{
    const uint8_t *const begin = p;

    while (p < l->end) {
        const uint8_t *star = memchr(p, '*', (size_t)(l->end - p));

        if (!star || star + 1 == l->end)
            return NULL;
        if (star[1] == '/') {
            read_hint(l, (struct span){begin, (size_t)(star - begin)});
            return star + 2;
        }
        p = star + 1;
    }
    return NULL;
}

static const uint8_t *scan_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

const uint8_t *sql_scan_fraction(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *at;

    p = scan_digits(p, end);
    if (p == end || (*p | 0x20) != 'e')
        return p;
    at = p + 1;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    return at < end && *at >= '0' && *at <= '9' ? scan_digits(at, end) : p;
}

static bool is_variable_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.' || c >= 0x80;
}

const uint8_t *sql_scan_variable(const uint8_t *p, const uint8_t *end, struct sql_mode mode)
{
    uint8_t c = p < end ? *p : 0;

    if (c == '`' || c == '\'' || c == '"') {
        bool name = c == '`' || (c == '"' && mode.ansi_quotes);

        return sql_scan_quoted(p + 1, end, c, !name && !mode.no_backslash_escapes);
    }
    while (p < end && is_variable_byte(*p))
        p++;
    return p;
}
