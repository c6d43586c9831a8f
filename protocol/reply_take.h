/* What the reply tracker does with one packet; protocol/reply.c is the only user. */
#ifndef PROTOCOL_REPLY_TAKE_H
#define PROTOCOL_REPLY_TAKE_H

#include "protocol/reply_edit.h"

/* Of struct reply; protocol/reply.c draws them. */
enum reply_phase {
    PHASE_FIRST,
    PHASE_DEFS,
    PHASE_ROWS,
    PHASE_PREPARED,
    PHASE_LAST,
    PHASE_DONE,
};

enum reply_step {
    STEP_ON,   /* go on with the next step */
    STEP_WAIT, /* more bytes are needed */
    STEP_OUT,  /* `out` is filled */
};

/* The bytes at hand. */
struct reply_view {
    uint8_t *buf;
    size_t n;
    size_t at; /* bytes done: they pass */
    size_t max_whole;
    struct reply_out *out;
};

/* The packet at view.at. */
struct reply_head {
    struct packet_header h;
    uint8_t first; /* byte of the payload */
    uint8_t *payload;
};

static inline bool reply_wants_eof(const struct reply *r)
{
    return !(r->client_caps & CAP_DEPRECATE_EOF);
}

/* Whether its sequence number follows that of the packet before. */
static inline bool reply_is_next(const struct reply *r, struct packet_header h)
{
    return !r->in_sequence || h.seq == r->next_seq;
}

/* STEP_ON with *head filled; an empty packet is never valid where this is asked, nor
 * one out of sequence unless it is an error: MariaDB numbers some anew. */
enum reply_step reply_look(struct reply *r, struct reply_view *v, struct reply_head *head);
/* Let the packet pass: patch its sequence number; its payload follows as body_left. */
void reply_take(struct reply *r, struct reply_view *v, struct packet_header h);

/* These need the whole packet. */
enum reply_step reply_take_ok(struct reply *r, struct reply_view *v, const struct reply_head *head);
enum reply_step reply_take_error(struct reply *r, struct reply_view *v,
                                 const struct reply_head *head);
enum reply_step reply_take_infile(struct reply *r, struct reply_view *v,
                                  const struct reply_head *head);
enum reply_step reply_take_count(struct reply *r, struct reply_view *v,
                                 const struct reply_head *head);
enum reply_step reply_take_prepared(struct reply *r, struct reply_view *v,
                                    const struct reply_head *head);

/* Column definitions begin, or are over, at view.at. */
void reply_begin_columns(struct reply *r, struct reply_view *v);
void reply_end_columns(struct reply *r, struct reply_view *v);
/* Put an EOF packet in at view.at. */
enum reply_step reply_put_eof(struct reply *r, struct reply_view *v, struct eof eof);
enum reply_step reply_bad(struct reply *r, struct reply_view *v, const char *why);
/* The reply is complete with what has passed. */
enum reply_step reply_finish(struct reply *r, struct reply_view *v);

#endif
