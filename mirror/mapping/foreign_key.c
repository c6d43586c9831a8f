#include "mirror/mapping/foreign_key.h"

#include <string.h>

/* One line of the statement; *at moves behind it. */
static struct span next_line(struct span text, size_t *at)
{
    const uint8_t *begin = text.p + *at;
    const uint8_t *end = memchr(begin, '\n', text.n - *at);
    size_t n = end ? (size_t)(end - begin) : text.n - *at;

    *at += n + (end ? 1 : 0);
    return (struct span){begin, n};
}

static bool skip(struct span *s, const char *word)
{
    size_t n = strlen(word);

    if (s->n < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    s->n -= n;
    return true;
}

/* `name` */
static bool name(struct span *s, struct span *out)
{
    const uint8_t *end;

    if (!skip(s, "`"))
        return false;
    end = s->n ? memchr(s->p, '`', s->n) : NULL;
    if (!end)
        return false;
    *out = (struct span){s->p, (size_t)(end - s->p)};
    s->n -= out->n + 1;
    s->p = end + 1;
    return true;
}

/* (`a`, `b`): how many; 0 where it is no such list. */
static int names(struct span *s, struct span *out, bool *too_many)
{
    int n = 0;
    struct span one;

    if (!skip(s, "("))
        return 0;
    do {
        if (!name(s, &one))
            return 0;
        if (n < FOREIGN_KEY_COLUMNS_MAX)
            out[n++] = one;
        else
            *too_many = true;
    } while (skip(s, ", "));
    return skip(s, ")") ? n : 0;
}

static enum foreign_key_rule rule(struct span *s, const char *event)
{
    struct span rest = *s;

    if (!skip(&rest, event))
        return FOREIGN_KEY_REFUSED;
    *s = rest;
    if (skip(s, "CASCADE"))
        return FOREIGN_KEY_CASCADE;
    if (skip(s, "SET NULL"))
        return FOREIGN_KEY_SET_NULL;
    (void)(skip(s, "RESTRICT") || skip(s, "NO ACTION") || skip(s, "SET DEFAULT"));
    return FOREIGN_KEY_REFUSED;
}

/* CONSTRAINT `n` FOREIGN KEY (`c`) REFERENCES [`d`.]`t` (`c`)[ ON DELETE …][ ON UPDATE …] */
static bool parse(struct span line, struct foreign_key *out)
{
    struct span ignored;

    *out = (struct foreign_key){.n = 0};
    if (!skip(&line, "  CONSTRAINT ") || !name(&line, &ignored) || !skip(&line, " FOREIGN KEY "))
        return false;
    out->n = names(&line, out->columns, &out->too_many);
    if (out->n == 0 || !skip(&line, " REFERENCES ") || !name(&line, &out->table))
        return false;
    if (skip(&line, ".")) {
        out->database = out->table;
        if (!name(&line, &out->table))
            return false;
    }
    if (!skip(&line, " ") || names(&line, out->referenced, &out->too_many) != out->n)
        return false;
    out->on_delete = rule(&line, " ON DELETE ");
    out->on_update = rule(&line, " ON UPDATE ");
    return true;
}

bool foreign_key_next(struct span create, size_t *at, struct foreign_key *out)
{
    while (*at < create.n)
        if (parse(next_line(create, at), out))
            return true;
    return false;
}
