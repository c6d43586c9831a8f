/* What an operator asks of the cluster: 'tillway cluster …'. */
#include "base/clock.h"
#include "base/log.h"
#include "monitor/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 400, WAIT_MAX_S = 86400 };

static int server_named(const struct monitor *m, const char *name)
{
    for (int i = 0; i < m->board->count; i++)
        if (strcmp(m->conf->servers[i].name, name) == 0)
            return i;
    return -1;
}

static void say_server(struct monitor *m, int i, answer_fn line, void *ctx)
{
    const struct failover_member *v = &m->acting.view.at[i];
    const struct server_view *s = &m->publisher.now->servers[i];
    char text[LINE_MAX];
    char position[GTID_SET_TEXT_MAX];

    gtid_set_format(&s->position, position, sizeof position);
    (void)snprintf(text, sizeof text, "%s: %s, %s, %s, joined epoch %llu%s, at %.120s%s%s%s",
                   s->name, server_role_name(s->role), server_health_name(s->health),
                   v->read_only ? "read-only" : "writable", (unsigned long long)v->row.joined,
                   v->acks ? ", acknowledges" : "", position[0] ? position : "nothing",
                   m->acting.machine.errant & 1U << i ? ", has errant transactions: rebuild it"
                                                      : "",
                   s->why[0] ? ": " : "", s->why);
    line(ctx, text, ANSWER_MORE);
}

static void say_node(struct monitor *m, int i, answer_fn line, void *ctx)
{
    const struct facts *f = &m->board->facts[i];
    const struct server_view *s = &m->publisher.now->servers[i];
    char text[LINE_MAX];

    (void)snprintf(text, sizeof text, "%s: %s, %s, %s, Galera says %s%s%s", s->name,
                   server_role_name(s->role), server_health_name(s->health),
                   f->read_only ? "read-only" : "writable",
                   f->galera.word[0] ? f->galera.word : "nothing", s->why[0] ? ": " : "", s->why);
    line(ctx, text, ANSWER_MORE);
}

static void say_writers(struct monitor *m, answer_fn line, void *ctx)
{
    const struct topology *t = m->publisher.now;
    char text[LINE_MAX] = "Galera cluster, writes go to:";
    size_t n = strlen(text);
    bool any = false;

    for (int i = 0; i < t->count && n < sizeof text; i++) {
        if (!topology_writes(t, i))
            continue;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %s", any ? "," : "",
                              t->servers[i].name);
        any = true;
    }
    if (!any)
        (void)snprintf(text + n, sizeof text - n, " none, %s", m->board->verdict.reason);
    line(ctx, text, ANSWER_MORE);
}

static void say_galera(struct monitor *m, answer_fn line, void *ctx)
{
    say_writers(m, line, ctx);
    for (int i = 0; i < m->board->count; i++)
        say_node(m, i, line, ctx);
    line(ctx, "", ANSWER_DONE);
}

static void say_status(struct monitor *m, answer_fn line, void *ctx)
{
    const struct failover_gate g =
        failover_gate(&m->acting.view, m->conf->failover.lease_ns, clock_mono_ns());
    char text[LINE_MAX];

    (void)snprintf(text, sizeof text, "epoch %llu, primary: %s%s%s; %s; this Tillway: %s",
                   (unsigned long long)g.epoch,
                   g.primary >= 0 ? m->conf->servers[g.primary].name : "none",
                   g.primary < 0 ? ", " : "", g.primary < 0 ? g.why : "",
                   g.majority ? "a majority answers" : "no majority answers",
                   state_name(&m->acting.machine.state));
    line(ctx, text, ANSWER_MORE);
    for (int i = 0; i < m->board->count; i++)
        say_server(m, i, line, ctx);
    line(ctx, "", ANSWER_DONE);
}

enum verb { STATUS, MAINTENANCE, DRAIN, TASK };

struct request {
    enum verb verb;
    enum failover_task task; /* TASK */
    bool on;                 /* MAINTENANCE */
    uint64_t wait_ns;        /* DRAIN */
    bool dry_run;
    int target;
};

static const char no_such_server[] = "no server is called so";

/* "NAME on" or "NAME off". */
static const char *parse_maintenance(const struct monitor *m, char *rest, struct request *r)
{
    const char *name = strtok_r(NULL, " ", &rest);
    const char *how = strtok_r(NULL, " ", &rest);

    r->verb = MAINTENANCE;
    r->target = name ? server_named(m, name) : -1;
    if (!how || strtok_r(NULL, " ", &rest) || (strcmp(how, "on") != 0 && strcmp(how, "off") != 0))
        return "maintenance needs a server's name, and on or off";
    r->on = strcmp(how, "on") == 0;
    return r->target < 0 ? no_such_server : NULL;
}

static bool parse_seconds(const char *text, uint64_t *ns)
{
    char *end = NULL;
    unsigned long long seconds = text ? strtoull(text, &end, 10) : 0;

    if (!text || *text < '0' || *text > '9' || *end || seconds > WAIT_MAX_S)
        return false;
    *ns = seconds * CLOCK_NS_PER_S;
    return true;
}

/* "NAME [--wait SECONDS] [--dry-run]". */
static const char *parse_drain(const struct monitor *m, char *rest, struct request *r)
{
    const char *word = strtok_r(NULL, " ", &rest);

    r->verb = DRAIN;
    r->wait_ns = DRAIN_WAIT_DEFAULT_NS;
    r->target = word ? server_named(m, word) : -1;
    if (r->target < 0)
        return word ? no_such_server : "drain needs a server's name";
    while ((word = strtok_r(NULL, " ", &rest))) {
        if (strcmp(word, "--dry-run") == 0)
            r->dry_run = true;
        else if (strcmp(word, "--wait") != 0 ||
                 !parse_seconds(strtok_r(NULL, " ", &rest), &r->wait_ns))
            return "drain takes a server's name, --wait with seconds, and --dry-run";
    }
    return NULL;
}

/* NULL, or what is wrong with the words. */
static const char *parse(const struct monitor *m, char *words, struct request *r)
{
    char *rest = NULL;
    const char *verb = strtok_r(words, " ", &rest);
    const char *word;

    *r = (struct request){.verb = TASK, .target = -1};
    if (!verb || strcmp(verb, "status") == 0)
        r->verb = STATUS;
    else if (strcmp(verb, "switchover") == 0)
        r->task = TASK_SWITCHOVER;
    else if (strcmp(verb, "failover") == 0)
        r->task = TASK_FAILOVER;
    else if (strcmp(verb, "rejoin") == 0)
        r->task = TASK_REJOIN;
    else if (strcmp(verb, "maintenance") == 0)
        return parse_maintenance(m, rest, r);
    else if (strcmp(verb, "drain") == 0)
        return parse_drain(m, rest, r);
    else
        return "known: cluster status, switchover [--to NAME], failover, rejoin NAME, drain NAME "
               "[--wait SECONDS], each with [--dry-run]; maintenance NAME on|off";
    while ((word = strtok_r(NULL, " ", &rest))) {
        if (strcmp(word, "--dry-run") == 0) {
            r->dry_run = true;
        } else if (strcmp(word, "--to") != 0) {
            r->target = server_named(m, word);
            if (r->target < 0)
                return no_such_server;
        }
    }
    return r->task == TASK_REJOIN && r->target < 0 ? "rejoin needs a server's name" : NULL;
}

static void begin(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    if (m->acting.asker.line)
        line(ctx, "somebody else's command is under way", ANSWER_FAILED);
    else
        acting_ask(m, r->task, r->target, line, ctx);
}

/* Whether the server may be taken out of use; told where not. */
static bool may_rest(const struct monitor *m, int server, answer_fn line, void *ctx)
{
    uint32_t others = m->board->verdict.writers & ~(UINT32_C(1) << server);

    if (server != m->publisher.now->primary || others)
        return true;
    line(ctx,
         board_is_galera(m->board)
             ? "it takes the writes, and no other node can yet"
             : "it is the primary: make another one first, by 'tillway cluster switchover'",
         ANSWER_FAILED);
    return false;
}

/* This Tillway's own decision, kept until it ends: nothing is done on the server. */
static void maintain(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    uint32_t bit = UINT32_C(1) << r->target;
    const char *name = m->conf->servers[r->target].name;
    char text[LINE_MAX];

    if (r->on && !may_rest(m, r->target, line, ctx))
        return;
    m->board->resting = r->on ? m->board->resting | bit : m->board->resting & ~bit;
    shared_changed(m);
    log_event(LOG_INFO, "server.maintenance", LOG_STR("server", name),
              LOG_STR("is", r->on ? "on" : "off"));
    (void)snprintf(text, sizeof text,
                   r->on ? "%s: no more reads go there, and it is left as it is; it is promoted "
                           "only where it alone has all that was acknowledged"
                         : "%s: reads go there again, and it is rejoined where it does not follow",
                   name);
    line(ctx, text, ANSWER_MORE);
    line(ctx, "done", ANSWER_DONE);
}

static void drain(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    if (!may_rest(m, r->target, line, ctx))
        return;
    if (r->dry_run)
        drain_plan(m, r->target, r->wait_ns, line, ctx);
    else if (drain_is_on(&m->drain))
        line(ctx, "another server is being drained", ANSWER_FAILED);
    else
        drain_begin(m, r->target, r->wait_ns, line, ctx);
}

static void dry_run(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    char text[FAILOVER_PLAN_MAX];
    bool possible = failover_plan(&m->acting.machine, r->task, r->target, &m->acting.view,
                                  clock_mono_ns(), text);

    line(ctx, text, possible ? ANSWER_DONE : ANSWER_FAILED);
}

static void run_task(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    if (board_is_galera(m->board))
        line(ctx,
             "a Galera cluster: nothing is promoted or rejoined; 'tillway cluster drain NAME' has "
             "another node take the writes",
             ANSWER_FAILED);
    else if (!m->acting.started)
        line(ctx, "failover is not enabled in the configuration (failover.enabled)", ANSWER_FAILED);
    else if (r->dry_run)
        dry_run(m, r, line, ctx);
    else
        begin(m, r, line, ctx);
}

static void run(struct monitor *m, const struct request *r, answer_fn line, void *ctx)
{
    switch (r->verb) {
    case STATUS:
        if (board_is_galera(m->board))
            say_galera(m, line, ctx);
        else
            say_status(m, line, ctx);
        break;
    case MAINTENANCE:
        maintain(m, r, line, ctx);
        break;
    case DRAIN:
        drain(m, r, line, ctx);
        break;
    case TASK:
        run_task(m, r, line, ctx);
        break;
    }
}

void monitor_cluster(struct monitor *m, const char *words, answer_fn line, void *ctx)
{
    char copy[256];
    struct request r;
    const char *wrong;

    (void)snprintf(copy, sizeof copy, "%s", words);
    (void)pthread_mutex_lock(&m->lock);
    board_look(m->board, &m->acting.view);
    wrong = parse(m, copy, &r);
    if (wrong)
        line(ctx, wrong, ANSWER_FAILED);
    else
        run(m, &r, line, ctx);
    (void)pthread_mutex_unlock(&m->lock);
}
