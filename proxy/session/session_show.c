/* SHOW TILLWAY SESSION: what the proxy knows of the session that asks, as a result set. It touches
 * no server, so that nothing of the session changes by it. */
#include "proxy/session/session_steps.h"

#include "protocol/rows.h"

#include <stdio.h>

enum { COLUMNS = 2, VALUE_MAX = 512 };

struct showing {
    struct session *s;
    struct rows rows;
};

static void put(struct showing *w, const char *name, const char *value)
{
    const char *const row[COLUMNS] = {name, value};

    rows_put(&w->rows, row, COLUMNS);
}

static void put_number(struct showing *w, const char *name, unsigned long long value)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%llu", value);
    put(w, name, text);
}

static const char *server_name(const struct session *s, int server)
{
    const struct topology *t = s->worker->topology;

    return server >= 0 && server < t->count ? t->servers[server].name : "";
}

/* Every reason, not only the first. */
static void put_pins(struct showing *w)
{
    char text[VALUE_MAX] = "";
    size_t used = 0;

    for (uint32_t left = w->s->pins; left && used < sizeof text; left &= left - 1)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "; " : "",
                                 session_pin_text(left & -left));
    put(w, "Pinned_because", text);
}

static void put_held(struct showing *w)
{
    char text[VALUE_MAX] = "";
    size_t used = 0;

    for (uint32_t left = w->s->held_bits; left && used < sizeof text; left &= left - 1)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "," : "",
                                 server_name(w->s, __builtin_ctz(left)));
    put(w, "Connections_held", text);
}

static void put_position(struct showing *w)
{
    char text[GTID_SET_TEXT_MAX];

    gtid_set_format(&w->s->causal.need, text, sizeof text);
    put(w, "Reads_need", text);
}

static void put_rows(struct showing *w)
{
    struct session *s = w->s;

    put_number(w, "Session_id", s->id);
    put(w, "Consistency", conf_consistency_name((enum conf_consistency)s->consistency));
    put_pins(w);
    put(w, "Last_server", server_name(s, s->answers.last));
    put_held(w);
    put_position(w);
    put_number(w, "Statements", s->statements);
    put_number(w, "Prepared_statements", s->stmts.count);
}

enum step session_show(struct session *s)
{
    static const char *const names[COLUMNS] = {"Variable_name", "Value"};
    struct showing w = {.s = s};

    buf_clear(&s->out);
    w.rows = rows_begin(&s->out, s->caps, s->status & STATUS_LASTING, names, COLUMNS);
    put_rows(&w);
    rows_end(&w.rows);
    session_enter(s, SESSION_REPLY);
    return STEP_MORE;
}
