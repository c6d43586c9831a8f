#include "protocol/tracking.h"

#include "protocol/ok.h"

#include <stdio.h>
#include <strings.h>

static const char *const transactions[] = {
    [TRACKING_OFF] = "OFF",
    [TRACKING_STATE] = "STATE",
    [TRACKING_CHARACTERISTICS] = "CHARACTERISTICS",
};

void tracking_init(struct tracking *t)
{
    *t = (struct tracking){.schema = true};
    (void)snprintf(t->names, sizeof t->names,
                   "autocommit,character_set_client,character_set_connection,"
                   "character_set_results,time_zone");
}

const char *tracking_transaction_name(const struct tracking *t)
{
    return transactions[t->transaction];
}

/* The part in front of the next slash, taken off `rest`. */
static bool next_part(struct span *rest, struct span *part)
{
    const uint8_t *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;

    if (!slash)
        return false;
    *part = (struct span){rest->p, (size_t)(slash - rest->p)};
    *rest = (struct span){slash + 1, rest->n - part->n - 1};
    return true;
}

static int transaction_of(struct span text)
{
    for (size_t i = 0; i < ARRAY_LEN(transactions); i++)
        if (span_eq(text, transactions[i]))
            return (int)i;
    return -1;
}

bool tracking_parse(struct tracking *t, struct span text)
{
    struct span transaction;
    struct span schema;
    struct span state;
    int found;

    if (!next_part(&text, &transaction) || !next_part(&text, &schema) || !next_part(&text, &state))
        return false;
    found = transaction_of(transaction);
    if (found < 0 || text.n >= sizeof t->names)
        return false;
    *t = (struct tracking){
        .known = true, .schema = span_eq(schema, "ON"), .state = span_eq(state, "ON")};
    t->transaction = (unsigned)found;
    if (text.n)
        memcpy(t->names, text.p, text.n);
    return true;
}

static bool wants_variable(const struct tracking *t, struct span name)
{
    const char *at = t->names;

    if (strcmp(at, "*") == 0)
        return true;
    while (*at) {
        size_t n = strcspn(at, ",");

        if (n == name.n && strncasecmp(at, (const char *)name.p, n) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static bool wants(const struct tracking *t, uint8_t kind)
{
    switch (kind) {
    case CHANGE_SCHEMA:
        return t->schema;
    case CHANGE_STATE:
        return t->state;
    case CHANGE_TX_STATE:
        return t->transaction != TRACKING_OFF;
    case CHANGE_TX_CHARACTERISTICS:
        return t->transaction == TRACKING_CHARACTERISTICS;
    default:
        return false;
    }
}

static void put_entry(struct buf *out, uint8_t kind, struct span entry)
{
    buf_put_u8(out, kind);
    buf_put_lenenc_bytes(out, entry);
}

/* Pairs of a name and a value; MariaDB sends one in each entry. */
static void filter_variables(const struct tracking *t, struct span entry, struct buf *out)
{
    struct cursor c = cursor_span(entry);

    while (cursor_left(&c)) {
        const uint8_t *begin = c.p;
        struct span name = cursor_lenenc_bytes(&c);

        (void)cursor_lenenc_bytes(&c);
        if (!cursor_ok(&c))
            return;
        if (wants_variable(t, name))
            put_entry(out, CHANGE_VARIABLE, (struct span){begin, (size_t)(c.p - begin)});
    }
}

bool tracking_filter(const struct tracking *t, struct span changes, struct buf *out)
{
    struct cursor c = cursor_span(changes);
    size_t before = out->len;
    bool changed = false;

    while (cursor_left(&c)) {
        uint8_t kind = cursor_u8(&c);
        struct span entry = cursor_lenenc_bytes(&c);

        if (!cursor_ok(&c))
            break;
        if (kind == CHANGE_VARIABLE)
            filter_variables(t, entry, out);
        else if (wants(t, kind))
            put_entry(out, kind, entry);
        changed |= kind == CHANGE_TX_CHARACTERISTICS && t->transaction == TRACKING_STATE;
    }
    return changed || out->len > before;
}
