/* The classifier on any bytes. Beyond not reading outside the text: what is called a read begins
 * like one, holds no word that only a write has, and is one statement. The first byte chooses the
 * lexis. */
#include "sql/classify.h"
#include "sql/fingerprint.h"
#include "sql/lexer.h"
#include "sql/spots.h"
#include "tests/unit/sql_same.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool begins_a_read(enum sql_token t)
{
    switch (t) {
    case TOK_OPEN:
    case W_SELECT:
    case W_WITH:
    case W_VALUES:
    case W_TABLE:
    case W_EXPLAIN:
    case W_DESCRIBE:
    case W_DESC:
    case W_ANALYZE:
        return true;
    default:
        return false;
    }
}

static bool only_writes(enum sql_token t)
{
    switch (t) {
    case W_UPDATE:
    case W_DELETE:
    case W_CREATE:
    case W_DROP:
    case W_ALTER:
    case W_CALL:
    case W_LOAD:
    case W_GRANT:
    case W_REVOKE:
    case W_RENAME:
    case W_LOCK:
    case W_INTO:
    case W_PROCEDURE:
    case W_SQL_CALC_FOUND_ROWS:
    case TOK_BAD:
    case TOK_USER_VARIABLE:
    case TOK_SYSTEM_VARIABLE:
        return true;
    default:
        return false;
    }
}

static void check_read(struct span text, struct sql_mode mode)
{
    struct sql_lexer l;
    enum sql_token prev;
    bool ended = false;

    sql_lexer_init(&l, text, mode);
    prev = sql_lexer_next(&l);
    assert(begins_a_read(prev));
    while (prev != TOK_END) {
        enum sql_token t = sql_lexer_next(&l);

        assert(!only_writes(t));
        assert(!ended || t == TOK_END);
        assert(t == TOK_OPEN || (prev != W_INSERT && prev != W_REPLACE));
        ended |= t == TOK_SEMICOLON;
        prev = t;
    }
    assert(!l.doubtful && !l.hints.primary);
}

/* The spots lie in the text, in order, and none overlaps another. */
static void check_spots(struct span text, struct sql_mode mode)
{
    struct sql_spots found;
    const uint8_t *at = text.p;

    if (!sql_spots_find(text, mode, true, &found))
        return;
    for (int i = 0; i < found.count; i++) {
        const struct sql_spot *s = &found.spots[i];

        assert(s->where.p >= at && s->where.n <= (size_t)(text.p + text.n - s->where.p));
        assert(s->text.n == 0 || (s->text.p >= text.p && s->text.p + s->text.n <= s->where.p));
        at = s->where.p + s->where.n;
    }
}

/* No value stands in a statement's shape, and hash and text belong together. */
static void check_shape(struct span text, struct sql_mode mode)
{
    struct buf shape = buf_with_max(4 * text.n + 16);
    uint64_t digest = sql_normalise(text, mode, &shape);

    assert(buf_ok(&shape) && digest == sql_fingerprint(text, mode));
    assert(!shape.len || mode.ansi_quotes || !memchr(shape.data, '\'', shape.len) ||
           memchr(text.p, '`', text.n) || memchr(text.p, '@', text.n));
    buf_free(&shape);
}

static void check(struct span text, struct sql_mode mode, bool cut)
{
    struct sql_class c;

    check_spots(text, mode);
    check_shape(text, mode);
    check_template(text, mode);
    sql_classify(text, mode, cut, &c);
    assert(c.kind < SQL_KIND_COUNT && c.reason < SQL_REASON_COUNT);
    assert(c.function.n <= text.n && strlen(c.collation) < SQL_COLLATION_MAX);
    assert((c.function.n > 0) <= (c.reason == SQL_UNKNOWN_FUNCTION));
    assert(!c.kill.simple || (c.kind == SQL_KILL && c.statements == 1));
    assert(c.hints.server.n <= text.n);
    if (!sql_is_read(&c))
        return;
    assert(!cut && !c.writes && !c.effects);
    assert(c.kind == SQL_SELECT && c.statements == 1);
    check_read(text, mode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sql_mode mode = {0};
    uint8_t *copy;

    if (n == 0)
        return 0;
    mode.ansi_quotes = data[0] & 1;
    mode.no_backslash_escapes = data[0] & 2;
    mode.unsafe_charset = data[0] & 4;
    mode.oracle = data[0] & 8;
    mode.utf8 = data[0] & 16;
    mode.pairs = (enum sql_pairs)(data[0] >> 6);
    /* A copy that ends with the text, so that a read beyond it is seen. */
    copy = malloc(n > 1 ? n - 1 : 1);
    if (!copy)
        return 0;
    memcpy(copy, data + 1, n - 1);
    check((struct span){copy, n - 1}, mode, data[0] & 32);
    free(copy);
    return 0;
}
