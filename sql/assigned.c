#include "sql/assigned.h"

#include "sql/lexer.h"

struct assignment {
    struct span name;
    bool elsewhere; /* global, or a user variable */
};

/* @@name, @@session.name */
static void read_system_variable(struct span text, struct assignment *a)
{
    const uint8_t *dot;

    text = (struct span){text.p + 2, text.n - 2};
    dot = text.n ? memchr(text.p, '.', text.n) : NULL;
    a->name = text;
    if (dot) {
        size_t n = (size_t)(dot - text.p);

        a->elsewhere = span_is_word((struct span){text.p, n}, "global");
        a->name = (struct span){dot + 1, text.n - n - 1};
    }
}

/* The left side and the sign behind it. */
static bool read_target(struct sql_lexer *l, enum sql_token t, struct assignment *a)
{
    struct span text = sql_lexer_text(l);

    *a = (struct assignment){.name = text};
    if (span_is_word(text, "global") || span_is_word(text, "session") ||
        span_is_word(text, "local")) {
        a->elsewhere = span_is_word(text, "global");
        t = sql_lexer_next(l);
        a->name = sql_lexer_text(l);
    }
    if (t == TOK_USER_VARIABLE)
        a->elsewhere = true;
    else if (t == TOK_SYSTEM_VARIABLE)
        read_system_variable(text, a);
    else if (t != TOK_NAME)
        return false;
    t = sql_lexer_next(l);
    return (a->elsewhere || sql_is_plain_name(a->name)) &&
           (t == TOK_ASSIGN || (t == TOK_OPERATOR && span_is_word(sql_lexer_text(l), "=")));
}

/* What SET NAMES sets; the collation behind its character set, with which it comes back. */
static void tell_names(void (*found)(void *ctx, struct span name), void *ctx)
{
    static const char *const names[] = {"character_set_client", "character_set_results",
                                        "character_set_connection", "collation_connection"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        found(ctx, span_of(names[i]));
}

/* Over the right side; the token that ends it. */
static enum sql_token skip_value(struct sql_lexer *l)
{
    unsigned depth = 0;
    enum sql_token t;

    while ((t = sql_lexer_next(l)) != TOK_END && t != TOK_BAD && t != TOK_SEMICOLON) {
        if (t == TOK_COMMA && depth == 0)
            break;
        if (t == TOK_OPEN)
            depth++;
        else if (t == TOK_CLOSE && depth > 0)
            depth--;
    }
    return t;
}

bool sql_assigned(struct span text, struct sql_mode mode,
                  void (*found)(void *ctx, struct span name), void *ctx)
{
    struct sql_lexer l;
    struct assignment a;
    enum sql_token t;

    sql_lexer_init(&l, text, mode);
    if (sql_lexer_next(&l) != W_SET)
        return false;
    do {
        t = sql_lexer_next(&l);
        if (t != W_NAMES && !read_target(&l, t, &a))
            return false;
        if (t == W_NAMES)
            tell_names(found, ctx);
        else if (!a.elsewhere)
            found(ctx, a.name);
        t = skip_value(&l);
    } while (t == TOK_COMMA);
    if (t == TOK_SEMICOLON)
        t = sql_lexer_next(&l);
    return t == TOK_END && !l.doubtful;
}
