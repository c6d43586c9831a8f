/* The source's binlog, as touched documents: reads events and notes what they touch.
 *
 * One thread, but for feed_interrupt. */
#ifndef MIRROR_FEED_H
#define MIRROR_FEED_H

#include "mirror/mapping/touch.h"
#include "mirror/source/binlog_stream.h"
#include "mirror/source/snapshot.h"

enum feed_got {
    FEED_EVENT,
    FEED_IDLE, /* the deadline passed */
    FEED_FAILED,
};

struct feed {
    struct binlog_stream *stream;
    struct binlog_group *group;
    struct touch *touch; /* the caller's */
    bool in_group;
    bool prepared;  /* the group is an XA PREPARE */
    bool xa;        /* such groups may have touched mapped tables and not be decided */
    bool xa_seen;   /* one did; the caller may reset it */
    char file[512]; /* where the reader is: everything before has been seen */
    uint64_t position;
    char end_file[512]; /* where the last group seen ended */
    uint64_t end_position;
    uint64_t events;
    uint64_t changes; /* row changes of mapped tables */
    /* The first group since feed_applied: received (monotonic ns; 0: none) and committed. */
    uint64_t first_ns;
    uint64_t first_wall_ms;
};

/* Everything after `from`; *f is zeroed or was closed, and stays the caller's memory. `xa`: see
 * there. */
bool feed_open(struct feed *f, const struct binlog_source *at, const struct gtid_set *from,
               struct touch *touch, bool xa, struct err *e) MUST_CHECK;
void feed_close(struct feed *f);
/* Any thread, until close. */
void feed_interrupt(struct feed *f);

/* One event. */
enum feed_got feed_read(struct feed *f, uint64_t deadline_ns, struct err *e) MUST_CHECK;
/* Read until all before the place of a snapshot has been seen; EVENT where it is reached. Check
 * feed_ahead afterwards. */
enum feed_got feed_drain(struct feed *f, const struct snapshot *to, uint64_t deadline_ns,
                         struct err *e) MUST_CHECK;
/* Whether more has been seen than a snapshot holds: the server sends a group before it commits. */
bool feed_ahead(const struct feed *f, const struct snapshot *of);
/* Whether more than heartbeats waits to be read. */
bool feed_waits(const struct feed *f);
/* The GTID position of all that has been seen. */
const struct gtid_set *feed_gtid(const struct feed *f);
/* What was seen has been applied. */
void feed_applied(struct feed *f);

#endif
