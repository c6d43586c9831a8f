#include "conf/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct conf_doc *parse(const char *text)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf_doc *d = conf_doc_parse("t.yaml", text, strlen(text), &e);

    if (!d)
        print_error("%s\n", e.text);
    assert_non_null(d);
    return d;
}

static void test_tree_and_marks(void **state)
{
    struct conf_doc *d = parse("a: one\nlist:\n  - x\n  - {k: \"v\"}\nempty: []\n");
    const struct conf_node *root = conf_doc_root(d);
    const struct conf_node *list = conf_node_get(root, "list");
    const struct conf_node *second = conf_node_next(conf_node_first(list));
    const struct conf_node *v = conf_node_get(second, "k");

    (void)state;
    assert_int_equal(root->kind, CONF_MAP);
    assert_int_equal(root->count, 3);
    assert_string_equal(root->path, "");
    assert_string_equal(conf_node_get(root, "a")->text, "one");
    assert_true(conf_node_get(root, "a")->plain);
    assert_int_equal(list->kind, CONF_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 1);
    assert_string_equal(second->path, "list[1]");
    assert_string_equal(v->path, "list[1].k");
    assert_string_equal(v->key, "k");
    assert_string_equal(v->text, "v");
    assert_false(v->plain);
    assert_int_equal(v->line, 4);
    assert_int_equal(v->column, 9);
    assert_int_equal(conf_node_get(root, "empty")->count, 0);
    conf_doc_free(d);
}

static void test_lookups_that_find_nothing(void **state)
{
    struct conf_doc *d = parse("a: one\n");
    const struct conf_node *root = conf_doc_root(d);

    (void)state;
    assert_null(conf_node_get(root, "b"));
    assert_null(conf_node_get(NULL, "b"));
    assert_null(conf_node_get(conf_node_get(root, "a"), "b"));
    assert_null(conf_node_first(NULL));
    conf_doc_free(d);
}

static void test_errors_name_the_place(void **state)
{
    struct conf_doc *d = parse("a:\n  - bad: 12\n");
    const struct conf_node *n =
        conf_node_get(conf_node_first(conf_node_get(conf_doc_root(d), "a")), "bad");
    struct err e;

    (void)state;
    assert_false(conf_node_err(n, &e, "is %s", "off"));
    assert_string_equal(e.text, "t.yaml:2:10: a[0].bad: is off");
    assert_int_equal(e.kind, ERR_USAGE);
    assert_false(conf_node_key_err(n, &e, "is off"));
    assert_string_equal(e.text, "t.yaml:2:5: a[0].bad: is off");
    conf_doc_free(d);
}

static void test_keys(void **state)
{
    static const char *const keys[] = {"table", "key", NULL};
    struct conf_doc *d =
        parse("good: {table: t, key: k}\nbad: {tabel: t}\nno: [1]\nfar: {zzz: 1}\n");
    const struct conf_node *root = conf_doc_root(d);
    struct err e;

    (void)state;
    assert_true(conf_node_keys(conf_node_get(root, "good"), keys, &e));
    assert_false(conf_node_keys(conf_node_get(root, "bad"), keys, &e));
    assert_string_equal(e.text, "t.yaml:2:7: bad.tabel: unknown key; did you mean table?");
    assert_false(conf_node_keys(conf_node_get(root, "no"), keys, &e));
    assert_string_equal(e.text, "t.yaml:3:5: no: must be a map (key: value), not a list");
    assert_false(conf_node_keys(conf_node_get(root, "far"), keys, &e));
    assert_string_equal(e.text, "t.yaml:4:7: far.zzz: unknown key");
    conf_doc_free(d);
}

static void test_typed_reading(void **state)
{
    struct conf_doc *d = parse("t: true\nq: \"true\"\nn:\ntilde: ~\nquoted: ''\nw: yes\n");
    const struct conf_node *root = conf_doc_root(d);
    const char *text;
    struct err e;
    bool b = false;

    (void)state;
    assert_true(conf_node_bool(conf_node_get(root, "t"), &b, &e));
    assert_true(b);
    assert_false(conf_node_bool(conf_node_get(root, "q"), &b, &e));
    assert_false(conf_node_bool(conf_node_get(root, "w"), &b, &e));
    assert_true(conf_node_text(conf_node_get(root, "q"), &text, &e));
    assert_string_equal(text, "true");
    assert_false(conf_node_text(conf_node_get(root, "n"), &text, &e));
    assert_string_equal(e.text, "t.yaml:3:3: n: has no value");
    assert_false(conf_node_text(conf_node_get(root, "tilde"), &text, &e));
    assert_true(conf_node_text(conf_node_get(root, "quoted"), &text, &e));
    assert_string_equal(text, "");
    assert_false(conf_node_text(root, &text, &e));
    conf_doc_free(d);
}

/* What YAML allows and a configuration does not. */
static void test_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "t.yaml:1:1: the file is empty"},
        {"# nothing\n", "t.yaml:1:1: the file is empty"},
        {"a: 1\na: 2\n", "t.yaml:2:1: a: the key stands twice (first in line 1); remove one"},
        {"x: {a: 1, a: 2}\n",
         "t.yaml:1:11: x.a: the key stands twice (first in line 1); remove one"},
        {"a: &b 1\n", "t.yaml:1:4: anchors (&name) and tags (!name) are not supported"},
        {"a: *b\n", "t.yaml:1:4: aliases (*name) are not supported; write the value out"},
        {"a: !!str 1\n", "t.yaml:1:4: anchors (&name) and tags (!name) are not supported"},
        {"a: &m {b: 1}\n", "t.yaml:1:4: anchors (&name) and tags (!name) are not supported"},
        {"a: !x [1]\n", "t.yaml:1:4: anchors (&name) and tags (!name) are not supported"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document; one file is one configuration"},
        {"[a]: 1\n", "t.yaml:1:1: a key must be a plain text"},
        {"? {a: 1}\n: 2\n", "t.yaml:1:3: a key must be a plain text"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: a NUL character inside a text"},
        {"a: [1\n", "t.yaml:2:1: not valid YAML: did not find expected ',' or ']' while parsing a "
                    "flow sequence"},
        {"a: 1\n\tb: 2\n", "t.yaml:2:1: not valid YAML: found a tab character that violates "
                           "indentation while scanning a plain scalar"},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(conf_doc_parse("t.yaml", cases[i].text, strlen(cases[i].text), &e));
        assert_string_equal(e.text, cases[i].error);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    assert_null(conf_doc_parse("t.yaml", "a: \xff\n", 5, &e));
    assert_non_null(strstr(e.text, "the file must be UTF-8"));
}

static void repeat(char *out, const char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * strlen(piece), piece, strlen(piece));
    out[n * strlen(piece)] = 0;
}

static void test_limits(void **state)
{
    char *text = malloc(1 << 20);
    struct err e;

    (void)state;
    assert_non_null(text);
    repeat(text, "[", 40);
    assert_null(conf_doc_parse("t.yaml", text, strlen(text), &e));
    assert_string_equal(e.text, "t.yaml:1:33: nested too deeply");
    repeat(text, "- 1\n", 30000);
    assert_null(conf_doc_parse("t.yaml", text, strlen(text), &e));
    assert_non_null(strstr(e.text, "the file has too many entries"));
    text[0] = 0;
    for (int i = 0, n = 0; i < 1001; i++)
        n += snprintf(text + n, 32, "k%d: 1\n", i);
    assert_null(conf_doc_parse("t.yaml", text, strlen(text), &e));
    assert_string_equal(e.text, "t.yaml:1001:1: too many keys in one section");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_and_marks),
        cmocka_unit_test(test_lookups_that_find_nothing),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_typed_reading),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
