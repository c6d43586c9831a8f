#include "mirror/document/page.h"

#include <stdlib.h>

enum { IDS_MAX = 256 << 20, SHOW = 120, DEPTH_MAX = 64, PATH_MAX_BYTES = 1024 };

void page_init(struct page *p)
{
    *p = (struct page){.items = NULL};
    keyset_init(&p->ids, 1, IDS_MAX);
}

static void drop(bson_t *doc)
{
    if (doc)
        bson_destroy(doc);
}

void page_clear(struct page *p)
{
    for (size_t i = 0; i < p->ids.n; i++) {
        drop(p->items[i].sql);
        drop(p->items[i].mongo);
    }
    keyset_clear(&p->ids);
}

void page_free(struct page *p)
{
    page_clear(p);
    free(p->items);
    keyset_free(&p->ids);
}

static bool grow(struct page *p)
{
    size_t room = p->room ? p->room * 2 : 256;
    struct page_item *items = realloc(p->items, room * sizeof *items);

    if (!items)
        return false;
    p->items = items;
    p->room = room;
    return true;
}

bool page_take(void *to, const bson_t *id, bson_t *doc, struct err *e)
{
    struct page *p = to;
    struct span key = {bson_get_data(id), id->len};

    if (p->ids.n == p->room && !grow(p))
        return err_set(e, ERR_IO, "out of memory");
    if (!keyset_add(&p->ids, &key))
        return !p->ids.full || err_set(e, ERR_IO, "out of memory");
    p->items[p->ids.n - 1] = (struct page_item){.sql = doc ? bson_copy(doc) : NULL};
    return true;
}

bool page_id(const struct page *p, size_t i, bson_t *out)
{
    struct span id;

    keyset_get(&p->ids, i, &id);
    return bson_init_static(out, id.p, id.n);
}

/* {_id: {$in: […]}} */
static bson_t *filter_of(const struct page *p)
{
    bson_t *filter = bson_new();
    bson_t condition;
    bson_t list;

    (void)bson_append_document_begin(filter, "_id", -1, &condition);
    (void)bson_append_array_begin(&condition, "$in", -1, &list);
    for (size_t i = 0; i < p->ids.n; i++) {
        char name[24];
        bson_iter_t it;
        bson_t id;

        (void)snprintf(name, sizeof name, "%zu", i);
        if (page_id(p, i, &id) && bson_iter_init_find(&it, &id, "_id"))
            (void)bson_append_iter(&list, name, -1, &it);
    }
    (void)bson_append_array_end(&condition, &list);
    (void)bson_append_document_end(filter, &condition);
    return filter;
}

static void compare_one(struct page *p, const bson_t *mongo)
{
    bson_t id = BSON_INITIALIZER;
    bson_t plain = BSON_INITIALIZER;
    bson_iter_t it;
    struct span key;
    int64_t i;

    if (bson_iter_init_find(&it, mongo, "_id"))
        (void)bson_append_iter(&id, "_id", -1, &it);
    key = (struct span){bson_get_data(&id), id.len};
    i = keyset_find(&p->ids, &key);
    if (i >= 0) {
        struct page_item *item = &p->items[i];

        bson_copy_to_excluding_noinit(mongo, &plain, "_tillway", NULL);
        item->equal = item->sql && bson_equal(item->sql, &plain);
        item->mongo = item->equal ? NULL : bson_copy(mongo);
    }
    bson_destroy(&id);
    bson_destroy(&plain);
}

bool page_compare(struct page *p, struct sink *s, const char *collection, struct err *e)
{
    bson_t *filter = filter_of(p);
    struct sink_cursor *c = sink_find(s, collection, filter, NULL);
    const bson_t *doc;
    int got;

    for (size_t i = 0; i < p->ids.n; i++)
        p->items[i].equal = p->items[i].sql == NULL; /* until MongoDB shows one */
    while ((got = sink_next(c, &doc, e)) == 1)
        compare_one(p, doc);
    sink_cursor_free(c);
    bson_destroy(filter);
    return got == 0;
}

/* A value as JSON, cut. */
static void show(FILE *out, const bson_iter_t *it)
{
    bson_t doc = BSON_INITIALIZER;
    size_t n = 0;
    char *json;

    (void)bson_append_iter(&doc, "", 0, it);
    json = bson_as_relaxed_extended_json(&doc, &n);
    /* { "" : VALUE } */
    if (json && n > 9)
        (void)fprintf(out, "%.*s%s", (int)(n - 9 > SHOW ? SHOW : n - 9), json + 7,
                      n - 9 > SHOW ? "…" : "");
    bson_free(json);
    bson_destroy(&doc);
}

static bool same_value(const bson_iter_t *a, const bson_iter_t *b)
{
    bson_t x = BSON_INITIALIZER;
    bson_t y = BSON_INITIALIZER;
    bool same;

    (void)bson_append_iter(&x, "", 0, a);
    (void)bson_append_iter(&y, "", 0, b);
    same = bson_equal(&x, &y);
    bson_destroy(&x);
    bson_destroy(&y);
    return same;
}

static bool nested(const bson_iter_t *it)
{
    return BSON_ITER_HOLDS_DOCUMENT(it) || BSON_ITER_HOLDS_ARRAY(it);
}

/* Step both to their first difference; false where one of them ends there (the other may too). */
static bool first_difference(bson_iter_t *a, bson_iter_t *b, bool *a_has, bool *b_has)
{
    do {
        *a_has = bson_iter_next(a);
        *b_has = bson_iter_next(b);
        if (!*a_has || !*b_has)
            return false;
    } while (strcmp(bson_iter_key(a), bson_iter_key(b)) == 0 && same_value(a, b));
    return true;
}

static void print_ends(FILE *out, const bson_iter_t *mongo, const bson_iter_t *sql)
{
    (void)fputs(": MongoDB has ", out);
    if (mongo)
        show(out, mongo);
    else
        (void)fputs("nothing", out);
    (void)fputs(", SQL says ", out);
    if (sql)
        show(out, sql);
    else
        (void)fputs("nothing", out);
    (void)fputc('\n', out);
}

/* Down from two different values of one name to the first place where they differ. */
static void print_difference(FILE *out, bson_iter_t mongo, bson_iter_t sql)
{
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        bson_iter_t m;
        bson_iter_t s;
        bool m_has;
        bool s_has;

        if (!nested(&mongo) || bson_iter_type(&mongo) != bson_iter_type(&sql) ||
            !bson_iter_recurse(&mongo, &m) || !bson_iter_recurse(&sql, &s))
            break;
        if (!first_difference(&m, &s, &m_has, &s_has) ||
            strcmp(bson_iter_key(&m), bson_iter_key(&s)) != 0) {
            if (m_has || s_has)
                (void)fprintf(out, ".%s", m_has ? bson_iter_key(&m) : bson_iter_key(&s));
            print_ends(out, m_has ? &m : NULL, s_has && !m_has ? &s : NULL);
            return;
        }
        (void)fprintf(out, ".%s", bson_iter_key(&m));
        mongo = m;
        sql = s;
    }
    print_ends(out, &mongo, &sql);
}

static void print_head(FILE *out, const struct page *p, size_t i, const char *collection)
{
    bson_iter_t it;
    bson_t id;

    (void)fprintf(out, "%s ", collection);
    if (page_id(p, i, &id) && bson_iter_init_find(&it, &id, "_id"))
        show(out, &it);
}

/* Fields of `doc` that `other` lacks or (in one direction) has differently. */
static void print_fields(const struct page *p, size_t i, const char *collection, FILE *out)
{
    const struct page_item *item = &p->items[i];
    bson_iter_t a;
    bson_iter_t b;

    for (bool ok = bson_iter_init(&a, item->sql); ok && bson_iter_next(&a);) {
        bool has = bson_iter_init_find(&b, item->mongo, bson_iter_key(&a));

        if (has && same_value(&a, &b))
            continue;
        print_head(out, p, i, collection);
        (void)fprintf(out, ": %s", bson_iter_key(&a));
        if (has)
            print_difference(out, b, a);
        else
            print_ends(out, NULL, &a);
    }
    for (bool ok = bson_iter_init(&b, item->mongo); ok && bson_iter_next(&b);) {
        if (strcmp(bson_iter_key(&b), "_tillway") == 0 ||
            bson_iter_init_find(&a, item->sql, bson_iter_key(&b)))
            continue;
        print_head(out, p, i, collection);
        (void)fprintf(out, ": %s", bson_iter_key(&b));
        print_ends(out, &b, NULL);
    }
}

void page_print(const struct page *p, size_t i, const char *collection, FILE *out)
{
    const struct page_item *item = &p->items[i];

    if (item->sql && item->mongo) {
        print_fields(p, i, collection, out);
        return;
    }
    print_head(out, p, i, collection);
    (void)fputs(item->sql ? ": missing in MongoDB\n" : ": MongoDB has it, SQL does not\n", out);
}
