#include "base/clock.h"
#include "monitor/failover_begin.h"

#include <assert.h>
#include <stdio.h>

#define BIT(i) (UINT32_C(1) << (i))

static const char *const task_names[] = {"adopt", "failover", "switchover", "rejoin"};

const char *failover_task_name(enum failover_task t)
{
    assert(t < ARRAY_LEN(task_names));
    return task_names[t];
}

const char *failover_name(const struct failover *f, int server)
{
    return server >= 0 ? f->rules.names[server] : "none";
}

static int best_target(const struct failover *f)
{
    int best = -1;

    for (int i = 0; i < f->view->n; i++) {
        enum failover_preference p = f->rules.preference[i];

        if (i == f->gate.primary || !f->view->at[i].up || f->view->at[i].resting ||
            p == PREFER_NEVER || !failover_follows(f->view, i, f->gate.primary))
            continue;
        if (best < 0 || (p == PREFER_FIRST && f->rules.preference[best] != PREFER_FIRST))
            best = i;
    }
    return best;
}

static const char *refuse_switchover(struct failover *f, int target)
{
    if (f->gate.epoch == 0 || f->gate.primary < 0)
        return "there is no primary to switch over from";
    f->old = f->gate.primary;
    f->candidate = target >= 0 ? target : best_target(f);
    if (f->candidate < 0)
        return "there is no replica that may be promoted";
    if (f->candidate == f->old)
        return "it is the primary already";
    if (f->rules.preference[f->candidate] == PREFER_NEVER)
        return "its candidate setting is never";
    if (!f->view->at[f->candidate].up || !failover_follows(f->view, f->candidate, f->gate.primary))
        return "it does not follow the primary";
    return NULL;
}

/* NULL: it can be begun; old, candidate and subject are set. */
static const char *refuse(struct failover *f, enum failover_task task, int target)
{
    if (f->state.now != FAILOVER_WATCH)
        return "something is under way already; see 'tillway cluster status'";
    if (!f->gate.majority)
        return "less than half of the servers answer";
    if (task == TASK_SWITCHOVER)
        return refuse_switchover(f, target);
    if (f->gate.epoch == 0)
        return "the cluster is not adopted yet";
    if (task == TASK_FAILOVER)
        return NULL;
    if (f->gate.primary < 0)
        return "there is no primary to follow";
    return target == f->gate.primary ? "it is the primary" : NULL;
}

bool failover_ask(struct failover *f, enum failover_task task, int target,
                  const struct failover_view *v, uint64_t now_ns, const char **why)
{
    failover_look(f, v, now_ns);
    *why = refuse(f, task, target);
    if (!*why && task == TASK_SWITCHOVER)
        failover_begin(f, task, failover_next_epoch(f));
    else if (!*why && task == TASK_FAILOVER)
        failover_begin_failover(f, true);
    else if (!*why) {
        f->errant &= ~BIT(target);
        failover_begin_rejoin(f, target);
    }
    f->view = NULL;
    return !*why;
}

static void plan_switchover(const struct failover *f, char out[FAILOVER_PLAN_MAX])
{
    const char *old = failover_name(f, f->old);
    const char *next = failover_name(f, f->candidate);

    (void)snprintf(out, FAILOVER_PLAN_MAX,
                   "1. take the locks of a majority of the servers, promise epoch %llu\n"
                   "2. new transactions wait in the proxies; those on %s end, at most %llu ms\n"
                   "3. %s becomes read-only\n"
                   "4. %s applies all that %s has committed\n"
                   "5. the others and %s follow %s\n"
                   "6. %s becomes writable\n",
                   (unsigned long long)failover_next_epoch(f), old,
                   (unsigned long long)(f->rules.quiesce_ns / CLOCK_NS_PER_MS), old, next, old, old,
                   next, next);
}

static void plan_failover(const struct failover *f, char out[FAILOVER_PLAN_MAX])
{
    (void)snprintf(
        out, FAILOVER_PLAN_MAX,
        "1. take the locks of a majority of the servers, promise epoch %llu\n"
        "2. the replicas stop receiving and say what they have; the primary before (%s) "
        "becomes read-only and its clients' connections end, where it answers\n"
        "3. the replica that has most applies what it has received\n"
        "4. unless the primary before is fenced or gone: all Tillways say that they have "
        "left it, or wait %llu ms for their lease\n"
        "5. the others follow the one elected\n"
        "6. it becomes writable\n",
        (unsigned long long)failover_next_epoch(f), failover_name(f, f->gate.primary),
        (unsigned long long)(f->rules.wait_ns / CLOCK_NS_PER_MS));
}

static void plan_rejoin(const struct failover *f, int target, char out[FAILOVER_PLAN_MAX])
{
    const char *name = failover_name(f, target);
    const char *primary = failover_name(f, f->gate.primary);

    (void)snprintf(out, FAILOVER_PLAN_MAX,
                   "1. take the locks of a majority of the servers\n"
                   "2. %s becomes read-only; where it was not, its clients' connections end\n"
                   "3. %s follows %s; where it has transactions that %s does not have, it is kept "
                   "out\n",
                   name, name, primary, primary);
}

bool failover_plan(struct failover *f, enum failover_task task, int target,
                   const struct failover_view *v, uint64_t now_ns, char out[FAILOVER_PLAN_MAX])
{
    const char *why;

    failover_look(f, v, now_ns);
    why = refuse(f, task, target);
    if (why)
        (void)snprintf(out, FAILOVER_PLAN_MAX, "%s", why);
    else if (task == TASK_SWITCHOVER)
        plan_switchover(f, out);
    else if (task == TASK_FAILOVER)
        plan_failover(f, out);
    else
        plan_rejoin(f, target, out);
    f->view = NULL;
    return !why;
}
