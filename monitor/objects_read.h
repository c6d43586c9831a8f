/* The stored code and views of one server, and whether anything of it may call RAND(). */
#ifndef MONITOR_OBJECTS_READ_H
#define MONITOR_OBJECTS_READ_H

#include "monitor/probe.h"
#include "routing/objects.h"

/* Ask on an open probe; a new list, not judged yet, with one reference. What the account may not
 * see is left out: `a` says PROBE_DENIED then, and why. NULL where the answer did not come (the
 * probe may be closed) or memory refuses. */
struct objects *objects_read(struct probe *p, struct probe_answer *a) MUST_CHECK;

/* One row of the answer into the list: type, schema, name, text, sql_mode, character set. For
 * tests; false: no memory, or not such a row. */
bool objects_read_row(struct objects *o, const struct probe_row *row) MUST_CHECK;

#endif
