#include "sql/lexer.h"

#include <assert.h>

/* The second byte of a character, as the server's ctype-gbk.c, ctype-sjis.c and ctype-big5.c have
 * it; a first byte with anything else behind it stands for itself there. */
static bool is_pair(enum sql_pairs pairs, uint8_t first, uint8_t second)
{
    switch (pairs) {
    case PAIRS_GBK:
        return first >= 0x81 && first <= 0xfe && second >= 0x40 && second <= 0xfe && second != 0x7f;
    case PAIRS_SJIS:
        return ((first >= 0x81 && first <= 0x9f) || (first >= 0xe0 && first <= 0xfc)) &&
               second >= 0x40 && second <= 0xfc && second != 0x7f;
    case PAIRS_BIG5:
        return first >= 0xa1 && first <= 0xf9 &&
               ((second >= 0x40 && second <= 0x7e) || (second >= 0xa1 && second <= 0xfe));
    case PAIRS_NONE:
        break;
    }
    return false;
}

/* Up to the quote that closes it; a doubled quote is one of the text. */
const uint8_t *sql_scan_quoted(const uint8_t *p, const uint8_t *end, uint8_t quote,
                               bool backslash_escapes, enum sql_pairs pairs)
{
    while (p < end) {
        uint8_t c = *p++;

        if (c >= 0x80) {
            if (p < end && is_pair(pairs, c, *p))
                p++;
        } else if (c == quote) {
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

/* The item in front of the next comma, and what stands behind its '='. */
static struct span next_item(struct span *rest, struct span *value)
{
    const uint8_t *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
    size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
    struct span item = {rest->p, n};
    const uint8_t *equals = n ? memchr(rest->p, '=', n) : NULL;

    *rest = (struct span){rest->p + n + (comma ? 1 : 0), rest->n - n - (comma ? 1 : 0)};
    *value = (struct span){NULL, 0};
    if (equals) {
        size_t at = (size_t)(equals - item.p);

        *value = trimmed((struct span){equals + 1, n - at - 1});
        item.n = at;
    }
    return trimmed(item);
}

/* 50ms, 2s, or a plain number of milliseconds; 0: not understood. */
static uint32_t read_milliseconds(struct span s)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && v < UINT32_MAX; i++)
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    s = (struct span){s.p + i, s.n - i};
    if (span_is_word(s, "s"))
        v *= 1000;
    else if (s.n && !span_is_word(s, "ms"))
        return 0;
    return v < UINT32_MAX ? (uint32_t)v : 0;
}

static enum sql_hint_consistency read_consistency(struct span s)
{
    if (span_is_word(s, "session"))
        return SQL_HINT_SESSION;
    if (span_is_word(s, "eventual"))
        return SQL_HINT_EVENTUAL;
    return span_is_word(s, "global") ? SQL_HINT_GLOBAL : SQL_HINT_NONE;
}

static void take_hint(struct sql_hints *h, struct span item, struct span value)
{
    if (span_is_word(item, "primary"))
        h->primary = true;
    else if (span_is_word(item, "replica"))
        h->replica = true;
    else if (span_is_word(item, "server"))
        h->server = value;
    else if (span_is_word(item, "timeout"))
        h->timeout_ms = read_milliseconds(value);
    else if (span_is_word(item, "consistency"))
        h->consistency = read_consistency(value);
}

/* "tillway: primary, timeout=2s", alone in its comment. */
static void read_hints(struct sql_lexer *l, struct span s)
{
    static const char mark[] = "tillway:";
    const size_t n = sizeof(mark) - 1;
    struct span value;

    s = trimmed(s);
    if (s.n < n || !span_is_word((struct span){s.p, n}, mark))
        return;
    s = (struct span){s.p + n, s.n - n};
    while (s.n) {
        struct span item = next_item(&s, &value);

        take_hint(&l->hints, item, value);
    }
}

const uint8_t *sql_scan_comment(struct sql_lexer *l, const uint8_t *p)
{
    const uint8_t *const begin = p;

    while (p < l->end) {
        const uint8_t *star = memchr(p, '*', (size_t)(l->end - p));

        if (!star || star + 1 == l->end)
            return NULL;
        if (star[1] == '/') {
            read_hints(l, (struct span){begin, (size_t)(star - begin)});
            return star + 2;
        }
        p = star + 1;
    }
    return NULL;
}

/* To the end of a comment that may hold others, one level deep: what the server does not execute.
 */
static const uint8_t *skip_nested(const uint8_t *p, const uint8_t *end)
{
    bool nested = false;

    for (; end - p >= 2; p++) {
        if (!nested && p[0] == '/' && p[1] == '*') {
            nested = true;
            p++;
        } else if (p[0] == '*' && p[1] == '/') {
            if (!nested)
                return p + 2;
            nested = false;
            p++;
        }
    }
    return NULL;
}

/* What sql_lex.cc does: a version has five digits or six; less is code. MySQL's versions 5.7 to 9.x
 * are never executed, but for comments marked as MariaDB's own. */
const uint8_t *sql_scan_executable(struct sql_lexer *l, const uint8_t *p, bool maria)
{
    enum { DIGITS_MIN = 5, DIGITS_MAX = 6, FOREIGN = 50700, FOREIGN_END = 100000, OLDEST = 100600 };
    uint32_t version = 0;
    int digits = 0;
    bool foreign;

    for (; digits < DIGITS_MAX && digits < l->end - p && p[digits] >= '0' && p[digits] <= '9';
         digits++)
        version = version * 10 + (uint32_t)(p[digits] - '0');
    if (digits < DIGITS_MIN) {
        digits = 0;
        version = 0;
    }
    foreign = !maria && version >= FOREIGN && version < FOREIGN_END;
    if (foreign)
        return skip_nested(p, l->end);
    l->doubtful = l->doubtful || version > OLDEST || l->in_executable;
    l->in_executable = true;
    return p + digits;
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

        return sql_scan_quoted(p + 1, end, c, !name && !mode.no_backslash_escapes, mode.pairs);
    }
    while (p < end && is_variable_byte(*p))
        p++;
    return p;
}

struct span sql_unquoted(struct span name)
{
    if (name.n >= 2 && (name.p[0] == '`' || name.p[0] == '"'))
        return (struct span){name.p + 1, name.n - 2};
    if (name.n >= 1 && name.p[0] == '.')
        return (struct span){name.p + 1, name.n - 1};
    return name;
}

bool sql_is_plain_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return name.n > 0;
}
