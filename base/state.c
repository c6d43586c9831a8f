#include "base/state.h"

#include <assert.h>

void state_init(struct state *s, const struct state_table *table, int first)
{
    assert(table->count <= STATE_MAX && first >= 0 && first < table->count);
    s->table = table;
    s->now = first;
}

void state_enter(struct state *s, int next)
{
    assert(next >= 0 && next < s->table->count);
    assert(s->table->rows[s->now].next & STATE_BIT(next));
    s->now = next;
}

const char *state_name(const struct state *s)
{
    return s->table->rows[s->now].name;
}
