#include "proxy/metrics.h"

static const char *const names[METRIC_COUNT] = {
    [METRIC_SESSIONS] = "sessions",
    [METRIC_SESSIONS_OPENED] = "sessions_opened",
    [METRIC_LOGINS_REFUSED] = "logins_refused",
    [METRIC_BACKEND_CONNECTS] = "backend_connects",
    [METRIC_BACKEND_LOST] = "backend_lost",
    [METRIC_WAITED] = "waited_for_connection",
    [METRIC_STATEMENTS] = "statements",
    [METRIC_SHARED] = "statements_shared",
    [METRIC_RETRIED] = "reads_retried",
    [METRIC_REPLAYED] = "transactions_replayed",
    [METRIC_NOT_REPLAYED] = "transactions_not_replayed",
    [METRIC_POSITIONS] = "positions_asked",
    [METRIC_WAITS_SHARED] = "waits_shared",
    [METRIC_STALE_WAITS] = "waits_run_out",
    [METRIC_ERRORS] = "errors_sent",
    [METRIC_BAD_CLIENTS] = "bad_clients",
    [METRIC_BAD_REPLIES] = "bad_replies",
    [METRIC_TURNED_AWAY] = "turned_away",
};

static long long load(const atomic_llong *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

void metrics_count_route(struct metrics *m, const struct route *r, enum sql_reason reason)
{
    metric_add(m, METRIC_STATEMENTS, 1);
    if (r->server < 0)
        return;
    atomic_fetch_add_explicit(&m->routed[r->server][r->reason], 1, memory_order_relaxed);
    if (r->reason == ROUTE_STATEMENT)
        atomic_fetch_add_explicit(&m->because[reason], 1, memory_order_relaxed);
}

static void print_server(const struct metrics *m, const struct server_view *s, int i, bool primary,
                         const struct server_load *loads, struct buf *out)
{
    char position[GTID_SET_TEXT_MAX];

    gtid_set_format(&s->position, position, sizeof position);
    buf_printf(out, "%s %s:%u %s%s health=%s position=%s busy=%d", s->name, s->host, s->port,
               server_role_name(s->role), primary ? " (writes)" : "", server_health_name(s->health),
               position, atomic_load_explicit(&loads[i].busy, memory_order_relaxed));
    if (s->role == ROLE_REPLICA && s->lag_ms != UINT64_MAX)
        buf_printf(out, " lag=%llums", (unsigned long long)s->lag_ms);
    buf_printf(out, "%s%s\n", s->why[0] ? " why=" : "", s->why);
    for (int r = 0; r < ROUTE_REASON_COUNT; r++)
        if (load(&m->routed[i][r]))
            buf_printf(out, "  %10lld  %s\n", load(&m->routed[i][r]),
                       route_reason_text((enum route_reason)r));
}

void metrics_print(const struct metrics *m, const struct topology *t,
                   const struct server_load *loads, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        buf_printf(out, "%-18s %lld\n", names[i], load(&m->value[i]));
    buf_put_str(out, "\nstatements by server and reason\n");
    for (int i = 0; i < t->count; i++)
        print_server(m, &t->servers[i], i, topology_writes(t, i), loads, out);
    buf_put_str(out, "\non the primary because\n");
    for (int r = 0; r < SQL_REASON_COUNT; r++)
        if (load(&m->because[r]))
            buf_printf(out, "  %10lld  %s\n", load(&m->because[r]),
                       sql_reason_text((enum sql_reason)r));
}

static void print_json_server(const struct metrics *m, const struct topology *t, int i,
                              struct buf *out)
{
    const struct server_view *s = &t->servers[i];
    const char *comma = "";

    buf_printf(out,
               "%s{\"name\":\"%s\",\"role\":\"%s\",\"health\":\"%s\",\"writes\":%s,\"lag_ms\":%lld,"
               "\"routed\":{",
               i ? "," : "", s->name, server_role_name(s->role), server_health_name(s->health),
               topology_writes(t, i) ? "true" : "false",
               s->lag_ms == UINT64_MAX ? -1LL : (long long)s->lag_ms);
    for (int r = 0; r < ROUTE_REASON_COUNT; r++) {
        if (!load(&m->routed[i][r]))
            continue;
        buf_printf(out, "%s\"%s\":%lld", comma, route_reason_name((enum route_reason)r),
                   load(&m->routed[i][r]));
        comma = ",";
    }
    buf_put_str(out, "}}");
}

void metrics_print_json(const struct metrics *m, const struct topology *t, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        buf_printf(out, "\"%s\":%lld,", names[i], load(&m->value[i]));
    buf_put_str(out, "\"servers\":[");
    for (int i = 0; i < t->count; i++)
        print_json_server(m, t, i, out);
    buf_put_u8(out, ']');
}
