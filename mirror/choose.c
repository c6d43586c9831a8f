#include "mirror/choose.h"

#include "base/log.h"

#include <stdio.h>

enum { CONNECT_MS = 2000, QUERY_MS = 60000, HEARTBEAT_MS = 300 };

static struct source_address address(const struct conf *c, int server)
{
    const struct conf_server *s = &c->servers[server];
    bool local = s->address.port == 0;

    return (struct source_address){
        .host = s->address.host,
        .port = (uint16_t)s->address.port,
        .socket = local ? s->address.host : NULL,
        .user = c->mirror.source.user,
        .password = c->mirror.source.password,
        .tls = &c->servers_tls,
        .connect_ms = CONNECT_MS,
        .query_ms = QUERY_MS,
    };
}

struct source *choose_another(const struct conf *c, int server, struct err *e)
{
    struct source_address a = address(c, server);

    return source_open(&a, e);
}

struct binlog_source choose_binlog(const struct conf *c, int server)
{
    struct source_address a = address(c, server);

    return (struct binlog_source){
        .host = a.host,
        .port = a.port,
        .socket = a.socket,
        .user = a.user,
        .password = a.password,
        .tls = a.tls,
        .server_id = c->mirror.source.server_id,
        .heartbeat_ms = HEARTBEAT_MS,
        .timeout_ms = CONNECT_MS,
    };
}

/* What a server says about itself. */
struct facts {
    bool read_only;
    struct gtid_set position;
};

static bool is(struct span cell, const char *text)
{
    return cell.p && span_eq(cell, text);
}

static bool judge(const struct rows *r, struct facts *out, struct err *e)
{
    *out = (struct facts){.read_only = !is(r->cells[0], "0")};
    if (!is(r->cells[1], "1"))
        return err_set(e, ERR_USAGE, "it has no binlog: log_bin=ON");
    if (!is(r->cells[2], "FULL"))
        return err_set(e, ERR_USAGE,
                       "SET GLOBAL binlog_row_metadata=FULL (and in its option file)");
    if (!is(r->cells[3], "FULL"))
        return err_set(e, ERR_USAGE, "SET GLOBAL binlog_row_image=FULL (and in its option file)");
    if (r->cells[5].n && !is(r->cells[4], "1"))
        return err_set(e, ERR_USAGE, "a replica without log_slave_updates=ON logs no changes");
    return (r->cells[6].p && gtid_set_parse(r->cells[6], &out->position)) ||
           err_set(e, ERR_SERVER, "its GTID position can't be read");
}

/* A node of a Galera cluster must have the GTIDs that the others have, or none of them could be
 * read on where it stood. (With that MariaDB asks for log_slave_updates by itself.) */
static bool judge_node(struct source *s, struct err *e)
{
    struct rows *r =
        source_query(s,
                     span_of("SELECT 1 FROM information_schema.global_variables WHERE"
                             " (variable_name = 'WSREP_ON' AND variable_value = 'ON') OR"
                             " (variable_name = 'WSREP_PROVIDER' AND variable_value <> 'none') OR"
                             " (variable_name = 'WSREP_GTID_MODE' AND variable_value = 'OFF')"
                             " HAVING COUNT(*) = 3"),
                     e);
    bool ok = r != NULL;

    if (r && rows_next(r))
        ok = err_set(e, ERR_USAGE,
                     "a Galera node with GTIDs of its own: set wsrep_gtid_mode=ON, and the same"
                     " wsrep_gtid_domain_id, on all nodes");
    rows_free(r);
    return ok;
}

static bool ask(struct source *s, struct facts *out, struct err *e)
{
    struct rows *r = source_query(
        s,
        span_of("SELECT @@read_only, @@log_bin, @@binlog_row_metadata, @@binlog_row_image,"
                " @@log_slave_updates, @@gtid_slave_pos, @@gtid_binlog_pos"),
        e);
    bool ok = r && rows_next(r) && r->n_columns == 7 && judge(r, out, e);

    rows_free(r);
    return ok && judge_node(s, e);
}

/* How much a position holds, to tell the replica that is ahead. */
static uint64_t amount(const struct gtid_set *s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->count; i++)
        sum += s->at[i].seq;
    return sum;
}

static bool better(const struct facts *f, const struct facts *than, const struct choice *best)
{
    if (!best->source)
        return true;
    if (f->read_only != than->read_only)
        return f->read_only;
    return amount(&f->position) > amount(&than->position);
}

/* One server: its connection becomes the best, or is closed. */
static bool consider(const struct conf *c, int i, const struct gtid_set *need, struct facts *best,
                     struct choice *out, struct err *e)
{
    struct source_address a = address(c, i);
    struct source *s = source_open(&a, e);
    struct facts f;

    if (!s)
        return false;
    if (!ask(s, &f, e)) {
        source_close(s);
        return false;
    }
    if (need && !gtid_set_covers(&f.position, need)) {
        source_close(s);
        return err_set(e, ERR_SERVER, "it has not got as far as the mirror is");
    }
    if (!better(&f, best, out)) {
        source_close(s);
        return true;
    }
    source_close(out->source);
    *best = f;
    *out = (struct choice){i, s, f.position};
    return true;
}

bool choose_source(const struct conf *c, const struct gtid_set *need, uint32_t except,
                   struct choice *out, struct err *e)
{
    struct facts best = {.read_only = false};
    struct err first = {.kind = ERR_NONE};

    *out = (struct choice){.server = -1};
    for (int i = 0; i < (int)c->server_count; i++) {
        struct err why = {.kind = ERR_NONE};

        if (except & 1u << i || (c->mirror.source.server >= 0 && c->mirror.source.server != i))
            continue;
        if (consider(c, i, need, &best, out, &why))
            continue;
        (void)err_wrap(&why, "server %s", c->servers[i].name);
        if (first.kind == ERR_NONE || (why.kind == ERR_USAGE && first.kind != ERR_USAGE))
            first = why;
    }
    if (out->source)
        return true;
    if (first.kind == ERR_NONE)
        return err_set(e, ERR_SERVER, "no server is left to read from");
    *e = first;
    return false;
}

struct source *choose_primary(const struct conf *c)
{
    for (int i = 0; i < (int)c->server_count; i++) {
        struct source_address a = address(c, i);
        struct err e = {.kind = ERR_NONE};
        struct source *s;
        struct facts f = {.read_only = true};

        a.query_ms = CONNECT_MS;
        s = source_open(&a, &e);
        if (s && ask(s, &f, &e) && !f.read_only)
            return s;
        source_close(s);
    }
    return NULL;
}
