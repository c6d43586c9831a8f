#include "monitor/doubt.h"

#include "base/clock.h"
#include "base/compiler.h"
#include "protocol/errors.h"

#include <stdio.h>
#include <string.h>

#define ROOM_INTERVAL_NS (1 * CLOCK_NS_PER_S)

/* So often in a row there must be no room: it may have been somebody's temporary file. */
enum { FULL_IN_A_ROW = 2 };

/* No large row: one that found room for a part of it ended mariadbd 10.11.19. */
static const char *const room_sql[] = {
    "SET SESSION sql_log_bin=0",
    "CREATE OR REPLACE TABLE tillway.room (a INT) ENGINE=InnoDB",
    "INSERT INTO tillway.room VALUES (1)",
    "DROP TABLE IF EXISTS tillway.room",
};

void doubt_note(struct doubt *d, unsigned suspicions)
{
    d->no_login = d->no_login || suspicions & 1u << SUSPECT_NO_LOGIN;
    d->no_room = d->no_room || suspicions & 1u << SUSPECT_NO_ROOM;
}

/* The server counts as one that does not answer; never as one that is gone for certain, for another
 * connection holds. */
static enum probe_result blame(struct probe_answer *a, const char *what, const char *why)
{
    char text[SERVER_WHY_MAX];

    (void)snprintf(text, sizeof text, "%s%s", what, why);
    *a = (struct probe_answer){.result = PROBE_TIMEOUT};
    (void)snprintf(a->why, sizeof a->why, "%s", text);
    return a->result;
}

bool doubt_is_full(const struct probe_answer *a)
{
    static const char *const words[] = {"Errcode: 28 ", "errno: 28 ", "errno: 135 "};
    bool full = a->code == ER_DISK_FULL || a->code == ER_RECORD_FILE_FULL;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        full = full || strstr(a->why, words[i]);
    return a->result == PROBE_DENIED && full;
}

/* An answer that does not come, or is another error, tells nothing: the account was not let in,
 * somebody has locked the tables, or there is no database `tillway` yet. */
static void look_for_room(struct doubt *d, uint64_t now_ns)
{
    struct probe_answer a = {.result = probe_is_open(d->probe) ? PROBE_OK : PROBE_LOST};

    for (size_t i = 0; i < ARRAY_LEN(room_sql) && a.result == PROBE_OK; i++)
        (void)probe_ask(d->probe, room_sql[i], NULL, NULL, &a);
    d->no_room = doubt_is_full(&a);
    d->full = d->no_room ? d->full + 1 : 0;
    d->room_ns = d->no_room ? d->room_ns : now_ns;
    d->room_at_ns = now_ns + ROOM_INTERVAL_NS;
}

static bool is_answer(enum probe_result r)
{
    return r == PROBE_OK || r == PROBE_DENIED;
}

/* An error in answer to the log-in is an answer. */
static bool is_let_in(struct doubt *d, struct probe_answer *a)
{
    d->no_login = !is_answer(probe_open(d->probe, a));
    return !d->no_login;
}

/* It let nobody in, as `a` says: in silence, or it died under the question. */
static enum probe_result blame_or_bury(struct doubt *d, struct probe_answer *a)
{
    struct probe_answer open;

    if (a->result == PROBE_TIMEOUT || is_answer(probe_ask(d->open, "DO 0", NULL, NULL, &open)))
        return blame(a, "it lets nobody in any more: ", a->why);
    *a = open;
    return a->result;
}

enum probe_result doubt_ask(struct doubt *d, uint64_t now_ns, struct probe_answer *a)
{
    bool room_is_due = d->no_room && now_ns >= d->room_at_ns;

    if ((d->no_login || room_is_due) && !is_let_in(d, a))
        return blame_or_bury(d, a);
    if (room_is_due)
        look_for_room(d, now_ns);
    probe_close(d->probe);
    if (d->full >= FULL_IN_A_ROW)
        return blame(a, "its disk is full: ", "writes find no room");
    a->result = PROBE_OK;
    return PROBE_OK;
}
