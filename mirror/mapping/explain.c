#include "mirror/mapping/explain.h"

#include "mirror/choose.h"
#include "mirror/document/fetch.h"
#include "mirror/mapping/schema.h"

enum { EXAMPLES = 50, KEYS_MAX = 1 << 20 };

/* The largest document so far. */
struct example {
    bson_t *doc;
};

static void print_columns(FILE *out, const struct map_table *t, const int16_t *columns, int n)
{
    for (int i = 0; i < n; i++)
        (void)fprintf(out, "%s%s", i ? ", " : "", t->columns[columns ? columns[i] : i].name);
}

/* "d.T (a, b)" and where the mapping has it. */
static void print_use(FILE *out, const struct aggregate *a, int use)
{
    const struct map_table *t = &a->tables[use];

    (void)fprintf(out, "  %s.%s", t->database, t->name);
    if (strcmp(t->alias, t->name) != 0)
        (void)fprintf(out, " as %s", t->alias);
    (void)fputs(" (", out);
    print_columns(out, t, NULL, t->n_columns);
    (void)fputs(")", out);
    if (t->level > 0)
        (void)fprintf(out, " in %s", a->levels[t->level].name);
    (void)fputs("\n", out);
}

static void print_walk(FILE *out, const struct plan *p, int use)
{
    const struct plan_walk *w = &p->walks[use];
    const struct map_table *t = &p->a->tables[use];

    (void)fputs("    a change of these columns, an insert or a delete touches the document", out);
    if (use == 0) {
        (void)fputs(" of the row itself\n", out);
    } else if (w->direct) {
        (void)fputs(" whose key stands in (", out);
        print_columns(out, t, w->handle, w->n_handle);
        (void)fputs(")\n", out);
    } else {
        (void)fprintf(out, "s found by\n      %s%s", w->select, w->from);
        for (int i = 0; i < w->n_handle; i++)
            (void)fprintf(out, "%s%s = :%s", i ? " AND " : "", w->match[i],
                          t->columns[w->handle[i]].name);
        (void)fputs("\n", out);
    }
}

static bool take_example(void *to, const bson_t *id, bson_t *doc, struct err *e)
{
    struct example *x = to;

    (void)id;
    (void)e;
    if (!doc || (x->doc && x->doc->len >= doc->len))
        return true;
    if (x->doc)
        bson_destroy(x->doc);
    x->doc = bson_copy(doc);
    return true;
}

static bool print_example(FILE *out, const struct plan *p, struct source *s, struct err *e)
{
    struct example x = {NULL};
    struct directory pages;
    struct keyset keys;
    struct fetch f;
    size_t done = 0;
    bool ok;

    directory_init(&pages, p->n_key, p->page.n_element, 0);
    fetch_init(&f, p, s, take_example, &x);
    f.directory = &pages;
    keyset_init(&keys, p->n_key, KEYS_MAX);
    ok = fetch_next_keys(&f, &keys, EXAMPLES, e) && fetch_keys(&f, &keys, &done, keys.n, e);
    keyset_free(&keys);
    fetch_free(&f);
    directory_free(&pages);
    if (ok && x.doc) {
        char *json = bson_as_relaxed_extended_json(x.doc, NULL);

        (void)fprintf(out, "  for example\n    %s\n", json ? json : "");
        bson_free(json);
    } else if (ok) {
        (void)fputs("  no example: there are no rows\n", out);
    }
    if (x.doc)
        bson_destroy(x.doc);
    return ok;
}

bool explain_run(struct engine *w, FILE *out, struct err *e)
{
    struct choice c;
    bool ok;

    if (!choose_source(w->conf, NULL, 0, &c, e))
        return false;
    ok = schema_check(w->mapping, c.source, e);
    for (int i = 0; ok && i < w->n; i++) {
        const struct plan *p = w->plans[i];

        (void)fprintf(out, "%s: a document for each row of %s.%s\n", p->a->collection,
                      p->a->tables[0].database, p->a->tables[0].name);
        for (int k = 0; k < p->a->n_tables; k++) {
            print_use(out, p->a, k);
            print_walk(out, p, k);
        }
        (void)fprintf(out, "  to shard it: sh.shardCollection(\"%s.%s\", {_id: \"hashed\"})\n",
                      w->conf->mirror.database, p->a->collection);
        ok = print_example(out, p, c.source, e);
    }
    source_close(c.source);
    return ok;
}
