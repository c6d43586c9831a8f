#include "routing/pattern.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { PAIRS = 32, NAME_MAX_BYTES = 32 };

struct pattern {
    pcre2_code *code;
};

struct pattern_room {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

struct pattern *pattern_new(const char *text, char *why, size_t size)
{
    struct pattern *p = malloc(sizeof *p);
    PCRE2_UCHAR message[128] = "";
    PCRE2_SIZE at = 0;
    int error = 0;

    if (!p) {
        (void)snprintf(why, size, "out of memory");
        return NULL;
    }
    p->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
    if (p->code) {
        (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* without it: slower */
        return p;
    }
    (void)pcre2_get_error_message(error, message, sizeof message);
    (void)snprintf(why, size, "%s at character %zu", (const char *)message, (size_t)at);
    free(p);
    return NULL;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->code);
    free(p);
}

struct pattern_room *pattern_room_new(void)
{
    struct pattern_room *r = malloc(sizeof *r);

    if (!r)
        return NULL;
    r->data = pcre2_match_data_create(PAIRS, NULL);
    r->limits = pcre2_match_context_create(NULL);
    if (r->data && r->limits && pcre2_set_match_limit(r->limits, PATTERN_STEPS) == 0)
        return r;
    pattern_room_free(r);
    return NULL;
}

void pattern_room_free(struct pattern_room *r)
{
    if (!r)
        return;
    pcre2_match_data_free(r->data);
    pcre2_match_context_free(r->limits);
    free(r);
}

static PCRE2_SPTR subject_of(struct span text)
{
    return text.n ? text.p : (PCRE2_SPTR) "";
}

bool pattern_matches(const struct pattern *p, struct pattern_room *r, struct span text,
                     bool *gave_up)
{
    int rc = pcre2_match(p->code, subject_of(text), text.n, 0, 0, r->data, r->limits);

    *gave_up = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

/* `room` bytes of `out` at first; PCRE2_ERROR_NOMEMORY then says in *used how many it takes. */
static int substitute(const struct pattern *p, struct pattern_room *r, struct span text,
                      const char *with, struct buf *out, PCRE2_SIZE *used)
{
    uint8_t *to = buf_reserve(out, *used);

    if (!to)
        return PCRE2_ERROR_INTERNAL;
    return pcre2_substitute(p->code, subject_of(text), text.n, 0,
                            PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY |
                                PCRE2_SUBSTITUTE_OVERFLOW_LENGTH,
                            r->data, r->limits, (PCRE2_SPTR)with, PCRE2_ZERO_TERMINATED, to, used);
}

enum pattern_replaced pattern_replace(const struct pattern *p, struct pattern_room *r,
                                      struct span text, const char *with, struct buf *out)
{
    PCRE2_SIZE used = text.n + strlen(with) + 1; /* with a NUL */
    int rc = substitute(p, r, text, with, out, &used);

    if (rc == PCRE2_ERROR_NOMEMORY)
        rc = substitute(p, r, text, with, out, &used);
    if (rc < 0)
        return PATTERN_FAILED;
    if (rc == 0)
        return PATTERN_NONE;
    out->len += used;
    return PATTERN_REPLACED;
}

/* The group behind a $: digits, or a name; its end, NULL where it is none of the pattern's. */
static const char *known_group(const struct pattern *p, const char *at)
{
    char name[NAME_MAX_BYTES + 1] = "";
    uint32_t groups = 0;
    size_t n = 0;

    while (n < NAME_MAX_BYTES && (isalnum((unsigned char)at[n]) || at[n] == '_')) {
        name[n] = at[n];
        n++;
    }
    if (n == 0)
        return NULL;
    (void)pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (isdigit((unsigned char)name[0]))
        return strspn(name, "0123456789") == n && strtoul(name, NULL, 10) <= groups ? at + n : NULL;
    return pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)name) > 0 ? at + n : NULL;
}

const char *pattern_check_replacement(const struct pattern *p, const char *with)
{
    static const char wrong[] = "has a $ that names no group of `find`; write $$ for a dollar";

    for (const char *at = strchr(with, '$'); at; at = strchr(at, '$')) {
        bool braces = at[1] == '{';

        if (at[1] == '$') {
            at += 2;
            continue;
        }
        at = known_group(p, at + 1 + braces);
        if (!at || (braces && *at != '}'))
            return wrong;
        at += braces;
    }
    return NULL;
}
