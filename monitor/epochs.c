#include "monitor/epochs.h"

#include "monitor/enrol.h"
#include "protocol/errors.h"

#include <stdlib.h>

/* There is no row, nor its table, on a server no Tillway has acted on. */
static const char row_sql[] =
    "SELECT epoch, joined, primary_epoch, @@global.rpl_semi_sync_slave_enabled AND "
    "@@global.rpl_semi_sync_slave_trace_level=33 FROM tillway.member WHERE id=1";

static bool on_row(void *ctx, const struct probe_row *row)
{
    struct facts *f = ctx;
    uint64_t value[4] = {0};

    for (unsigned i = 0; i < 4 && i < row->columns; i++)
        value[i] = row->values[i] ? strtoull(row->values[i], NULL, 10) : 0;
    f->row = (struct failover_row){value[0], value[1], value[2]};
    f->acks = value[3] != 0;
    return false;
}

static enum probe_result ask_row(struct probe *p, struct facts *f, struct probe_answer *a)
{
    if (probe_ask(p, row_sql, on_row, f, a) == PROBE_OK)
        return PROBE_OK;
    if (a->result == PROBE_DENIED && (a->code == ER_NO_SUCH_TABLE || a->code == ER_BAD_DB_ERROR)) {
        f->row = (struct failover_row){0, 0, 0};
        a->result = PROBE_OK;
    }
    return a->result;
}

/* Behind the row: whoever promotes has that one changed before he looks who is enrolled. */
static enum probe_result ask_enrolment(struct probe *p, const struct epochs_terms *t,
                                       struct facts *f, struct probe_answer *a)
{
    struct enrolment e = {.id = t->id, .epoch = f->row.epoch};

    f->enrolled = false;
    if (!e.epoch)
        return PROBE_OK;
    e.left = t->left(t->ctx);
    return enrol_ask(p, &e, &f->enrolled, a);
}

/* Who has just enrolled asks again: from there on the server's word counts. Not at the next probe,
 * for whoever was expelled is to hear of the next primary before what he waits for at the last one
 * is answered. */
enum probe_result epochs_ask(struct probe *p, const struct epochs_terms *t, struct facts *f,
                             struct probe_answer *a)
{
    for (int i = 0; i < 2; i++) {
        if (ask_row(p, f, a) != PROBE_OK || ask_enrolment(p, t, f, a) != PROBE_OK)
            return a->result;
        if (f->enrolled || !f->row.epoch)
            break;
    }
    return PROBE_OK;
}
