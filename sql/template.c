#include "sql/template.h"

#include "sql/lexer.h"

/* PART: of a name or a number; STOP: a value or a comment may begin here. */
enum { PART = 1, STOP = 2 };

/* clang-format off */
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 2, 2, 1, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1,
    2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};
/* clang-format on */

struct copy {
    struct span text;
    struct sql_mode mode;
    const uint8_t *p; /* what comes next */
    uint8_t *out;
};

static inline const uint8_t *end_of(const struct copy *c)
{
    return c->text.p + c->text.n;
}

/* Bytes in which no value begins. */
static inline void put_plain(struct copy *c)
{
    const uint8_t *const end = end_of(c);
    const uint8_t *p = c->p;
    uint8_t *out = c->out;

    while (p < end && !(classes[*p] & STOP))
        *out++ = *p++;
    c->p = p;
    c->out = out;
}

static inline void put_as_is(struct copy *c, const uint8_t *to)
{
    while (c->p < to)
        *c->out++ = *c->p++;
}

/* What stands here is part of what stands before: x'1f', @'a', t1, @1, .5 */
static bool goes_on(const struct copy *c)
{
    uint8_t before = c->p > c->text.p ? c->p[-1] : ' ';

    return (classes[before] & PART) || before == '@' || before == '.';
}

static const uint8_t *digits_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* 17 or 19.99, with nothing behind it that could belong to it; else its first digit goes on as it
 * is, and those behind it with it. */
static bool number(struct copy *c)
{
    const uint8_t *const end = end_of(c);
    const uint8_t *p = goes_on(c) ? c->p : digits_end(c->p, end);
    bool fraction = end - p >= 2 && p > c->p && *p == '.';

    if (fraction)
        p = digits_end(p + 1, end);
    if (p == c->p || p[-1] == '.' || (p < end && (*p == '.' || (classes[*p] & PART)))) {
        put_as_is(c, c->p + 1);
        return true;
    }
    *c->out++ = '0';
    if (fraction) {
        *c->out++ = '.';
        *c->out++ = '0';
    }
    c->p = p;
    return true;
}

static bool quoted(struct copy *c, uint8_t quote)
{
    bool name = quote == '`' || (quote == '"' && c->mode.ansi_quotes);
    const uint8_t *to = sql_scan_quoted(c->p + 1, end_of(c), quote,
                                        !name && !c->mode.no_backslash_escapes, c->mode.pairs);

    if (!to)
        return false;
    if (name || goes_on(c)) {
        put_as_is(c, to);
        return true;
    }
    *c->out++ = quote;
    *c->out++ = quote;
    c->p = to;
    return true;
}

/* One that begins no comment. */
static bool operator_before(struct copy *c, uint8_t comment)
{
    if (end_of(c) - c->p >= 2 && c->p[1] == comment)
        return false;
    put_as_is(c, c->p + 1);
    return true;
}

static bool put_stop(struct copy *c)
{
    switch (*c->p) {
    case '\'':
    case '"':
    case '`':
        return quoted(c, *c->p);
    case '-':
        return operator_before(c, '-');
    case '/':
        return operator_before(c, '*');
    case '#':
        return false;
    default:
        return number(c);
    }
}

size_t sql_template(struct span text, struct sql_mode mode, uint8_t *out)
{
    struct copy c = {text, mode, text.p, out};

    if (!text.n || mode.unsafe_charset)
        return 0;
    for (put_plain(&c); c.p < end_of(&c); put_plain(&c)) {
        if (!put_stop(&c))
            return 0;
    }
    return (size_t)(c.out - out);
}
