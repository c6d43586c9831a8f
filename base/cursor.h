/* A bounds-checked reader over bytes somebody else owns.
 *
 * Every getter checks the room left by subtraction. The first one that does not fit sets `bad` and
 * moves to the end; from then on all getters answer zero or an empty span, so that a decoder may
 * read a whole structure and check `cursor_ok` once. Integers are little-endian, as on the MySQL
 * wire (https://mariadb.com/kb/en/protocol-data-types/). */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Bytes inside somebody else's memory; not NUL-terminated; p may be NULL only when n is 0. */
struct span {
    const uint8_t *p;
    size_t n;
};

struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct cursor cursor_of(const uint8_t *p, size_t n)
{
    return (struct cursor){p, p ? p + n : p, false};
}

static inline struct cursor cursor_span(struct span s)
{
    return cursor_of(s.p, s.n);
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}

static inline bool cursor_ok(const struct cursor *c)
{
    return !c->bad;
}

/* Whether all was read and nothing was missing. */
static inline bool cursor_done(const struct cursor *c)
{
    return !c->bad && c->p == c->end;
}

/* n bytes, or NULL with `bad` set. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
    const uint8_t *at = c->p;

    if (n > cursor_left(c)) {
        c->bad = true;
        c->p = c->end;
        return NULL;
    }
    c->p = n ? at + n : at;
    return at;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
    (void)cursor_take(c, n);
}

static inline struct span cursor_bytes(struct cursor *c, size_t n)
{
    const uint8_t *at = cursor_take(c, n);

    return c->bad ? (struct span){NULL, 0} : (struct span){at, n};
}

static inline struct span cursor_rest(struct cursor *c)
{
    return cursor_bytes(c, cursor_left(c));
}

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u24(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u48(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);

/* Length-encoded integer; 0xFB (NULL) and 0xFF are bad here. */
uint64_t cursor_lenenc(struct cursor *c);
/* Length-encoded string. */
struct span cursor_lenenc_bytes(struct cursor *c);
/* Up to the NUL byte, which is consumed and not part of the span; bad where there is none. */
struct span cursor_cstr(struct cursor *c);

static inline bool span_same(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_eq(struct span a, const char *text)
{
    size_t n = strlen(text);

    return a.n == n && (n == 0 || memcmp(a.p, text, n) == 0);
}

/* The next four take ASCII's capitals as small letters, as SQL does; `words` ends with NULL. */
static inline bool span_begins_with(struct span s, const char *word)
{
    size_t n = strlen(word);

    return s.n >= n && (n == 0 || strncasecmp((const char *)s.p, word, n) == 0);
}

static inline bool span_is_word(struct span s, const char *word)
{
    return s.n == strlen(word) && span_begins_with(s, word);
}

static inline bool span_is_one_of(struct span s, const char *const *words)
{
    for (; *words; words++)
        if (span_is_word(s, *words))
            return true;
    return false;
}

/* Anywhere, also within another word. */
static inline bool span_holds(struct span s, const char *word)
{
    size_t n = strlen(word);

    for (; s.n > 0 && s.n >= n; s.p++, s.n--)
        if (span_begins_with(s, word))
            return true;
    return false;
}

static inline struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

#endif
