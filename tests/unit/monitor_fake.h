/* A cluster of facts, and rows as a server would send them, for the monitor's unit tests. */
#ifndef UNIT_MONITOR_FAKE_H
#define UNIT_MONITOR_FAKE_H

#include "base/clock.h"
#include "monitor/judge.h"

#include <stdio.h>
#include <string.h>

struct fake {
    int n;
    struct facts facts[SERVERS_MAX];
    struct health health[SERVERS_MAX];
    struct member members[SERVERS_MAX];
    struct verdict verdict;
};

/* n servers "a", "b", …, with server ids 1, 2, … at ports 1001, 1002, …, up and writable. */
static inline void fake_servers(struct fake *f, int n)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};

    memset(f, 0, sizeof *f);
    f->n = n;
    for (int i = 0; i < n; i++) {
        f->facts[i].known = true;
        f->facts[i].server_id = (uint32_t)i + 1;
        f->health[i].now = HEALTH_UP;
        f->members[i] = (struct member){.name = names[i],
                                        .host = "10.0.0.1",
                                        .port = (uint32_t)i + 1001,
                                        .facts = &f->facts[i],
                                        .health = &f->health[i]};
    }
}

/* Server i replicates from `source`, well; read-only. */
static inline struct channel *fake_replicate(struct fake *f, int i, int source)
{
    struct channel *c = &f->facts[i].channels[f->facts[i].channel_count++];

    memset(c, 0, sizeof *c);
    (void)snprintf(c->host, sizeof c->host, "10.0.0.1");
    c->port = (uint32_t)source + 1001;
    c->master_id = (uint32_t)source + 1;
    c->io = CHANNEL_RUNNING;
    c->sql_running = true;
    f->facts[i].read_only = true;
    return c;
}

/* a is the primary of all others. */
static inline void fake_cluster(struct fake *f, int n)
{
    fake_servers(f, n);
    for (int i = 1; i < n; i++)
        (void)fake_replicate(f, i, 0);
}

static inline void fake_down(struct fake *f, int i, enum server_health health)
{
    f->health[i].now = health;
    (void)snprintf(f->health[i].why, sizeof f->health[i].why, "it broke");
}

static inline const struct verdict *fake_judge_at(struct fake *f, int before, uint64_t now_ns)
{
    judge(f->members, f->n, before, now_ns, &f->verdict);
    return &f->verdict;
}

static inline const struct verdict *fake_judge(struct fake *f, int before)
{
    return fake_judge_at(f, before, 100 * CLOCK_NS_PER_S);
}

#endif
