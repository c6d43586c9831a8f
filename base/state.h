/* States as data: a machine is a table of names, allowed next states and deadlines.
 *
 * state_enter is the only way from one state to the next; a step that the table does not allow is a
 * bug of ours and asserts, in every build. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <stdint.h>

enum { STATE_MAX = 32 };

#define STATE_BIT(s) (1u << (s))

struct state_row {
    const char *name;
    uint32_t next; /* STATE_BITs of the states that may follow */
};

struct state_table {
    const char *machine;
    const struct state_row *rows;
    int count; /* at most STATE_MAX */
};

struct state {
    const struct state_table *table;
    int now;
};

void state_init(struct state *s, const struct state_table *table, int first);
void state_enter(struct state *s, int next);
const char *state_name(const struct state *s);

#endif
