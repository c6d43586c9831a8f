/* Threads that run the SELECTs of what is to come while the owner works on what is there, each over
 * a connection of its own. The owner's calls are for one thread. */
#ifndef MIRROR_READERS_H
#define MIRROR_READERS_H

#include "base/buf.h"
#include "mirror/mapping/mapping.h"
#include "mirror/source/source.h"

enum { READERS_MAX = 16, READERS_AHEAD = READERS_MAX + 2 };

/* SELECTs that belong together, and what they gave. */
struct reading {
    int n; /* the fields below that are in use */
    struct buf sql[MAP_LEVELS_MAX];
    int by[MAP_LEVELS_MAX]; /* the rows come in the order of so many columns; 0: see the SQL */
    struct rows
        *rows[MAP_LEVELS_MAX]; /* all of them or, with `e`, none; reading_clear frees them */
    bool ok, done;
    struct err e;
};

void reading_init(struct reading *r);
void reading_free(struct reading *r);
/* Forget the statements and their rows. */
void reading_clear(struct reading *r);
/* Run them here. */
bool reading_run(struct reading *r, struct source *s, struct err *e) MUST_CHECK;

struct readers;

/* NULL: no memory or no thread. */
struct readers *readers_new(unsigned n);
/* Waits for what is running. */
void readers_free(struct readers *r);
/* The connections to read from, one a thread; the caller's, who leaves them alone while something
 * is under way. Nothing may be under way. */
void readers_use(struct readers *r, struct source *const *sources, unsigned n);
/* How many things are worth having under way: READERS_AHEAD at most. */
unsigned readers_ahead(const struct readers *r);
/* Have it read; the caller's memory, to be left alone until readers_wait. */
void readers_ask(struct readers *r, struct reading *what);
/* Until nothing is under way, whatever comes of it. */
void readers_rest(struct readers *r);
/* Until it is read. */
bool readers_wait(struct readers *r, struct reading *what, struct err *e) MUST_CHECK;

#endif
