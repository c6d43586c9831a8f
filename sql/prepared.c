#include "sql/prepared.h"

#include "sql/lexer.h"

/* Some words are names, too. */
static bool is_name(enum sql_token t, struct span text)
{
    return t == TOK_QUOTED || sql_is_plain_name(text);
}

static bool ends_literal(enum sql_token t)
{
    return t == TOK_END || t == TOK_SEMICOLON || t == W_USING;
}

/* The literal that comes next; p NULL: something else does, or the server would read it otherwise
 * than it stands there. */
static struct span read_literal(struct sql_lexer *l)
{
    static const struct span none;
    enum sql_token t = sql_lexer_next(l);
    struct span text = sql_lexer_text(l);
    struct span inner;

    if (t != TOK_STRING || text.n < 2)
        return none;
    inner = (struct span){text.p + 1, text.n - 2};
    if (!ends_literal(sql_lexer_next(l)) || memchr(inner.p, text.p[0], inner.n) ||
        memchr(inner.p, '\\', inner.n))
        return none;
    return inner;
}

/* From the word behind PREPARE or EXECUTE on. */
static void read_rest(struct sql_lexer *l, enum sql_prepared_kind kind, struct sql_prepared *out)
{
    enum sql_token t = sql_lexer_next(l);
    struct span name = sql_lexer_text(l);
    bool executes = kind == SQL_EXECUTES;
    bool immediate = executes && t == TOK_NAME && span_is_word(name, "IMMEDIATE");

    if (!is_name(t, name))
        return;
    out->kind = kind;
    if (!immediate)
        out->name = sql_unquoted(name);
    if (immediate || (!executes && sql_lexer_next(l) == W_FROM))
        out->text = read_literal(l);
}

/* Nothing but semicolons behind it. */
static bool is_alone(struct sql_lexer *l)
{
    enum sql_token t;
    bool over = false;

    do {
        t = sql_lexer_next(l);
        if (over && t != TOK_SEMICOLON && t != TOK_END)
            return false;
        over = over || t == TOK_SEMICOLON;
    } while (t != TOK_END && t != TOK_BAD);
    return t == TOK_END && !l->doubtful && !l->in_executable;
}

struct sql_prepared sql_prepared_read(struct span text, struct sql_mode mode)
{
    struct sql_prepared out = {.kind = SQL_PREPARED_OTHER};
    struct sql_lexer l;
    enum sql_token t;

    sql_lexer_init(&l, text, mode);
    t = sql_lexer_next(&l);
    if (t == W_PREPARE)
        read_rest(&l, SQL_PREPARES, &out);
    else if (t == W_EXECUTE)
        read_rest(&l, SQL_EXECUTES, &out);
    sql_lexer_init(&l, text, mode);
    return is_alone(&l) ? out : (struct sql_prepared){.kind = SQL_PREPARED_OTHER};
}
