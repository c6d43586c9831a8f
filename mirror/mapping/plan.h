/* The SQL of an aggregate: what fetches a level's rows for some root keys, what walks from a
 * changed row to the roots it shows in. Pure text; made once from the mapping, immutable.
 *
 * Rows of level L come as path, values: the path is the root's key, then each level's key down to
 * L's own; rows are ordered so that a parent's elements stand together, in the parent's order. */
#ifndef MIRROR_PLAN_H
#define MIRROR_PLAN_H

#include "base/buf.h"
#include "mirror/mapping/keyset.h"
#include "mirror/mapping/mapping_page.h"
#include "mirror/mapping/plan_rows.h"

enum { PLAN_SQL_MAX = 16 << 20 };

struct plan_level {
    char *head;                      /* "SELECT … FROM … WHERE " */
    size_t head_tables, lean_tables; /* where the tables begin, in `head` and in `lean` */
    char *lean;  /* the same where the mirror makes the sums (plan_lean): NULL in their places, and
                  * what  they run over behind the values of the array's rows. NULL: as `head` */
    char *bare;  /* as `lean` where that is in use, without the joins of plan->joins: NULL in the
                  * places of their values. NULL: there are none here */
    char *tail;  /* " AND … GROUP BY … ORDER BY …": behind the condition on the root's key */
    char *loose; /* the same without an order of its own; see plan_tail */
    /* Both, where groups can be made without the table whose key they are; NULL: they can't. */
    char *late_head, *late_tail;
    int n_path; /* leading columns that are the path */
    int n_parent_path;
    struct plan_extra extras[PLAN_EXTRAS_MAX];
    int n_extras;
};

/* From a changed row of one table use to root keys. */
struct plan_walk {
    bool direct;                 /* the handle is a root key, in another order perhaps */
    int direct_at[MAP_KEY_MAX];  /* root key column i is handle column direct_at[i] */
    int n_handle;                /* columns of the changed row that lead on … */
    int16_t handle[MAP_KEY_MAX]; /* … indexes into the use's columns */
    char *select;                /* "SELECT STRAIGHT_JOIN DISTINCT … FROM " … */
    char *from;                  /* … tables, outwards from that of `match`: "… WHERE " */
    char *match[MAP_KEY_MAX];    /* what the handle's columns are compared with */
};

/* Of an aggregate with a paged array. Its key is the element; root and element together say where a
 * row shows. */
struct plan_page {
    struct plan_walk pairs[MAP_TABLES_MAX]; /* from a changed row inside to roots and elements */
    int n_element;
    char *element_names[MAP_KEY_MAX];
    char *count; /* "SELECT root key, COUNT(*) FROM … WHERE " */
    char *count_names[MAP_KEY_MAX];
    char *bounds; /* "WITH elements (k0, …, n) AS (SELECT element, … FROM … WHERE " … */
    char *bounds_tail; /* " AND … GROUP BY …) SELECT k0, … WHERE n > 1 AND 1 = n % " */
};

struct plan {
    const struct aggregate *a;
    struct plan_fold folds[PLAN_FOLDS_MAX];
    int n_folds;
    struct plan_join joins[PLAN_JOINS_MAX];
    int n_joins;
    struct plan_level levels[MAP_LEVELS_MAX];
    struct plan_walk walks[MAP_TABLES_MAX];
    char *keys;                   /* "SELECT root key FROM root WHERE " */
    char *key_names[MAP_KEY_MAX]; /* "t0.`id`" */
    int n_key;
    struct plan_page page; /* a->paged */
};

/* NULL: no memory. `a` must outlive it. */
struct plan *plan_new(const struct aggregate *a);
void plan_free(struct plan *p);

/* How a row of a table use leads to what shows it: to a root and an element where it stands inside
 * a paged array, else to a root. */
static inline const struct plan_walk *plan_use_walk(const struct plan *p, int table)
{
    return aggregate_paged_use(p->a, table) ? &p->page.pairs[table] : &p->walks[table];
}

/* Whether a level's groups are made by `late_head`: its sums are exact, and what links to the table
 * tells its rows apart. */
bool plan_late(const struct plan *p, int level);
/* "SELECT … FROM … WHERE " of a level. */
const char *plan_head(const struct plan *p, int level);
/* What stands behind the condition on the root's key. Returns by how many of the first columns,
 * which are numbers, the reader must put the rows in order; 0: the SQL does. It spares MariaDB a
 * temporary table and a sort: by its indexes the rows come in that order already, nearly always. */
int plan_tail(struct buf *out, const struct plan *p, int level);
/* Whether rows of a level may come out of several SELECTs joined by UNION ALL: the reader puts them
 * in order, and MariaDB prints them as it does those of one (MIN and MAX of BIT it does not). */
bool plan_united(const struct plan *p);

/* One value as an SQL literal. */
void plan_literal(struct buf *out, enum map_class class, struct span text);

/* A table of numbers that a statement begins with: "WITH name (k0, …) AS (VALUES (…)", a row a
 * call, then its end. */
void plan_rows_add(struct buf *out, const char *name, const struct span *row, int n, bool first);
void plan_rows_end(struct buf *out);

/* The condition that (names) are among tuples; add one tuple a call, which must stay as it is until
 * the next. Those that share all but the last column become one list where they stand side by side:
 * a thousand of two columns took MariaDB a half to a twentieth of the time of as many ORs. */
struct plan_in {
    struct buf *out;
    char *const *names;
    const enum map_class *classes;
    int n_names;
    int n;
    struct span last[KEYSET_WIDTH_MAX]; /* the tuple before, but its last column */
};
static inline struct plan_in plan_in_begin(struct buf *out, char *const *names,
                                           const enum map_class *classes, int n_names)
{
    return (struct plan_in){.out = out, .names = names, .classes = classes, .n_names = n_names};
}
void plan_in_add(struct plan_in *in, const struct span *tuple);
void plan_in_end(struct plan_in *in);

/* What some handles of a walk lead to, by one statement: links [from, …), as many as are good for
 * one. Returns where the rest begins. */
size_t plan_walk_put(struct buf *out, const struct plan_walk *w, const enum map_class *classes,
                     const struct keyset *links, size_t from);

/* "names > tuple" in key order, for going through a table by its key. */
void plan_after(struct buf *out, const struct plan *p, const enum map_class *classes,
                const struct span *tuple);
/* " ORDER BY key LIMIT n" for `keys`. */
void plan_key_order(struct buf *out, const struct plan *p, unsigned limit);

/* Changes when any of the SQL or the documents' form does. */
uint64_t plan_fingerprint(struct plan *const *plans, int n);

/* A SELECT of an expression and of the columns that it names in braces; it fails where the
 * expression uses others. */
void plan_probe(const struct aggregate *a, const struct map_expr *x, struct buf *out);

#endif
