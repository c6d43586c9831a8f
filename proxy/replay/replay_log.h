/* What a client has sent in its open transaction, and a digest of what it was told, so that the
 * transaction can be done again on another primary and be seen to come out the same. Pure.
 *
 * Empty outside of a transaction. What can't be done again closes the log: `closed` says why, and
 * nothing is kept until the next transaction. */
#ifndef PROXY_REPLAY_LOG_H
#define PROXY_REPLAY_LOG_H

#include "base/buf.h"
#include "proxy/session/stmts.h"

struct replay_entry {
    uint8_t byte;      /* the command's */
    struct stmt *stmt; /* EXECUTE: the log holds it while the session has closed it, too */
    size_t at;         /* its packet in `bytes`, header and all */
    size_t n;
    uint64_t digest;    /* of the reply */
    uint64_t insert_id; /* the first that it generated; 0: none */
    uint64_t sent_ms;   /* wall clock: what NOW() was, as far as clocks agree */
    uint32_t seeds[2];  /* what its RAND() began with; 0: it has none, or not of ours */
};

struct replay_log {
    struct buf bytes;
    struct replay_entry *entries;
    size_t count;
    size_t room;
    uint64_t insert_id; /* LAST_INSERT_ID() before the first of them; 0: not known */
    const char *closed; /* static words; NULL: it is open */
};

/* `budget`: bytes that the packets of one transaction may take. */
void replay_log_init(struct replay_log *l, uint64_t budget);
void replay_log_free(struct replay_log *l);
/* A transaction ended. */
void replay_log_clear(struct replay_log *l);
void replay_log_close(struct replay_log *l, const char *why);
/* Append; `packet` is copied. Closes the log where the budget is passed. */
void replay_log_add(struct replay_log *l, const struct replay_entry *e, struct span packet);
/* The entry's packet, which may be written into. */
static inline uint8_t *replay_log_packet(const struct replay_log *l, const struct replay_entry *e)
{
    return l->bytes.data + e->at;
}

#endif
