#include "mirror/document/validator.h"

#include <assert.h>
#include <stdio.h>

enum {
    TYPES_MAX = 4,
    FRAMES_MAX = MAP_DEPTH_MAX * MAP_DEPTH_MAX, /* objects inside each level's elements */
    DECIMAL_DIGITS = 34,                        /* what has more is text */
    SQL_MAX = 1 << 20,
};

/* Names of BSON's types. */
struct types {
    const char *names[TYPES_MAX];
    int n;
};

/* An object whose fields are being collected. */
struct frame {
    const struct map_op *op; /* an array, whose elements it is, or an object; NULL: neither */
    int level;
    bson_t properties;
    bson_t required;
    uint32_t n_required;
};

struct maker {
    const struct plan *plan;
    struct rows *const *rows;
    int op[MAP_LEVELS_MAX];     /* the next one of each level … */
    int column[MAP_LEVELS_MAX]; /* … and its column */
    struct frame frames[FRAMES_MAX];
    int n;
};

static void put_types(bson_t *schema, const struct types *t)
{
    bson_t list;

    if (t->n == 1) {
        (void)bson_append_utf8(schema, "bsonType", -1, t->names[0], -1);
        return;
    }
    (void)bson_append_array_begin(schema, "bsonType", -1, &list);
    for (int i = 0; i < t->n; i++)
        (void)bson_append_utf8(&list, (const char[]){(char)('0' + i), '\0'}, -1, t->names[i], -1);
    (void)bson_append_array_end(schema, &list);
}

/* What value_append makes of a column's values. */
static void put_value(bson_t *schema, const struct rows *r, int column, enum map_type type,
                      bool present)
{
    static const struct types of_kind[] = {
        [VALUE_TEXT] = {{"string"}, 1},
        [VALUE_INT] = {{"long", "decimal", "string"}, 3},
        [VALUE_DECIMAL] = {{"decimal", "string"}, 2},
        [VALUE_DOUBLE] = {{"double"}, 1},
        [VALUE_DATE] = {{"date"}, 1},
        [VALUE_BINARY] = {{"binData"}, 1},
        [VALUE_BOOL] = {{"bool"}, 1},
    };
    enum value_kind column_kind = r->kinds[column];
    enum value_kind kind = value_kind_of(type, column_kind);
    struct types t = of_kind[kind];

    if (kind == VALUE_INT && type == MAP_TYPE_AUTO)
        t.n = 2;
    if (kind == VALUE_DECIMAL && column_kind == VALUE_DECIMAL &&
        r->shapes[column].digits <= DECIMAL_DIGITS)
        t.n = 1;
    if (!present || kind == VALUE_DATE) /* zero dates are null */
        t.names[t.n++] = "null";
    put_types(schema, &t);
}

/* Whether a field is never null. What CAST makes a text or a date of may be nothing. */
static bool value_present(const struct aggregate *a, const struct map_op *op)
{
    if (op->type == MAP_TYPE_TEXT || op->type == MAP_TYPE_DATE)
        return false;
    if (op->fold != MAP_FOLD_NONE)
        return op->fold == MAP_FOLD_SUM || op->fold == MAP_FOLD_COUNT;
    return op->expr.n == 1 && !op->expr.pieces[0].text[0] && op->expr.pieces[0].ref.table >= 0 &&
           aggregate_present(a, op->expr.pieces[0].ref);
}

static void frame_begin(struct frame *f, const struct map_op *op, int level)
{
    f->op = op;
    f->level = level;
    f->n_required = 0;
    bson_init(&f->properties);
    bson_init(&f->required);
}

static void add_field(struct frame *f, const char *name, const bson_t *schema, bool required)
{
    char number[12];

    (void)bson_append_document(&f->properties, name, -1, schema);
    if (!required)
        return;
    (void)snprintf(number, sizeof number, "%u", f->n_required++);
    (void)bson_append_utf8(&f->required, number, -1, name, -1);
}

/* Into `schema`: an object of just these fields. */
static void frame_end(struct frame *f, bool present, bson_t *schema)
{
    const struct types t = {{"object", "null"}, present ? 1 : 2};

    put_types(schema, &t);
    if (f->n_required > 0)
        (void)bson_append_array(schema, "required", -1, &f->required);
    (void)bson_append_document(schema, "properties", -1, &f->properties);
    (void)bson_append_bool(schema, "additionalProperties", -1, false);
    bson_destroy(&f->properties);
    bson_destroy(&f->required);
}

/* The key of a level, as document_id writes it; `at`: its first column. */
static void put_key(const struct maker *m, int level, int at, bson_t *schema)
{
    const struct aggregate *a = m->plan->a;
    const struct map_level *l = &a->levels[level];
    const struct rows *r = m->rows[level];
    struct frame f;

    if (l->n_key == 1) {
        put_value(schema, r, at, MAP_TYPE_AUTO, aggregate_present(a, l->key[0]));
        return;
    }
    frame_begin(&f, NULL, level);
    for (int i = 0; i < l->n_key; i++) {
        bson_t value = BSON_INITIALIZER;

        put_value(&value, r, at + i, MAP_TYPE_AUTO, aggregate_present(a, l->key[i]));
        add_field(&f, a->tables[l->key[i].table].columns[l->key[i].column].name, &value, true);
        bson_destroy(&value);
    }
    frame_end(&f, true, schema);
}

/* A page's `_id`: see document_page_id. */
static void put_page_id(const struct maker *m, bson_t *schema)
{
    bson_t k = BSON_INITIALIZER;
    bson_t from = BSON_INITIALIZER;
    struct frame f;

    put_key(m, 0, 0, &k);
    put_key(m, m->plan->a->paged, m->plan->n_key, &from);
    frame_begin(&f, NULL, 0);
    add_field(&f, "k", &k, true);
    add_field(&f, "from", &from, true);
    frame_end(&f, true, schema);
    bson_destroy(&from);
    bson_destroy(&k);
}

static void put_id(const struct maker *m, bson_t *schema)
{
    bson_t any;
    bson_t one;

    if (!m->plan->a->paged) {
        put_key(m, 0, 0, schema);
        return;
    }
    (void)bson_append_array_begin(schema, "anyOf", -1, &any);
    (void)bson_append_document_begin(&any, "0", -1, &one);
    put_key(m, 0, 0, &one);
    (void)bson_append_document_end(&any, &one);
    (void)bson_append_document_begin(&any, "1", -1, &one);
    put_page_id(m, &one);
    (void)bson_append_document_end(&any, &one);
    (void)bson_append_array_end(schema, &any);
}

static struct frame *top(struct maker *m)
{
    return &m->frames[m->n - 1];
}

static void push(struct maker *m, const struct map_op *op, int level)
{
    assert(m->n < FRAMES_MAX);
    frame_begin(&m->frames[m->n++], op, level);
}

/* What the mirror adds to every document. */
static void add_own(struct maker *m)
{
    bson_t id = BSON_INITIALIZER;
    bson_t *mark = BCON_NEW("bsonType", "object");

    put_id(m, &id);
    add_field(top(m), "_id", &id, true);
    add_field(top(m), "_tillway", mark, true);
    bson_destroy(mark);
    bson_destroy(&id);
}

/* Pages have the paged array, and of the other fields those of the key. */
static bool in_all(const struct maker *m, const struct map_op *op)
{
    return !m->plan->a->paged || m->n > 1 ||
           (op->kind == MAP_OP_ARRAY && op->level == m->plan->a->paged);
}

static void add_value(struct maker *m, const struct map_op *op)
{
    struct frame *f = top(m);
    bson_t value = BSON_INITIALIZER;

    put_value(&value, m->rows[f->level], m->column[f->level]++, op->type,
              value_present(m->plan->a, op));
    add_field(f, op->name, &value, in_all(m, op));
    bson_destroy(&value);
}

/* The innermost object is complete: a field of the one around. */
static void pop(struct maker *m)
{
    struct frame *f = top(m);
    const struct map_op *op = f->op;
    bson_t whole = BSON_INITIALIZER;
    bson_t field = BSON_INITIALIZER;

    frame_end(f, op->kind == MAP_OP_ARRAY || op->expr.n == 0, &whole);
    m->n--;
    if (op->kind == MAP_OP_ARRAY)
        BCON_APPEND(&field, "bsonType", "array", "items", BCON_DOCUMENT(&whole));
    else
        (void)bson_concat(&field, &whole);
    add_field(top(m), op->name, &field, in_all(m, op));
    bson_destroy(&field);
    bson_destroy(&whole);
}

/* False at the document's end. */
static bool step(struct maker *m)
{
    int level = top(m)->level;
    const struct map_level *l = &m->plan->a->levels[level];
    const struct map_op *op = &l->ops[m->op[level]];

    if (m->op[level] == l->n_ops) {
        if (m->n > 1)
            pop(m);
        return m->n > 1 || level > 0;
    }
    m->op[level]++;
    switch (op->kind) {
    case MAP_OP_VALUE:
        add_value(m, op);
        break;
    case MAP_OP_ARRAY:
        push(m, op, op->level);
        break;
    case MAP_OP_OBJECT:
        m->column[level] += op->expr.n > 0;
        push(m, op, level);
        break;
    case MAP_OP_END:
        pop(m);
        break;
    }
    return true;
}

void validator_make(const struct plan *plan, struct rows *const *rows, bson_t *out)
{
    struct maker m = {.plan = plan, .rows = rows};
    bson_t schema;

    for (int i = 0; i < plan->a->n_levels; i++)
        m.column[i] = plan->levels[i].n_path;
    push(&m, NULL, 0);
    add_own(&m);
    while (step(&m))
        ;
    (void)bson_append_document_begin(out, "$jsonSchema", -1, &schema);
    (void)bson_append_utf8(&schema, "title", -1, SINK_VALIDATOR_TITLE, -1);
    frame_end(top(&m), true, &schema);
    (void)bson_append_document_end(out, &schema);
}

/* A level's rows, of which there are none. */
static struct rows *ask(const struct plan_level *l, struct source *source, struct err *e)
{
    struct buf sql = buf_with_max(SQL_MAX);
    struct rows *r = NULL;

    buf_printf(&sql, "%sFALSE%s", l->head, l->tail);
    if (buf_ok(&sql))
        r = source_query(source, buf_span(&sql), e);
    else
        (void)err_set(e, ERR_IO, "out of memory");
    buf_free(&sql);
    return r;
}

bool validator_set(const struct plan *plan, struct source *source, struct sink *s,
                   const bson_t *collections, struct err *e)
{
    struct rows *rows[MAP_LEVELS_MAX] = {NULL};
    const char *collection = plan->a->collection;
    bson_t validator = BSON_INITIALIZER;
    bool ok = true;

    if (!sink_validates(s))
        return sink_validator(s, collections, collection, NULL, e);
    for (int i = 0; ok && i < plan->a->n_levels; i++) {
        rows[i] = ask(&plan->levels[i], source, e);
        ok = rows[i] != NULL;
    }
    if (ok)
        validator_make(plan, rows, &validator);
    for (int i = 0; i < plan->a->n_levels; i++)
        rows_free(rows[i]);
    ok = ok && sink_validator(s, collections, collection, &validator, e);
    bson_destroy(&validator);
    return ok;
}
