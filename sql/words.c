#include "sql/words.h"

#include "sql/lexer.h"

enum { PART = 1, WIDE = 2 };

/* What may stand in an unquoted name: letters, digits, '_', '$'; and bytes from 0x80. */
/* clang-format off */
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1,
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
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

static enum sql_token word_of(const uint8_t *p, size_t n)
{
    unsigned place = WORD_PLACE(p[0], p[n / 2], p[n - 1], n);
    enum sql_token w = (enum sql_token)places[place];

    if (w == TOK_END || words[w].n != n)
        return TOK_NAME;
    for (size_t i = 0; i < n; i++) {
        /* 0x20 tells small letters from capital ones, and '_' from 0x7f, which is in no name. */
        if ((p[i] | 0x20) != ((uint8_t)words[w].text[i] | 0x20))
            return TOK_NAME;
    }
    return w;
}

enum sql_token sql_scan_word(struct sql_lexer *l, const uint8_t *p)
{
    const uint8_t *const begin = l->start;
    unsigned seen = classes[*begin];
    unsigned c;

    for (; p < l->end && (c = classes[*p]) != 0; p++)
        seen |= c;
    l->p = p;
    l->name_end = p;
    if (seen & WIDE) {
        /* Whether such bytes belong to a name depends on the character set. */
        return l->mode.utf8 ? TOK_NAME : TOK_BAD;
    }
    return word_of(begin, (size_t)(p - begin));
}

bool sql_word_takes_paren(enum sql_token t)
{
    return words[t].flag == WORD_PAREN;
}
