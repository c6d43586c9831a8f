/* What holds of every statement and its template: sql/template.h, sql/verdicts.h. */
#ifndef TESTS_UNIT_SQL_SAME_H
#define TESTS_UNIT_SQL_SAME_H

#include "sql/fingerprint.h"
#include "sql/lexer.h"
#include "sql/template.h"
#include "sql/verdicts.h"

#include <assert.h>
#include <stdlib.h>

/* Both may point to the same text alone. */
static inline bool is_same_class(const struct sql_class *a, const struct sql_class *b)
{
    return a->kind == b->kind && a->reason == b->reason && a->effects == b->effects &&
           a->statements == b->statements && a->tables == b->tables &&
           span_same(a->function, b->function) && strcmp(a->collation, b->collation) == 0 &&
           a->kill.simple == b->kill.simple && a->kill.id == b->kill.id &&
           a->kill.by_user == b->kill.by_user && a->kill.query == b->kill.query &&
           a->kill.soft == b->kill.soft && a->kill.own_user == b->kill.own_user &&
           span_same(a->kill.user, b->kill.user) && span_same(a->kill.host, b->kill.host) &&
           a->hints.primary == b->hints.primary && a->hints.replica == b->hints.replica &&
           a->hints.consistency == b->hints.consistency &&
           a->hints.timeout_ms == b->hints.timeout_ms &&
           span_same(a->hints.server, b->hints.server) && a->counts == b->counts &&
           a->only_asks == b->only_asks && a->looked_up == b->looked_up && a->writes == b->writes;
}

static inline void check_same_tokens(struct span text, struct span template, struct sql_mode mode)
{
    struct sql_lexer a, b;
    enum sql_token t;

    sql_lexer_init(&a, text, mode);
    sql_lexer_init(&b, template, mode);
    do {
        t = sql_lexer_next(&a);
        assert(sql_lexer_next(&b) == t);
        assert(t == TOK_NUMBER || t == TOK_STRING ||
               span_same(sql_lexer_text(&a), sql_lexer_text(&b)));
    } while (t != TOK_END);
}

/* What is remembered of the template is what the text means. */
static inline void check_remembered(struct span text, struct span template, struct sql_mode mode)
{
    static struct verdicts known; /* of all texts so far */
    struct sql_class direct, got;
    uint64_t fingerprint;

    sql_classify(text, mode, false, &direct);
    if (template.n)
        (void)verdicts_classify(&known, template, mode, NULL, &got);
    fingerprint = verdicts_classify(&known, text, mode, NULL, &got);
    assert(is_same_class(&direct, &got));
    assert(!fingerprint || fingerprint == sql_fingerprint(text, mode));
}

static inline void check_template(struct span text, struct sql_mode mode)
{
    uint8_t *out = malloc(text.n ? text.n : 1);
    struct span template = {out, 0};

    assert(out);
    template.n = sql_template(text, mode, out);
    if (template.n) {
        check_same_tokens(text, template, mode);
        assert(sql_fingerprint(text, mode) == sql_fingerprint(template, mode));
    }
    check_remembered(text, template, mode);
    free(out);
}

#endif
