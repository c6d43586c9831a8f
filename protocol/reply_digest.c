#include "protocol/reply_digest.h"

void reply_digest_begin(struct reply_digest *d)
{
    (void)XXH64_reset(&d->state, 0);
}

static void add(struct reply_digest *d, const void *p, size_t n)
{
    if (n)
        (void)XXH64_update(&d->state, p, n);
}

static void add_ok(struct reply_digest *d, const struct ok *ok)
{
    const uint64_t said[] = {
        ok->header,         ok->affected_rows,
        ok->last_insert_id, ok->status & (uint16_t) ~(unsigned)STATUS_SESSION_STATE_CHANGED,
        ok->warnings,       ok->info.n,
    };

    add(d, said, sizeof said);
    add(d, ok->info.p, ok->info.n);
}

static void add_error(struct reply_digest *d, const struct server_error *e)
{
    add(d, &e->code, sizeof e->code);
    add(d, e->sqlstate, sizeof e->sqlstate);
}

void reply_digest_step(struct reply_digest *d, const struct reply *r, const uint8_t *at,
                       const struct reply_out *step)
{
    bool last = step->event == REPLY_OK || step->event == REPLY_ERROR;

    add(d, at, last ? step->last : step->pass);
    if (step->columns.put_in)
        add(d, step->insert.p, step->insert.n);
    if (step->event == REPLY_OK)
        add_ok(d, &r->ok);
    else if (step->event == REPLY_ERROR)
        add_error(d, &r->error);
}

uint64_t reply_digest_value(const struct reply_digest *d)
{
    return XXH64_digest(&d->state);
}
