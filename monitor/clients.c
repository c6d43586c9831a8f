/* A commit that waits for an acknowledgement would hold read_only up for ever; nobody has been told
 * of it. The one that waits for its whole group goes last: behind it those that were not killed
 * before are told that they are through (MariaDB 10.11.19: 9 of 480, in this order none). So they
 * are looked at anew for each: meanwhile another one may wait. */
#include "monitor/clients.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS_MAX = 1000 };

/* One of those that wait for no replica, and one of those that do. */
static const char next_sql[] =
    "SELECT MIN(IF(state='Waiting for semi-sync ACK from slave', NULL, id)), "
    "MIN(IF(state='Waiting for semi-sync ACK from slave', id, NULL)) "
    "FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND "
    "user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1)) AND "
    "command NOT IN ('Killed', 'Binlog Dump')";

static bool on_next(void *ctx, const struct probe_row *row)
{
    unsigned long *next = ctx;

    for (unsigned i = 0; i < row->columns && !*next; i++)
        *next = row->values[i] ? strtoul(row->values[i], NULL, 10) : 0;
    return false;
}

bool clients_end(struct probe *p, struct probe_answer *a)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        unsigned long next = 0;
        char sql[64];

        if (probe_ask(p, next_sql, on_next, &next, a) != PROBE_OK)
            return false;
        if (!next)
            break;
        (void)snprintf(sql, sizeof sql, "KILL %lu", next);
        (void)probe_ask(p, sql, NULL, NULL, a); /* it may have left by itself */
        if (!probe_is_open(p))
            return false;
    }
    return true;
}
