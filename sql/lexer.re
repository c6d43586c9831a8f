/* The tokens; the contract is in sql/lexer.h.
 *
 * The automaton decides what begins; words, strings and comments are then scanned by loops that are
 * quicker than its states (here and in sql/scan.c). The text has no sentinel: a peek at its end
 * answers 0, which is no byte of any rule, and a NUL inside the text is TOK_BAD. */
#include "sql/lexer.h"

/* FIRST: a letter that begins a word and nothing else (x, b and n may begin a string). */
enum { PART = 1, WIDE = 2, FIRST = 4 };

/* What may stand in an unquoted name: letters, digits, '_', '$'; and bytes from 0x80. */
/* clang-format off */
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    0, 5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 5, 5, 0, 0, 0, 0, 5,
    0, 5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 5, 5, 0, 0, 0, 0, 0,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
};

static const uint8_t places[WORD_PLACES] = {
#define X(name, first, middle, last, n, flag) [WORD_PLACE(first, middle, last, n)] = W_##name,
    SQL_WORDS(X)
#undef X
};

static const struct {
    uint8_t n;
    uint8_t flag;
    char text[WORD_MAX + 1];
} words[TOK_COUNT] = {
#define X(name, first, middle, last, n, flag) [W_##name] = {n, WORD_##flag, #name},
    SQL_WORDS(X)
#undef X
};
/* clang-format on */

bool sql_word_takes_paren(enum sql_token t)
{
    return words[t].flag == WORD_PAREN;
}

static enum sql_token word_of(const uint8_t *p, size_t n)
{
    enum sql_token w = (enum sql_token)places[WORD_PLACE(p[0], p[n / 2], p[n - 1], n)];

    if (w == TOK_END || words[w].n != n)
        return TOK_NAME;
    for (size_t i = 0; i < n; i++) {
        /* 0x20 tells small letters from capital ones, and '_' from 0x7f, which is in no name. */
        if ((p[i] | 0x20) != ((uint8_t)words[w].text[i] | 0x20))
            return TOK_NAME;
    }
    return w;
}

/* The end of the word that goes on at p. */
static inline const uint8_t *word_end(const uint8_t *p, const uint8_t *end, unsigned *seen)
{
    unsigned c;

    for (; p < end && (c = classes[*p]) != 0; p++)
        *seen |= c;
    return p;
}

/* Whether bytes from 0x80 belong to a name depends on the character set. */
static inline bool unclear(const struct sql_lexer *l, unsigned seen)
{
    return (seen & WIDE) && !l->mode.utf8;
}

/* A word that begins at p, a letter or a wide byte. */
static inline enum sql_token word(struct sql_lexer *l, const uint8_t *p)
{
    unsigned seen = 0;
    const uint8_t *const end = word_end(p, l->end, &seen);

    l->start = p;
    l->p = end;
    l->name_end = end;
    if (seen & WIDE)
        return unclear(l, seen) ? TOK_BAD : TOK_NAME;
    return word_of(p, (size_t)(end - p));
}

void sql_lexer_init(struct sql_lexer *l, struct span text, struct sql_mode mode)
{
    *l = (struct sql_lexer){.p = text.p, .end = text.n ? text.p + text.n : text.p, .mode = mode};
}

/* Take what `at` was found behind; where nothing was found the opening byte alone is bad. */
static enum sql_token found(struct sql_lexer *l, const uint8_t *at, enum sql_token token)
{
    l->p = at ? at : l->end;
    return at ? token : TOK_BAD;
}

static enum sql_token string(struct sql_lexer *l, const uint8_t *p, uint8_t quote)
{
    return found(l, sql_scan_quoted(p, l->end, quote, !l->mode.no_backslash_escapes,
                                    l->mode.pairs),
                 TOK_STRING);
}

static enum sql_token quoted_name(struct sql_lexer *l, const uint8_t *p, uint8_t quote)
{
    enum sql_token token = found(l, sql_scan_quoted(p, l->end, quote, false, l->mode.pairs), TOK_QUOTED);

    l->name_end = l->p;
    return token;
}

/* A dot and letters or digits: behind a word a name, whatever it looks like, else a number or the
 * rest of a name. */
static enum sql_token dotted(struct sql_lexer *l)
{
    const uint8_t *const first = l->start + 1;
    unsigned seen = 0;

    if (*first >= '0' && *first <= '9' && l->name_end != l->start) {
        l->p = sql_scan_fraction(first, l->end);
        return TOK_NUMBER;
    }
    l->p = word_end(first, l->end, &seen);
    l->name_end = l->p;
    return unclear(l, seen) ? TOK_BAD : TOK_DOT_NAME;
}

/* Digits and letters are a name, except that the server cuts 1e5x into a number and a word. */
static enum sql_token digit_name(struct sql_lexer *l, const uint8_t *p)
{
    const uint8_t *at = l->start;

    while (at < p && *at >= '0' && *at <= '9')
        at++;
    l->p = p;
    l->name_end = p;
    if (p - at > 1 && (*at | 0x20) == 'e' && at[1] >= '0' && at[1] <= '9')
        return TOK_BAD;
    return TOK_NAME;
}

static enum sql_token take(struct sql_lexer *l, const uint8_t *p, enum sql_token token)
{
    l->p = p;
    return token;
}

#define YYCTYPE    uint8_t
#define YYPEEK()   (p < end ? *p : 0)
#define YYSKIP()   (++p)
#define YYBACKUP() (mark = p)
#define YYRESTORE() (p = mark)
#define YYLESSTHAN(n) (end - p < (n))

enum sql_token sql_lexer_next(struct sql_lexer *l)
{
    const uint8_t *const end = l->end;
    const uint8_t *p = l->p;
    const uint8_t *mark = p;

    /* Most of a statement is blanks and words. */
    while (p < end && *p == ' ')
        p++;
    if (p < end && classes[*p] == (PART | FIRST))
        return word(l, p);
again:
    l->start = p;
    /*!re2c
    re2c:api = custom;
    re2c:yyfill:enable = 0;
    re2c:eof = 0;
    re2c:indent:string = "    ";

    blank = [ \t\n\v\f\r];
    digit = [0-9];
    hex = [0-9a-fA-F];
    letter = [a-zA-Z_$];
    part = letter | digit;
    wide = [\x80-\xff];
    exponent = [eE] [+-]? digit+;
    operator = [-+*/%<>=!&|^~:{}];

    letter | wide            { return word(l, l->start); }
    digit+                   { return take(l, p, TOK_NUMBER); }
    digit+ exponent          { return take(l, p, TOK_NUMBER); }
    digit+ "." digit* exponent?
                             { return take(l, p, TOK_NUMBER); }
    "0x" hex+                { return take(l, p, TOK_NUMBER); }
    "0b" [01]+               { return take(l, p, TOK_NUMBER); }
    digit part*              { return digit_name(l, p); }
    "." (part | wide)        { return dotted(l); }
    "."                      { return take(l, p, TOK_DOT); }
    "(" { return take(l, p, TOK_OPEN); }
    ")" { return take(l, p, TOK_CLOSE); }
    "," { return take(l, p, TOK_COMMA); }
    ";" { return take(l, p, TOK_SEMICOLON); }
    "?" { return take(l, p, TOK_PARAM); }
    ":=" { return take(l, p, TOK_ASSIGN); }
    blank+ { goto again; }
    operator { return take(l, p, TOK_OPERATOR); }
    "\\N" { return take(l, p, TOK_NUMBER); }

    "'"                      { return string(l, p, '\''); }
    [nN] "'"                 { return string(l, p, '\''); }
    [xX] "'" hex* "'"        { return take(l, p, TOK_STRING); }
    [bB] "'" [01]* "'"       { return take(l, p, TOK_STRING); }
    "\""                     { return l->mode.ansi_quotes ? quoted_name(l, p, '"') : string(l, p, '"'); }
    "`"                      { return quoted_name(l, p, '`'); }

    "@@"                     { return found(l, sql_scan_variable(p, end, l->mode), TOK_SYSTEM_VARIABLE); }
    "@"                      { return found(l, sql_scan_variable(p, end, l->mode), TOK_USER_VARIABLE); }

    "#" | "--" [\x01-\x20\x7f] {
        p = sql_scan_line(p - 1, end);
        if (!p)
            return found(l, p, TOK_BAD);
        goto again;
    }
    "--" {
        if (p == end)
            return take(l, p, TOK_END);
        if (*p >= 0x80 && !l->mode.utf8)
            return take(l, p, TOK_BAD);
        return take(l, p - 1, TOK_OPERATOR);
    }
    "/*" "M"? "!" {
        p = sql_scan_executable(l, p, p[-2] == 'M');
        if (!p)
            return found(l, p, TOK_BAD);
        goto again;
    }
    "/*" {
        p = sql_scan_comment(l, p);
        if (!p)
            return found(l, p, TOK_BAD);
        goto again;
    }
    "*" "/" {
        if (!l->in_executable)
            return take(l, p - 1, TOK_OPERATOR);
        l->in_executable = false;
        goto again;
    }

    $ { return take(l, end, TOK_END); }
    * { return take(l, p, TOK_BAD); }
    */
}
