/* The mapping of rows to documents, as the configuration's `mirror.aggregates` says it.
 *
 * An aggregate is a tree of levels: level 0 is the document, each other one an array in its
 * parent's element. A level has one driving table and any number of to-one joins. Tables and
 * columns are numbered per use, so that a table may be used several times. Immutable but for the
 * column classes, the sums' exactness and the links' uniqueness that schema_check fills in before
 * anybody else reads. */
#ifndef MIRROR_MAPPING_H
#define MIRROR_MAPPING_H

#include "base/compiler.h"
#include "base/err.h"
#include "conf/node.h"
#include "mirror/mapping/mapping_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAP_AGGREGATES_MAX = 32,
    MAP_TABLES_MAX = 32,  /* uses of tables in an aggregate */
    MAP_COLUMNS_MAX = 64, /* different columns of one use */
    MAP_LEVELS_MAX = 16,
    MAP_DEPTH_MAX = 8, /* arrays or objects inside each other */
    MAP_OPS_MAX = 256, /* fields, arrays and object ends of an aggregate */
    MAP_KEY_MAX = 8,   /* columns of a key, a link, an order, a group */
    MAP_PIECES_MAX = 32,
    MAP_LIMIT_MAX = 1000000,
    MAP_PAGE_MIN = 2,
    MAP_PAGE_MAX = 100000,
};

/* A column of one of the aggregate's table uses. */
struct map_ref {
    int16_t table; /* -1: none */
    int16_t column;
};

struct map_column {
    const char *name;
    const struct conf_node *at; /* where the mapping first names it */
    enum map_class class;
    bool nullable, integer; /* once the schema was seen; a YEAR is an integer */
};

struct map_table {
    const struct conf_node *at;
    const char *database, *name;
    const char *alias; /* in the mapping; in SQL it is t<index> */
    int level;
    int parent;    /* the table it is linked to; -1 for the root */
    bool joined;   /* a to-one join; else its level's driving table */
    bool required; /* a join without which the element is left out */
    bool unique;   /* `on` tells rows apart, once the schema was seen */
    int n_on;
    int16_t on[MAP_KEY_MAX];        /* own columns … */
    int16_t on_parent[MAP_KEY_MAX]; /* … equal these of the parent */
    int n_columns;
    struct map_column columns[MAP_COLUMNS_MAX];
};

/* SQL text with references: text, ref, text, ref, …; the last ref may be none. */
struct map_piece {
    const char *text;
    struct map_ref ref;
};

struct map_expr {
    const struct conf_node *at;
    int n;
    struct map_piece *pieces;
};

/* A level's document is made by running its ops in order. */
enum map_op_kind { MAP_OP_VALUE, MAP_OP_ARRAY, MAP_OP_OBJECT, MAP_OP_END };

struct map_op {
    enum map_op_kind kind;
    const char *name;
    const struct conf_node *at;
    struct map_expr expr; /* VALUE; OBJECT: none, or what must not be NULL */
    enum map_type type;
    enum map_fold fold;
    bool exact; /* of a sum, once the schema was seen: numbers whose printed digits are all they
                   have */
    int of;     /* VALUE with a fold: the child level it runs over; -1: the level's own group */
    int level;  /* ARRAY: which */
};

struct map_order {
    struct map_ref ref;
    bool descending;
};

struct map_level {
    const struct conf_node *at;
    const char *name; /* the array's field; the collection for level 0 */
    int parent;       /* level; -1 */
    int depth;        /* 0 for the root */
    int table;        /* the driving one */
    bool grouped;     /* key are the group's columns */
    int n_key;
    struct map_ref key[MAP_KEY_MAX];
    int n_order;
    struct map_order order[MAP_KEY_MAX];
    unsigned limit;        /* elements of an array that are shown; 0: all */
    unsigned page;         /* elements a document takes of it; 0: all. Of one array at most */
    struct map_expr where; /* n 0: none */
    int n_ops;
    struct map_op *ops;
};

struct aggregate {
    const char *collection;
    int n_tables;
    struct map_table tables[MAP_TABLES_MAX];
    int n_levels;
    struct map_level levels[MAP_LEVELS_MAX];
    const struct conf_node *indexes; /* lists of fields' names; NULL: none */
    int paged;                       /* the level whose elements are spread over pages; 0: none */
};

struct map_memory;

struct mapping {
    int n;
    struct aggregate *aggregates[MAP_AGGREGATES_MAX];
    struct map_memory *memory; /* pieces, ops, texts */
};

/* Read the list `mirror.aggregates`, whose nodes must outlive the mapping. NULL with `e` (ERR_USAGE
 * at line and column). */
struct mapping *mapping_new(const struct conf_node *aggregates, struct err *e) MUST_CHECK;
void mapping_free(struct mapping *m);

static inline const struct map_level *aggregate_root(const struct aggregate *a)
{
    return &a->levels[0];
}

/* Whether a column is never NULL where its level has an element, once the schema was seen. */
static inline bool aggregate_present(const struct aggregate *a, struct map_ref r)
{
    const struct map_table *t = &a->tables[r.table];

    return !t->columns[r.column].nullable && (!t->joined || t->required);
}

#endif
