#include "sql/fingerprint.h"

#include "sql/lexer.h"

#include <xxhash.h>

enum { CHUNK = 512 };

/* Parentheses whose content is held back while it is values alone. */
struct held_list {
    bool open;
    bool comma; /* one stands behind the last value */
    unsigned values;
};

struct normaliser {
    struct sql_lexer lex;
    struct buf *out; /* or NULL */
    uint64_t digest;
    size_t used;
    enum sql_token prev;     /* the token before, held back or not */
    enum sql_token last;     /* the one written last; TOK_END: none */
    const uint8_t *last_end; /* where that ended, in the text */
    struct held_list list;
    bool rows;           /* the last thing written is "(...)" */
    bool row_comma;      /* … and a comma behind it is held back */
    bool sign;           /* a sign is held back: of a number, or an operator */
    struct span sign_at; /* that */
    bool semicolon;      /* held back: the last one is left out */
    uint8_t chunk[CHUNK];
};

static void flush(struct normaliser *n)
{
    n->digest = XXH3_64bits_withSeed(n->chunk, n->used, n->digest);
    if (n->out)
        buf_put(n->out, n->chunk, n->used);
    n->used = 0;
}

static void put(struct normaliser *n, uint8_t byte)
{
    if (n->used == CHUNK)
        flush(n);
    n->chunk[n->used++] = byte;
}

static void put_text(struct normaliser *n, const char *text)
{
    for (; *text; text++)
        put(n, (uint8_t)*text);
}

static bool is_value(enum sql_token t)
{
    return t == TOK_STRING || t == TOK_NUMBER || t == TOK_PARAM || t == TOK_BAD;
}

static bool is_named(enum sql_token t)
{
    return t == TOK_NAME || t == TOK_QUOTED || t == TOK_DOT_NAME;
}

static bool is_call(enum sql_token before)
{
    return is_named(before) || (before > TOK_OPERATOR && !sql_word_takes_paren(before));
}

/* Whether two operators' bytes that touch each other are one operator: >=, <>, ||, … */
static bool are_one(const struct normaliser *n, struct span text)
{
    return n->last == TOK_OPERATOR && n->last_end == text.p && text.p[0] &&
           strchr("=>|&<", text.p[0]);
}

static bool wants_blank(const struct normaliser *n, enum sql_token t, struct span text)
{
    switch (t) {
    case TOK_COMMA:
    case TOK_CLOSE:
    case TOK_SEMICOLON:
    case TOK_DOT:
    case TOK_DOT_NAME:
        return false;
    case TOK_OPEN:
        if (is_call(n->last))
            return false;
        break;
    case TOK_OPERATOR:
        if (are_one(n, text))
            return false;
        break;
    default:
        break;
    }
    return n->last != TOK_END && n->last != TOK_OPEN && n->last != TOK_DOT;
}

static void put_word(struct normaliser *n, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        put(n, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
}

/* One token that is held back no longer. */
static void emit(struct normaliser *n, enum sql_token t, struct span text)
{
    if (wants_blank(n, t, text))
        put(n, ' ');
    if (is_value(t))
        put(n, '?');
    else if (t == TOK_QUOTED)
        for (size_t i = 0; i < text.n; i++)
            put(n, text.p[i]);
    else
        put_word(n, text);
    n->last = t;
    n->last_end = text.p + text.n;
    n->rows = false;
}

static void emit_known(struct normaliser *n, enum sql_token t, const char *text)
{
    emit(n, t, span_of(text));
}

static void release_row_comma(struct normaliser *n)
{
    if (n->row_comma)
        emit_known(n, TOK_COMMA, ",");
    n->row_comma = false;
}

/* It holds something else than values: what was held back comes first. */
static void release_list(struct normaliser *n)
{
    if (!n->list.open)
        return;
    n->list.open = false;
    release_row_comma(n);
    emit_known(n, TOK_OPEN, "(");
    for (unsigned i = 0; i < n->list.values; i++) {
        if (i)
            emit_known(n, TOK_COMMA, ",");
        emit_known(n, TOK_PARAM, "?");
    }
    if (n->list.comma)
        emit_known(n, TOK_COMMA, ",");
}

static void close_list(struct normaliser *n)
{
    n->list.open = false;
    if (!n->row_comma) {
        emit_known(n, TOK_OPEN, "(");
        put_text(n, "...)");
        n->last = TOK_CLOSE;
    }
    n->row_comma = false;
    n->rows = true;
}

/* Whether the token was taken into the list. */
static bool hold_in_list(struct normaliser *n, enum sql_token t)
{
    struct held_list *l = &n->list;
    bool behind_value = l->values > 0 && !l->comma;

    if (!l->open)
        return false;
    if (is_value(t) && !behind_value) {
        l->values++;
        l->comma = false;
        return true;
    }
    if (t == TOK_COMMA && behind_value) {
        l->comma = true;
        return true;
    }
    if (t == TOK_CLOSE && behind_value) {
        close_list(n);
        return true;
    }
    release_list(n);
    return false;
}

/* Whether the token is held back for now. */
static bool hold(struct normaliser *n, enum sql_token t)
{
    if (hold_in_list(n, t))
        return true;
    if (t == TOK_OPEN && !is_call(n->prev)) {
        n->list = (struct held_list){.open = true};
        return true;
    }
    if (t == TOK_COMMA && n->rows) {
        n->row_comma = true;
        return true;
    }
    release_row_comma(n);
    if (t == TOK_SEMICOLON && !n->semicolon) {
        n->semicolon = true;
        return true;
    }
    return false;
}

static void token(struct normaliser *n, enum sql_token t, struct span text)
{
    if (n->semicolon) {
        n->semicolon = false;
        emit_known(n, TOK_SEMICOLON, ";");
    }
    if (!hold(n, t))
        emit(n, t, text);
    n->prev = t;
}

/* Where a number may begin: there + and - are its sign. */
static bool takes_sign(enum sql_token before)
{
    return before == TOK_END || before == TOK_OPERATOR || before == TOK_ASSIGN ||
           before == TOK_OPEN || before == TOK_COMMA || before > TOK_OPERATOR;
}

static void step(struct normaliser *n, enum sql_token t, struct span text)
{
    if (n->sign) {
        n->sign = false;
        if (!is_value(t))
            token(n, TOK_OPERATOR, n->sign_at);
    }
    n->sign = t == TOK_OPERATOR && (*text.p == '-' || *text.p == '+') && takes_sign(n->prev);
    n->sign_at = text;
    if (!n->sign)
        token(n, t, text);
}

static uint64_t normalise(struct span text, struct sql_mode mode, struct buf *out)
{
    struct normaliser n;
    enum sql_token t;

    memset(&n, 0, offsetof(struct normaliser, chunk));
    n.out = out;
    sql_lexer_init(&n.lex, text, mode);
    while ((t = sql_lexer_next(&n.lex)) != TOK_END)
        step(&n, t, sql_lexer_text(&n.lex));
    if (n.sign)
        token(&n, TOK_OPERATOR, n.sign_at);
    release_list(&n);
    release_row_comma(&n);
    flush(&n);
    return n.digest;
}

uint64_t sql_fingerprint(struct span text, struct sql_mode mode)
{
    return normalise(text, mode, NULL);
}

uint64_t sql_normalise(struct span text, struct sql_mode mode, struct buf *out)
{
    return normalise(text, mode, out);
}
