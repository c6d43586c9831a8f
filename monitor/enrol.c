#include "monitor/enrol.h"

#include "base/compiler.h"
#include "protocol/errors.h"

#include <stdio.h>
#include <stdlib.h>

enum { SQL_MAX = 256 };

struct row {
    bool there;
    uint64_t epoch;
};

static bool on_row(void *ctx, const struct probe_row *row)
{
    struct row *r = ctx;

    r->there = row->columns == 1 && row->values[0];
    r->epoch = r->there ? strtoull(row->values[0], NULL, 10) : 0;
    return false;
}

/* A backup may hold up whoever writes: what is asked in between is not to wait for that. */
static enum probe_result write_row(struct probe *p, const struct enrolment *e,
                                   struct probe_answer *a)
{
    char insert[SQL_MAX];
    const char *const sql[] = {
        "SET SESSION sql_log_bin=0",
        "SET STATEMENT lock_wait_timeout=0 FOR CREATE TABLE IF NOT EXISTS tillway.proxy (id BIGINT "
        "UNSIGNED PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB COMMENT='each "
        "server''s own, not replicated'",
        insert,
    };

    (void)snprintf(insert, sizeof insert,
                   "SET STATEMENT lock_wait_timeout=0, innodb_lock_wait_timeout=0 FOR INSERT INTO "
                   "tillway.proxy VALUES (%llu, %llu) ON DUPLICATE KEY UPDATE epoch=VALUES(epoch)",
                   (unsigned long long)e->id, (unsigned long long)e->epoch);
    for (size_t i = 0; i < ARRAY_LEN(sql); i++)
        if (probe_ask(p, sql[i], NULL, NULL, a) != PROBE_OK)
            break;
    if (a->result == PROBE_DENIED)
        a->result = PROBE_OK;
    return a->result;
}

enum probe_result enrol_ask(struct probe *p, const struct enrolment *e, bool *there,
                            struct probe_answer *a)
{
    char sql[SQL_MAX];
    struct row row = {false, 0};

    (void)snprintf(sql, sizeof sql, "SELECT epoch FROM tillway.proxy WHERE id=%llu",
                   (unsigned long long)e->id);
    if (probe_ask(p, sql, on_row, &row, a) != PROBE_OK &&
        (a->result != PROBE_DENIED || a->code != ER_NO_SUCH_TABLE))
        return a->result;
    *there = row.there;
    a->result = PROBE_OK;
    if (row.there && (row.epoch >= e->epoch || e->left < e->epoch))
        return PROBE_OK;
    return write_row(p, e, a);
}

void enrol_end(struct probe *p, uint64_t id)
{
    char sql[SQL_MAX];
    struct probe_answer a;

    (void)snprintf(sql, sizeof sql,
                   "SET STATEMENT lock_wait_timeout=0, innodb_lock_wait_timeout=0 FOR DELETE FROM "
                   "tillway.proxy WHERE id=%llu",
                   (unsigned long long)id);
    if (probe_is_open(p) && probe_ask(p, "SET SESSION sql_log_bin=0", NULL, NULL, &a) == PROBE_OK)
        (void)probe_ask(p, sql, NULL, NULL, &a);
}
