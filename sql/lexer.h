/* The tokens of a statement as MariaDB cuts them (sql_lex.cc of 10.11), with what a routing
 * decision needs of each and no more: numbers, strings and operators have no value here.
 *
 * Reads each byte of the text at most a small number of times and none outside it; no NUL is needed
 * behind it. Where the server's reading is in doubt the answer is TOK_BAD, never a guess. */
#ifndef SQL_LEXER_H
#define SQL_LEXER_H

#include "base/cursor.h"
#include "sql/classify.h"
#include "sql/words.h"

#include <stdbool.h>
#include <stdint.h>

enum sql_token {
    TOK_END,
    TOK_BAD,      /* nothing the lexer can follow; it goes on behind the byte */
    TOK_NAME,     /* also a number with letters behind it, 1st */
    TOK_QUOTED,   /* `name`, "name" under ANSI_QUOTES: with its quotes */
    TOK_DOT_NAME, /* .name: never a keyword */
    TOK_STRING,
    TOK_NUMBER,
    TOK_PARAM, /* ? */
    TOK_USER_VARIABLE,
    TOK_SYSTEM_VARIABLE, /* @@ and the name behind it */
    TOK_ASSIGN,          /* := */
    TOK_OPEN,
    TOK_CLOSE,
    TOK_COMMA,
    TOK_SEMICOLON,
    TOK_DOT,
    TOK_OPERATOR, /* any other */
#define X(name, first, middle, last, n, flag) W_##name,
    SQL_WORDS(X)
#undef X
        TOK_COUNT,
};

struct sql_lexer {
    const uint8_t *p; /* the next byte */
    const uint8_t *end;
    const uint8_t *start;    /* of the token told last */
    const uint8_t *name_end; /* of the word told last: ".5e3" right behind it is a name */
    struct sql_mode mode;
    bool doubtful;      /* met a comment whose content some servers execute and some do not */
    bool in_executable; /* inside of one that is read as code now */
    struct sql_hints hints;
};

void sql_lexer_init(struct sql_lexer *l, struct span text, struct sql_mode mode);
/* The next token; its text is [l->start, l->p). TOK_END for ever at the end. */
enum sql_token sql_lexer_next(struct sql_lexer *l);

static inline struct span sql_lexer_text(const struct sql_lexer *l)
{
    return (struct span){l->start, (size_t)(l->p - l->start)};
}

/* Whether a '(' behind the word is no call of a function. */
bool sql_word_takes_paren(enum sql_token t);

/* Parts of the lexer in sql/scan.c. Each takes the place behind what opened it and answers the
 * place behind the whole, or NULL where it does not end. */
const uint8_t *sql_scan_quoted(const uint8_t *p, const uint8_t *end, uint8_t quote,
                               bool backslash_escapes, enum sql_pairs pairs);
const uint8_t *sql_scan_line(const uint8_t *p, const uint8_t *end);
/* A comment in the C style; sets the lexer's hints. */
const uint8_t *sql_scan_comment(struct sql_lexer *l, const uint8_t *p);
/* Behind the '!' of an executable comment: where its code begins; or, where no supported server
 * executes it, behind it. `maria`: it began with an M. */
const uint8_t *sql_scan_executable(struct sql_lexer *l, const uint8_t *p, bool maria);
/* A number that began with a dot, at its first digit. */
const uint8_t *sql_scan_fraction(const uint8_t *p, const uint8_t *end);
/* Behind the '@': the variable's name in one of its spellings. */
const uint8_t *sql_scan_variable(const uint8_t *p, const uint8_t *end, struct sql_mode mode);

/* A name without its quotes, or without the dot in front of it. */
struct span sql_unquoted(struct span name);
/* Whether it is letters, digits and _ alone: not in quotes, not of several parts. */
bool sql_is_plain_name(struct span name);

/* In a set of depths of parentheses, 0 to 63. */
static inline void sql_set_bit(uint64_t *set, unsigned bit, bool on)
{
    uint64_t mask = UINT64_C(1) << bit;

    *set = on ? *set | mask : *set & ~mask;
}

#endif
