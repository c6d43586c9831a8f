#include "mirror/document/document.h"

#include "mirror/document/page_elements.h"

#include <assert.h>

/* An element that is being built; its objects stand on a stack of their own. */
struct frame {
    int level;
    int op;
    int column; /* of the next value */
    uint32_t index;
    bson_t array;
    bson_t doc; /* unused in the first frame, whose document is the caller's */
    int depth;
    bson_t objects[MAP_DEPTH_MAX];
};

struct builder {
    struct document_merge *m;
    struct frame frames[MAP_DEPTH_MAX];
    int n;
    bson_t *out;
    struct err *e;
};

static struct frame *top(struct builder *b)
{
    return &b->frames[b->n - 1];
}

static bson_t *current(struct builder *b)
{
    struct frame *f = top(b);

    if (f->depth > 0)
        return &f->objects[f->depth - 1];
    return b->n == 1 ? b->out : &f->doc;
}

static const struct map_level *level_of(const struct builder *b, const struct frame *f)
{
    return &b->m->plan->a->levels[f->level];
}

/* Whether the rows waiting at two levels agree in the first n columns of their paths. */
static bool same_path(const struct document_merge *m, int level, int other, int n)
{
    for (int i = 0; i < n; i++) {
        struct span a = m->rows[level]->cells[i];
        struct span b = m->rows[other]->cells[i];

        if (a.n != b.n || !a.p || !b.p || memcmp(a.p, b.p, a.n) != 0)
            return false;
    }
    return true;
}

/* Whether the row waiting at `child` belongs to the row of its parent level. */
static bool belongs(const struct document_merge *m, int child)
{
    return m->has[child] && same_path(m, child, m->plan->a->levels[child].parent,
                                      m->plan->levels[child].n_parent_path);
}

static void next_row(struct document_merge *m, int level)
{
    m->has[level] = m->rows[level] && rows_next(m->rows[level]);
}

/* Past the elements over the array's limit, with all that hangs on them. */
static void skip_rest(struct document_merge *m, int level)
{
    const struct aggregate *a = m->plan->a;

    for (; belongs(m, level); next_row(m, level))
        for (int i = level + 1; i < a->n_levels; i++)
            while (aggregate_within(a, i, level) && m->has[i] &&
                   same_path(m, i, level, m->plan->levels[level].n_path))
                next_row(m, i);
}

void document_begin(struct document_merge *m, const struct plan *plan, struct rows *const *rows)
{
    *m = (struct document_merge){.plan = plan};
    for (int i = 0; i < plan->a->n_levels; i++) {
        m->rows[i] = rows[i];
        next_row(m, i);
    }
}

static void begin_element(struct builder *b)
{
    struct frame *f = top(b);
    const char *name;
    char digits[12];

    if (b->m->keys && f->level == b->m->plan->a->paged)
        page_elements_put_key(b->m->keys, b->m->rows[f->level]->cells + b->m->plan->n_key,
                              b->m->plan->page.n_element);
    f->op = 0;
    f->column = b->m->plan->levels[f->level].n_path;
    f->depth = 0;
    (void)bson_uint32_to_string(f->index++, &name, digits, sizeof digits);
    (void)bson_append_document_begin(&f->array, name, -1, &f->doc);
}

static bool value_op(struct builder *b, const struct map_op *op)
{
    struct frame *f = top(b);
    const struct rows *r = b->m->rows[f->level];
    int column = f->column++;

    f->op++;
    return value_append(current(b), op->name, value_kind_of(op->type, r->kinds[column]),
                        r->cells[column], b->e);
}

/* Skip to behind the END of the object that stands at f->op. */
static void skip_object(const struct map_level *l, struct frame *f)
{
    int depth = 0;

    do {
        const struct map_op *op = &l->ops[f->op++];

        depth += op->kind == MAP_OP_OBJECT;
        depth -= op->kind == MAP_OP_END;
        f->column += op->expr.n > 0;
    } while (depth > 0);
}

static bool object_op(struct builder *b, const struct map_op *op)
{
    struct frame *f = top(b);

    if (op->expr.n && !b->m->rows[f->level]->cells[f->column].p) {
        bool ok = bson_append_null(current(b), op->name, -1);

        skip_object(level_of(b, f), f);
        return ok;
    }
    f->column += op->expr.n > 0;
    f->op++;
    assert(f->depth < MAP_DEPTH_MAX);
    if (!bson_append_document_begin(current(b), op->name, -1, &f->objects[f->depth]))
        return false;
    f->depth++;
    return true;
}

static bool end_op(struct builder *b)
{
    struct frame *f = top(b);
    bson_t *inner = current(b);

    f->depth--;
    f->op++;
    return bson_append_document_end(current(b), inner);
}

static bool array_op(struct builder *b, const struct map_op *op)
{
    struct frame *f = top(b);
    bson_t *doc = current(b);

    f->op++;
    assert(b->n < MAP_DEPTH_MAX);
    b->n++;
    top(b)->level = op->level;
    top(b)->index = 0;
    if (!bson_append_array_begin(doc, op->name, -1, &top(b)->array))
        return false;
    if (belongs(b->m, op->level)) {
        begin_element(b);
        return true;
    }
    b->n--;
    return bson_append_array_end(doc, &b->frames[b->n].array);
}

/* Whether the elements that are left go into the next page, which begins at the one that waits. */
static bool page_full(struct builder *b)
{
    struct document_merge *m = b->m;
    const struct frame *f = top(b);

    if (f->level != m->plan->a->paged)
        return false;
    m->elements = f->index;
    if (!m->cut || f->index < m->cut || !belongs(m, f->level))
        return false;
    m->more = true;
    for (int i = 0; i < m->plan->page.n_element; i++)
        m->next[i] = m->rows[f->level]->cells[m->plan->n_key + i];
    return true;
}

/* An element is complete: the next of its array, or back to the one around. */
static bool finish_element(struct builder *b)
{
    struct frame *f = top(b);

    if (!bson_append_document_end(&f->array, &f->doc))
        return false;
    next_row(b->m, f->level);
    if (level_of(b, f)->limit && f->index >= level_of(b, f)->limit)
        skip_rest(b->m, f->level);
    if (!page_full(b) && belongs(b->m, f->level)) {
        begin_element(b);
        return true;
    }
    b->n--;
    return bson_append_array_end(current(b), &f->array);
}

/* Whether a field is a column of the root's key: those stand in every page. */
static bool key_field(const struct aggregate *a, const struct map_op *op)
{
    const struct map_level *root = aggregate_root(a);

    if (op->kind != MAP_OP_VALUE || op->fold != MAP_FOLD_NONE || op->expr.n != 1 ||
        op->expr.pieces[0].text[0])
        return false;
    for (int i = 0; i < root->n_key; i++)
        if (op->expr.pieces[0].ref.table == 0 &&
            op->expr.pieces[0].ref.column == root->key[i].column)
            return true;
    return false;
}

/* A page has the key's fields and its elements; other fields of the root are in the head. */
static bool left_out(struct builder *b, const struct map_op *op)
{
    const struct aggregate *a = b->m->plan->a;
    struct frame *f = top(b);

    if (b->n > 1 || !b->m->from || key_field(a, op) ||
        (op->kind == MAP_OP_ARRAY && op->level == a->paged))
        return false;
    if (op->kind == MAP_OP_OBJECT) {
        skip_object(level_of(b, f), f);
        return true;
    }
    f->column += op->kind == MAP_OP_VALUE;
    f->op++;
    return true;
}

static bool step(struct builder *b)
{
    const struct frame *f = top(b);
    const struct map_op *op = &level_of(b, f)->ops[f->op];

    if (left_out(b, op))
        return true;
    switch (op->kind) {
    case MAP_OP_VALUE:
        return value_op(b, op);
    case MAP_OP_ARRAY:
        return array_op(b, op);
    case MAP_OP_OBJECT:
        return object_op(b, op);
    case MAP_OP_END:
        return end_op(b);
    }
    return false;
}

static bool build(struct builder *b)
{
    for (;;) {
        const struct frame *f = top(b);

        if (f->op < level_of(b, f)->n_ops) {
            if (!step(b))
                return false;
        } else if (b->n == 1) {
            return true;
        } else if (!finish_element(b)) {
            return false;
        }
    }
}

/* Whether rows of some level ended too early. */
static bool broken(const struct document_merge *m, struct err *e)
{
    for (int i = 0; i < m->plan->a->n_levels; i++)
        if (m->rows[i] && m->rows[i]->broken)
            return !err_set(e, ERR_DATA, "%s: a sum's number can't be read",
                            m->plan->a->collection);
    return false;
}

/* Nothing may be left over: rows without a parent would mean that results don't fit together. */
static int finish(struct document_merge *m, struct err *e)
{
    if (broken(m, e))
        return -1;
    for (int i = 1; i < m->plan->a->n_levels; i++) {
        if (!m->has[i])
            continue;
        (void)err_set(e, ERR_DATA, "%s: rows of `%s` have no parent row", m->plan->a->collection,
                      m->plan->a->levels[i].name);
        return -1;
    }
    return 0;
}

/* `_id`, and where in the root's elements the document stands. */
static bool begin_document(struct document_merge *m, bson_t *out, struct err *e)
{
    const struct rows *root = m->rows[0];
    const struct rows *paged = m->rows[m->plan->a->paged];

    if (m->begun)
        m->from = m->more ? m->begin : NULL;
    memcpy(m->begin, m->next, sizeof m->begin);
    memcpy(m->root, root->cells, (size_t)m->plan->n_key * sizeof *m->root);
    m->begun = true;
    m->more = false;
    m->elements = 0;
    if (m->keys)
        buf_clear(m->keys);
    e->kind = ERR_NONE;
    if (m->from)
        return document_page_id(m->plan, paged->kinds, root->cells, m->from, out, e);
    return document_id(m->plan, root->kinds, root->cells, out, e);
}

int document_next(struct document_merge *m, bson_t *out, struct err *e)
{
    struct builder b = {.m = m, .n = 1, .out = out, .e = e};

    if (!m->has[0])
        return finish(m, e);
    b.frames[0].column = m->plan->n_key;
    if (!begin_document(m, out, e))
        return -1;
    if (!build(&b)) {
        if (e->kind == ERR_NONE)
            (void)err_set(e, ERR_DATA, "%s: a document is too large", m->plan->a->collection);
        return -1;
    }
    if (!m->more)
        next_row(m, 0);
    return broken(m, e) ? -1 : 1;
}
