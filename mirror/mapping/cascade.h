/* Foreign keys that act: ON DELETE CASCADE and SET NULL, ON UPDATE likewise. InnoDB writes no row
 * events for what they change, at any depth.
 *
 * This is the graph of such keys that lead to mapped tables, from wherever, and what the binlog
 * said of the rows that are referred to. A key's child rows are found by SQL: those that a deleted
 * or renamed parent had, in the snapshot where the last batch ended; those that a renamed one has
 * now, in the new one (mirror/follow.h). Rows that the binlog moved to such a parent meanwhile are
 * told by their own events, and their children by the keys in `maybe`. One thread. */
#ifndef MIRROR_CASCADE_H
#define MIRROR_CASCADE_H

#include "mirror/mapping/foreign_key.h"
#include "mirror/mapping/keyset.h"
#include "mirror/mapping/plan.h"
#include "mirror/source/source.h"
#include "protocol/binlog/binlog_group.h"

enum { CASCADE_TABLES_MAX = 64, CASCADE_KEYS_MAX = 128 };

/* A use of the table by an aggregate: what touch_link wants. */
struct cascade_use {
    int aggregate;
    int table;
    int n_handle;
    int handle[MAP_KEY_MAX]; /* columns of the node */
};

struct cascade_table {
    char *database, *name;
    int n_columns; /* those that keys and uses need */
    char *columns[MAP_COLUMNS_MAX];
    enum map_class classes[MAP_COLUMNS_MAX];
    int n_uses;
    struct cascade_use *uses;
    bool child; /* of some key */
    /* As its events have it: */
    uint64_t serial;
    int at[MAP_COLUMNS_MAX];
    bool foreign; /* the events' table lacks columns: it was another one then */
};

struct cascade_key {
    int child, parent; /* tables */
    int n;
    int columns[FOREIGN_KEY_COLUMNS_MAX];    /* of the child … */
    int referenced[FOREIGN_KEY_COLUMNS_MAX]; /* … and the parent */
    enum foreign_key_rule on_delete, on_update;
    bool blind; /* its columns do not compare as text (FLOAT, BIT) */
    /* Referenced values, in order of arrival; `done` of each are followed. */
    struct keyset deleted; /* of parents that are gone: look in the old snapshot */
    struct keyset renamed; /* of parents that have other values now: likewise */
    struct keyset names;   /* what they have now: look in the new one */
    struct keyset maybe;   /* of parents that the binlog has named otherwise */
    size_t deleted_done, renamed_done, names_done;
};

struct cascade {
    int n_tables;
    struct cascade_table tables[CASCADE_TABLES_MAX];
    int n_keys;
    struct cascade_key keys[CASCADE_KEYS_MAX];
    uint32_t reached; /* aggregates, a bit each, that a cascade may change */
    bool acted;       /* since the last clear */
    bool lost;        /* what it did can't be found any more */
    struct buf text;
};

/* Read the foreign keys of the mapped tables, of those they refer to, and so on. NULL with `e`. */
struct cascade *cascade_load(struct plan *const *plans, int n, struct source *s,
                             struct err *e) MUST_CHECK;
void cascade_free(struct cascade *c);

/* Whether the table is referred to by such a key; its rows are wanted. */
bool cascade_wants(const struct cascade *c, const struct binlog_table *table);
/* One changed row; *acted: it may have changed others. */
bool cascade_change(struct cascade *c, const struct binlog_change *change, bool *acted,
                    struct err *e) MUST_CHECK;
/* Whether a DDL statement names one of the tables (or their databases). */
bool cascade_mentions(const struct cascade *c, struct span sql, bool database);
void cascade_clear(struct cascade *c);

/* A key's values out of the columns of a row; false where one is NULL. */
bool cascade_tuple(const int *columns, int n, const struct span *cells, struct span *tuple);

#endif
