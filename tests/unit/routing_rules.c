#include "routing/rules.h"

#include "sql/fingerprint.h"
#include "tests/unit/check.h"

#include <stdio.h>

#define HEAD                                          \
    "servers:\n"                                      \
    "  - {name: a, address: 'h:1'}\n"                 \
    "  - {name: b, address: 'h:2', group: reports}\n" \
    "  - {name: c, address: 'h:3', group: reports}\n" \
    "monitor: {user: m, password: p}\n"

static struct rules *made(const char *text)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = conf_parse("t.yaml", text, strlen(text), &e);
    struct rules *r;

    if (!c)
        print_error("%s\n", e.text);
    assert_non_null(c);
    r = rules_new(c, &e);
    conf_unref(c);
    if (!r)
        print_error("%s\n", e.text);
    assert_non_null(r);
    return r;
}

/* A session of user u at 10.1.2.3 in schema shop. */
static struct rules_ask asking(const char *sql, struct sql_class *c)
{
    const struct sql_mode mode = {.utf8 = true};

    sql_classify(span_of(sql), mode, false, c);
    return (struct rules_ask){span_of("u"), span_of("shop"), "10.1.2.3", span_of(sql), mode, c};
}

/* The name of the rule that the statement falls under; "" where there is none. */
static const char *found(struct rules *r, const struct rules_ask *ask)
{
    struct rules_room room;
    struct rule *rule;

    assert_true(rules_room_init(&room));
    rule = rules_find(r, ask, &room);
    rules_room_free(&room);
    return rule ? rule->conf->name : "";
}

static const char *of(struct rules *r, const char *sql)
{
    struct sql_class c;
    struct rules_ask ask = asking(sql, &c);

    return found(r, &ask);
}

static void each_condition(void **state)
{
    char text[2048];
    struct rules *r;
    struct sql_class c;
    struct rules_ask ask;

    (void)state;
    (void)snprintf(text, sizeof text,
                   HEAD "rules:\n"
                        "  - {name: user, user: [x, y], statement: read}\n"
                        "  - {name: schema, schema: other}\n"
                        "  - {name: network, network: [10.9.0.0/16, localhost]}\n"
                        "  - {name: table, table: [bills, shop.Orders, other.t]}\n"
                        "  - {name: digest, fingerprint: '%016llX'}\n"
                        "  - {name: pattern, pattern: '^select \\? from dual$'}\n"
                        "  - {name: both, user: u, statement: write, table: w}\n"
                        "  - {name: read, statement: read, pattern: ' r$'}\n",
                   (unsigned long long)sql_fingerprint(span_of("select d from d where a = 1"),
                                                       (struct sql_mode){.utf8 = true}));
    r = made(text);
    ask = asking("select 1", &c);
    assert_string_equal(found(r, &ask), "");
    ask.user = span_of("y");
    assert_string_equal(found(r, &ask), "user");
    ask.user = span_of("yy");
    assert_string_equal(found(r, &ask), "");
    ask.schema = span_of("other");
    assert_string_equal(found(r, &ask), "schema");
    ask.schema = (struct span){NULL, 0};
    assert_string_equal(found(r, &ask), "");
    ask.address = "10.9.8.7";
    assert_string_equal(found(r, &ask), "network");
    ask.address = "localhost";
    assert_string_equal(found(r, &ask), "network");
    assert_string_equal(of(r, "select * from x join BILLS"), "table");
    assert_string_equal(of(r, "select * from orders"), "table");
    assert_string_equal(of(r, "select * from shop.orders"), "table");
    assert_string_equal(of(r, "select * from s.orders"), "");
    assert_string_equal(of(r, "update t set a = 1"), "");
    assert_string_equal(of(r, "update other.t set a = 1"), "table");
    assert_string_equal(of(r, "SELECT d FROM d WHERE a = 'x'"), "digest");
    assert_string_equal(of(r, "select 17 FROM dual"), "pattern");
    assert_string_equal(of(r, "select * from w"), "");
    assert_string_equal(of(r, "delete from w"), "both");
    assert_string_equal(of(r, "select * from r"), "read");
    assert_string_equal(of(r, "select * from r for update"), "");
    rules_unref(r);
}

static void the_first_counts(void **state)
{
    struct rules *r = made(HEAD "rules:\n"
                                "  - {name: spared, pattern: ' from a$'}\n"
                                "  - {name: denied, pattern: ' from ', deny: not now}\n"
                                "  - {name: rest, timeout: 2s, consistency: eventual}\n");
    struct route_wish wish = rule_wish(&r->all[2]);
    char text[64];

    (void)state;
    assert_string_equal(of(r, "select * from a"), "spared");
    assert_string_equal(of(r, "select * from b"), "denied");
    assert_string_equal(of(r, "select 1"), "rest");
    assert_int_equal(wish.timeout_ms, 2000);
    assert_true(wish.has_consistency && wish.consistency == CONSISTENCY_EVENTUAL);
    assert_false(wish.primary || wish.replica || wish.only);
    rule_denial(&r->all[1], text, sizeof text);
    assert_string_equal(text, "Access denied; not now");
    wish = rule_wish(NULL);
    assert_false(wish.timeout_ms || wish.only || wish.primary || wish.has_consistency);
    rules_unref(r);
}

static void targets(void **state)
{
    struct rules *r = made(HEAD "rules:\n"
                                "  - {name: p, user: a, target: primary}\n"
                                "  - {name: r, user: b, target: replica}\n"
                                "  - {name: s, user: c, target: b}\n"
                                "  - {name: g, user: d, target: reports, consistency: global}\n");

    (void)state;
    assert_true(rule_wish(&r->all[0]).primary);
    assert_true(rule_wish(&r->all[1]).replica);
    assert_int_equal(rule_wish(&r->all[2]).only, 1u << 1);
    assert_int_equal(rule_wish(&r->all[3]).only, 1u << 1 | 1u << 2);
    assert_int_equal(rule_wish(&r->all[3]).consistency, CONSISTENCY_GLOBAL);
    rules_unref(r);
}

static void check_rewritten(struct rules *r, size_t i, const char *sql, const char *expected)
{
    struct buf out = buf_with_max(1 << 16);
    struct rules_room room;
    enum pattern_replaced done;

    assert_true(rules_room_init(&room));
    buf_put_str(&out, ">");
    done = rule_rewrite(&r->all[i], &room, span_of(sql), &out);
    assert_int_equal(done, expected ? PATTERN_REPLACED : PATTERN_NONE);
    assert_string_equal(buf_text(&out) + 1, expected ? expected : "");
    buf_free(&out);
    rules_room_free(&room);
}

static void rewriting(void **state)
{
    struct rules *r =
        made(HEAD "rules:\n"
                  "  - {name: a, user: a, rewrite: {find: 'force index \\((?<i>\\w+)\\)', with: "
                  "'use index (${i}, $1) $$'}}\n"
                  "  - {name: b, user: b, rewrite: {find: ';', with: ''}}\n"
                  "  - {name: c, user: c}\n"
                  "  - {name: d, user: d, rewrite: {find: 'x', with: "
                  "'0123456789012345678901234567890123456789'}}\n");

    (void)state;
    check_rewritten(r, 0, "select * from t FORCE INDEX (k) where a = 'x'",
                    "select * from t use index (k, k) $ where a = 'x'");
    check_rewritten(r, 0, "select * from t", NULL);
    check_rewritten(r, 1, "a;b;c;", "abc");
    check_rewritten(r, 1, ";", "");
    check_rewritten(r, 1, "", NULL);
    check_rewritten(r, 2, "select 1", NULL);
    check_rewritten(r, 3, "xx",
                    "0123456789012345678901234567890123456789"
                    "0123456789012345678901234567890123456789");
    rules_unref(r);
}

static void too_long(void **state)
{
    struct rules *r =
        made(HEAD "rules: [{name: a, rewrite: {find: 'x', with: 'a long replacement'}}]\n");
    struct buf out = buf_with_max(24);
    struct rules_room room;

    (void)state;
    assert_true(rules_room_init(&room));
    assert_int_equal(rule_rewrite(&r->all[0], &room, span_of("x x x"), &out), PATTERN_FAILED);
    assert_int_equal(out.len, 0);
    assert_int_equal(atomic_load(&r->all[0].given_up), 1);
    buf_free(&out);
    rules_room_free(&room);
    rules_unref(r);
}

/* Exponential work ends, and is counted. */
static void a_pattern_out_of_hand(void **state)
{
    struct rules *r =
        made(HEAD "rules: [{name: a, pattern: '^select (a|aa|aaa)+[cd]? from x$'}]\n");
    struct buf out = buf_with_max(1 << 12);

    (void)state;
    assert_string_equal(
        of(r, "select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad from xy"), "");
    assert_int_equal(atomic_load(&r->all[0].given_up), 1);
    atomic_store(&r->all[0].hits, 3);
    rules_print(r, &out);
    assert_string_equal(buf_text(&out), "           3  a (its patterns took too long 1 times)\n");
    buf_clear(&out);
    rules_print_json(r, &out);
    assert_string_equal(buf_text(&out), "{\"name\":\"a\",\"hits\":3,\"given_up\":1}");
    buf_free(&out);
    rules_unref(r);
}

static const struct {
    const char *rule, *error;
} wrong[] = {
    {"pattern: 'a(b'", "6:28: rules[0].pattern: missing closing parenthesis at character 3"},
    {"rewrite: {find: '[', with: ''}",
     "6:35: rules[0].rewrite.find: missing terminating ] for character class at character 1"},
    {"rewrite: {find: 'a', with: '$1'}",
     "6:46: rules[0].rewrite.with: has a $ that names no group of `find`; write $$ for a dollar"},
    {"rewrite: {find: '(a)', with: '${1'}",
     "6:48: rules[0].rewrite.with: has a $ that names no group of `find`; write $$ for a dollar"},
    {"rewrite: {find: '(?<n>a)', with: '$n $m'}",
     "6:52: rules[0].rewrite.with: has a $ that names no group of `find`; write $$ for a dollar"},
    {"rewrite: {find: 'a', with: 'a $'}",
     "6:46: rules[0].rewrite.with: has a $ that names no group of `find`; write $$ for a dollar"},
};

static void refused(void **state)
{
    char text[1024];
    char expected[256];
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct conf *c;

        (void)snprintf(text, sizeof text, HEAD "rules: [{name: r, %s}]\n", wrong[i].rule);
        (void)snprintf(expected, sizeof expected, "t.yaml:%s", wrong[i].error);
        c = conf_parse("t.yaml", text, strlen(text), &e);
        assert_non_null(c);
        assert_null(rules_new(c, &e));
        assert_string_equal(e.text, expected);
        conf_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_condition), cmocka_unit_test(the_first_counts),
        cmocka_unit_test(targets),        cmocka_unit_test(rewriting),
        cmocka_unit_test(too_long),       cmocka_unit_test(a_pattern_out_of_hand),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
