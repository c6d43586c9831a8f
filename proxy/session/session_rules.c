/* What the configuration's rules and the comments in a statement ask for.
 *
 * A rule is looked for once a text: for a query as it comes, for a prepared statement when it is
 * prepared; its executions keep what was found. A rule sees what the client wrote, and a text that
 * it has rewritten is classified anew, so that it goes where it belongs. */
#include "proxy/session/session_steps.h"

#include "base/log.h"

static struct rule *find(struct session *s, struct span text, const struct sql_class *c)
{
    const struct rules_ask ask = {.user = session_user(s),
                                  .schema = span_of(s->schema),
                                  .address = s->address,
                                  .text = text,
                                  .mode = s->mode,
                                  .statement = c};

    return rules_find(s->worker->rules, &ask, &s->worker->rules_room);
}

static void note_found(const struct session *s, struct rule *r)
{
    atomic_fetch_add_explicit(&r->hits, 1, memory_order_relaxed);
    if (log_enabled(LOG_DEBUG))
        log_event(LOG_DEBUG, "statement.rule", LOG_NUM("id", s->id),
                  LOG_STR("rule", r->conf->name));
}

/* Put the rewritten command into s->text; false: it stays as it is. A text of which only the head
 * is here cannot be rewritten. */
static bool rewrite(struct session *s, struct rule *r, struct span *text)
{
    size_t at;

    if (!r->conf->rewrite.present || !s->run.whole)
        return false;
    at = packet_begin(&s->text);
    buf_put_u8(&s->text, s->run.byte);
    if (!buf_ok(&s->text) ||
        rule_rewrite(r, &s->worker->rules_room, *text, &s->text) != PATTERN_REPLACED ||
        s->text.len - at - PACKET_HEADER >= PACKET_MAX_PAYLOAD) {
        buf_clear(&s->text);
        return false;
    }
    packet_end(&s->text, at, 0);
    *text = packet_argument(buf_span(&s->text));
    return true;
}

bool session_rule(struct session *s, struct span *text)
{
    struct command_run *run = &s->run;
    struct rule *r = find(s, *text, &run->statement);
    char why[512];

    run->wish = rule_wish(r);
    if (r) {
        note_found(s, r);
        if (r->conf->deny[0]) {
            rule_denial(r, why, sizeof why);
            (void)session_answer_error(s, ER_SPECIFIC_ACCESS_DENIED, "42000", why);
            return false;
        }
        run->rewritten = rewrite(s, r, text);
        if (run->rewritten)
            session_classify(s, *text, true);
    }
    return true;
}
