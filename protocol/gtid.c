#include "protocol/gtid.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Digits up to the first byte that is none; false where there are none or they pass `max`. */
static bool parse_number(struct cursor *c, uint64_t max, uint64_t *out)
{
    const uint8_t *first = c->p;
    uint64_t v = 0;

    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
        unsigned digit = (unsigned)(*c->p - '0');

        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return c->p > first;
}

static bool parse_byte(struct cursor *c, uint8_t byte)
{
    if (c->p == c->end || *c->p != byte)
        return false;
    c->p++;
    return true;
}

static bool parse_one(struct cursor *c, struct gtid *g)
{
    uint64_t domain;
    uint64_t server;

    if (!parse_number(c, UINT32_MAX, &domain) || !parse_byte(c, '-') ||
        !parse_number(c, UINT32_MAX, &server) || !parse_byte(c, '-') ||
        !parse_number(c, UINT64_MAX, &g->seq))
        return false;
    g->domain = (uint32_t)domain;
    g->server = (uint32_t)server;
    return true;
}

static void skip_blanks(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || (*c->p >= '\t' && *c->p <= '\r')))
        c->p++;
}

bool gtid_parse(struct span text, struct gtid *g)
{
    struct cursor c = cursor_span(text);
    struct gtid parsed;

    if (!parse_one(&c, &parsed) || c.p != c.end)
        return false;
    *g = parsed;
    return true;
}

/* Where the domain stands, or where it would have to be put. */
static uint32_t place_of(const struct gtid_set *s, uint32_t domain)
{
    uint32_t i = 0;

    while (i < s->count && s->at[i].domain < domain)
        i++;
    return i;
}

static bool holds(const struct gtid_set *s, uint32_t place, uint32_t domain)
{
    return place < s->count && s->at[place].domain == domain;
}

static bool insert_at(struct gtid_set *s, uint32_t place, const struct gtid *g)
{
    if (s->count >= GTID_DOMAINS_MAX)
        return false;
    memmove(&s->at[place + 1], &s->at[place], (s->count - place) * sizeof s->at[0]);
    s->at[place] = *g;
    s->count++;
    return true;
}

bool gtid_set_parse(struct span text, struct gtid_set *s)
{
    struct gtid_set parsed = {0};
    struct cursor c = cursor_span(text);
    struct gtid g;

    skip_blanks(&c);
    while (c.p < c.end) {
        uint32_t place;

        if (!parse_one(&c, &g))
            return false;
        place = place_of(&parsed, g.domain);
        if (holds(&parsed, place, g.domain) || !insert_at(&parsed, place, &g))
            return false;
        skip_blanks(&c);
        if (c.p == c.end)
            break;
        if (!parse_byte(&c, ','))
            return false;
        skip_blanks(&c);
        if (c.p == c.end)
            return false;
    }
    *s = parsed;
    return true;
}

void gtid_set_format(const struct gtid_set *s, char *out, size_t size)
{
    size_t at = 0;

    assert(size >= GTID_SET_TEXT_MAX);
    out[0] = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gtid *g = &s->at[i];
        int n = snprintf(out + at, size - at, "%s%" PRIu32 "-%" PRIu32 "-%" PRIu64, i ? "," : "",
                         g->domain, g->server, g->seq);

        assert(n > 0 && (size_t)n < size - at);
        at += (size_t)n;
    }
}

bool gtid_set_advance(struct gtid_set *s, const struct gtid *g)
{
    uint32_t place = place_of(s, g->domain);

    if (!holds(s, place, g->domain))
        return insert_at(s, place, g);
    if (g->seq > s->at[place].seq)
        s->at[place] = *g;
    return true;
}

bool gtid_set_merge(struct gtid_set *s, const struct gtid_set *more)
{
    bool room = true;

    for (uint32_t i = 0; i < more->count; i++)
        room = gtid_set_advance(s, &more->at[i]) && room;
    return room;
}

bool gtid_set_put(struct gtid_set *s, const struct gtid *g)
{
    uint32_t place = place_of(s, g->domain);

    if (!holds(s, place, g->domain))
        return insert_at(s, place, g);
    s->at[place] = *g;
    return true;
}

const struct gtid *gtid_set_of(const struct gtid_set *s, uint32_t domain)
{
    uint32_t place = place_of(s, domain);

    return holds(s, place, domain) ? &s->at[place] : NULL;
}

bool gtid_set_covers(const struct gtid_set *have, const struct gtid_set *need)
{
    for (uint32_t i = 0; i < need->count; i++) {
        const struct gtid *g = gtid_set_of(have, need->at[i].domain);

        if (need->at[i].seq > (g ? g->seq : 0))
            return false;
    }
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct gtid *x = &a->at[i];
        const struct gtid *y = &b->at[i];

        if (x->domain != y->domain || x->server != y->server || x->seq != y->seq)
            return false;
    }
    return true;
}
