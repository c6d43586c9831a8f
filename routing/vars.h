/* The variables a session has changed, as its servers reported them, and the difference between two
 * such lists as a SET statement. One list belongs to the session, one to each server connection. */
#ifndef ROUTING_VARS_H
#define ROUTING_VARS_H

#include "base/buf.h"
#include "routing/catalog.h"

struct vars; /* owned by its holder; one worker thread */

/* VARS_PINS_ON: only of a name's rule; a switch that pins where it is on. */
enum vars_set { VARS_CARRIED, VARS_IGNORED, VARS_PINS, VARS_PINS_ON, VARS_FULL };

struct vars *vars_new(void);
void vars_free(struct vars *v);
void vars_clear(struct vars *v);
void vars_copy(struct vars *to, const struct vars *from);

/* A report (one OK packet's variables) begins; its notes follow. Where this is never called each
 * note is a report of its own. */
void vars_report(struct vars *v);
/* Note name=value. VARS_IGNORED: names that are never carried (last_gtid, …: their meaning is
 * elsewhere). VARS_PINS: a variable whose effect belongs to one connection (insert_id, rand_seed1,
 * pseudo_thread_id, gtid_seq_no, …) or changes others that are not reported: the caller pins.
 * VARS_FULL: over the caps of memory (caller pins). */
enum vars_set vars_note(struct vars *v, struct span name, struct span value);
/* Note the collation of SET NAMES x COLLATE y (sql_class.collation), or of a log-in, behind the
 * report: a server reports the character sets alone. */
enum vars_set vars_note_names(struct vars *v, struct span collation);
/* Changes whenever the content does; 0 for an empty list. Equal fingerprints: no difference to
 * carry. */
uint64_t vars_fingerprint(const struct vars *v);
/* The value noted, or an empty span with p NULL. */
struct span vars_value(const struct vars *v, const char *name);
/* What `from` has of a name, `to` shall have. */
void vars_take(struct vars *to, const struct vars *from, const char *name);
size_t vars_bytes(const struct vars *v);

/* Append "SET a=1,b='x',c=DEFAULT" that takes a connection in state `from` to state `to` (order:
 * sql_mode first; of a character set and its collation what determines both; SET NAMES where it
 * takes that); appends nothing where
 * they are equal. Quoting holds whatever the sql_mode (NO_BACKSLASH_ESCAPES, ANSI_QUOTES) and the
 * character set of the connection is: hex literals where a value is not plain. `c` tells numbers
 * from texts (NULL: a text unless it looks like a number). */
void vars_difference(struct buf *out, const struct vars *from, const struct vars *to,
                     const struct catalog *c);

#endif
