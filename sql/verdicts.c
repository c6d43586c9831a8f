#include "sql/verdicts.h"

#include "sql/fingerprint.h"
#include "sql/lookup.h"
#include "sql/template.h"

#include <xxhash.h>

static uint8_t lexis(struct sql_mode mode, const struct sql_names *names)
{
    unsigned views = names && names->view_acts;

    return (uint8_t)((unsigned)mode.ansi_quotes | (unsigned)mode.no_backslash_escapes << 1 |
                     (unsigned)mode.oracle << 2 | (unsigned)mode.utf8 << 3 |
                     (unsigned)mode.pairs << 4 | (names ? 1u : 0u) << 6 | views << 7);
}

/* False: nothing is remembered of such a text. */
static bool make_key(struct span text, struct sql_mode mode, const struct sql_names *names,
                     struct verdict_key *out)
{
    struct span schema = names ? names->schema : (struct span){NULL, 0};
    size_t head = 2 + schema.n;
    size_t n;

    if (text.n > VERDICT_TEXT_MAX || schema.n > VERDICT_SCHEMA_MAX)
        return false;
    out->bytes[0] = lexis(mode, names);
    out->bytes[1] = (uint8_t)schema.n;
    if (schema.n)
        memcpy(out->bytes + 2, schema.p, schema.n);
    n = sql_template(text, mode, out->bytes + head);
    out->n = (uint16_t)(head + n);
    out->names_version = names ? names->version : 0;
    out->hash = XXH3_64bits_withSeed(out->bytes, out->n, out->names_version);
    return n > 0;
}

static bool is_same(const struct verdict_key *a, const struct verdict_key *b)
{
    return a->hash == b->hash && a->names_version == b->names_version && a->n == b->n &&
           memcmp(a->bytes, b->bytes, a->n) == 0;
}

/* Whether its class is that of its template, and points to nothing in the text. */
static bool is_of_template(const struct sql_class *c)
{
    switch (c->kind) {
    case SQL_SELECT:
    case SQL_INSERT:
    case SQL_UPDATE:
    case SQL_DELETE:
    case SQL_REPLACE:
    case SQL_CALL:
    case SQL_BEGIN:
    case SQL_COMMIT:
    case SQL_ROLLBACK:
        return c->statements == 1 && c->function.n == 0;
    default:
        return false;
    }
}

static void remember(struct verdict_row *row, const struct verdict_key *key, struct span text,
                     struct sql_mode mode, const struct sql_class *statement)
{
    row->key.hash = key->hash;
    row->key.names_version = key->names_version;
    row->key.n = key->n;
    memcpy(row->key.bytes, key->bytes, key->n);
    row->statement = *statement;
    row->fingerprint = sql_is_read(statement) ? sql_fingerprint(text, mode) : 0;
}

uint64_t verdicts_classify(struct verdicts *v, struct span text, struct sql_mode mode,
                           const struct sql_names *names, struct sql_class *out)
{
    struct verdict_key key;
    struct verdict_row *row = NULL;

    if (make_key(text, mode, names, &key)) {
        row = &v->rows[key.hash % VERDICT_ROWS];
        if (is_same(&row->key, &key)) {
            *out = row->statement;
            return row->fingerprint;
        }
    }
    sql_classify_with(text, mode, false, names, out);
    if (!row || !is_of_template(out))
        return 0;
    remember(row, &key, text, mode, out);
    return row->fingerprint;
}
