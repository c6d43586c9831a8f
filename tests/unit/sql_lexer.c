#include "sql/lexer.h"

#include "sql/functions.h"
#include "tests/unit/check.h"

#include <ctype.h>
#include <stdio.h>

static struct sql_lexer lexer_of(const char *text)
{
    struct sql_lexer l;

    sql_lexer_init(&l, span_of(text), (struct sql_mode){.utf8 = true});
    return l;
}

struct expected {
    enum sql_token token;
    const char *text;
};

enum { EXPECTED_MAX = 10 };

static const struct {
    const char *text;
    struct expected expected[EXPECTED_MAX]; /* up to a TOK_END */
} cut[] = {
    {"a.b.`c`", {{TOK_NAME, "a"}, {TOK_DOT_NAME, ".b"}, {TOK_DOT, "."}, {TOK_QUOTED, "`c`"}}},
    {"t.1e5 .5 t.5",
     {{TOK_NAME, "t"},
      {TOK_DOT_NAME, ".1e5"},
      {TOK_NUMBER, ".5"},
      {TOK_NAME, "t"},
      {TOK_DOT_NAME, ".5"}}},
    {".5e3x", {{TOK_NUMBER, ".5e3"}, {TOK_NAME, "x"}}},
    {"1.5e-3x", {{TOK_NUMBER, "1.5e-3"}, {TOK_NAME, "x"}}},
    {"1abc 1e5", {{TOK_NAME, "1abc"}, {TOK_NUMBER, "1e5"}}},
    {"1e5a", {{TOK_BAD, "1e5a"}}},
    {"1ea", {{TOK_NAME, "1ea"}}},
    {"0x1F 0x 0xg 0b1 0b2",
     {{TOK_NUMBER, "0x1F"},
      {TOK_NAME, "0x"},
      {TOK_NAME, "0xg"},
      {TOK_NUMBER, "0b1"},
      {TOK_NAME, "0b2"}}},
    {"x'1f' b'01' n'a' x 'g'",
     {{TOK_STRING, "x'1f'"},
      {TOK_STRING, "b'01'"},
      {TOK_STRING, "n'a'"},
      {TOK_NAME, "x"},
      {TOK_STRING, "'g'"}}},
    {"_utf8'a' 'a''b' 'a\\'b'",
     {{TOK_NAME, "_utf8"}, {TOK_STRING, "'a'"}, {TOK_STRING, "'a''b'"}, {TOK_STRING, "'a\\'b'"}}},
    {"@a @`b c` @'d' @@x.y @@`z`",
     {{TOK_USER_VARIABLE, "@a"},
      {TOK_USER_VARIABLE, "@`b c`"},
      {TOK_USER_VARIABLE, "@'d'"},
      {TOK_SYSTEM_VARIABLE, "@@x.y"},
      {TOK_SYSTEM_VARIABLE, "@@`z`"}}},
    {"a:=? <=> ,;",
     {{TOK_NAME, "a"},
      {TOK_ASSIGN, ":="},
      {TOK_PARAM, "?"},
      {TOK_OPERATOR, "<"},
      {TOK_OPERATOR, "="},
      {TOK_OPERATOR, ">"},
      {TOK_COMMA, ","},
      {TOK_SEMICOLON, ";"}}},
    {"a--b -- c\nd",
     {{TOK_NAME, "a"}, {TOK_OPERATOR, "-"}, {TOK_OPERATOR, "-"}, {TOK_NAME, "b"}, {TOK_NAME, "d"}}},
    {"a*/b", {{TOK_NAME, "a"}, {TOK_OPERATOR, "*"}, {TOK_OPERATOR, "/"}, {TOK_NAME, "b"}}},
    {"/*!50701 a*/b*/", {{TOK_NAME, "b"}, {TOK_OPERATOR, "*"}, {TOK_OPERATOR, "/"}}},
    {"/*!50601 a*/b*/",
     {{TOK_NAME, "a"}, {TOK_NAME, "b"}, {TOK_OPERATOR, "*"}, {TOK_OPERATOR, "/"}}},
    {"sel\xc3\xa9t \xc3\xa9", {{TOK_NAME, "sel\xc3\xa9t"}, {TOK_NAME, "\xc3\xa9"}}},
    {"t. select", {{TOK_NAME, "t"}, {TOK_DOT, "."}, {W_SELECT, "select"}}},
    {"t .select", {{TOK_NAME, "t"}, {TOK_DOT_NAME, ".select"}}},
};

static void tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        struct sql_lexer l = lexer_of(cut[i].text);

        for (const struct expected *e = cut[i].expected; e->token != TOK_END; e++) {
            assert_int_equal(sql_lexer_next(&l), e->token);
            check_span(sql_lexer_text(&l), e->text);
        }
        assert_int_equal(sql_lexer_next(&l), TOK_END);
    }
}

static const struct {
    const char *text;
    enum sql_token token;
} words[] = {
#define X(name, first, middle, last, n, flag) {#name, W_##name},
    SQL_WORDS(X)
#undef X
};

static void check_word(const char *text, enum sql_token token)
{
    struct sql_lexer l = lexer_of(text);

    assert_int_equal(sql_lexer_next(&l), token);
    assert_int_equal(sql_lexer_next(&l), TOK_END);
}

static void every_word_in_any_case(void **state)
{
    char text[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i].text);

        check_word(words[i].text, words[i].token);
        for (size_t j = 0; j <= n; j++)
            text[j] = (char)tolower((unsigned char)words[i].text[j]);
        check_word(text, words[i].token);
        text[n / 2] = words[i].text[n / 2];
        check_word(text, words[i].token);
        /* near misses: one more letter, one letter less, one other */
        (void)snprintf(text, sizeof(text), "%s_", words[i].text);
        check_word(text, TOK_NAME);
        (void)snprintf(text, sizeof(text), "%s", words[i].text);
        text[n - 1] = text[n - 1] == 'Q' ? 'Z' : 'Q';
        check_word(text, TOK_NAME);
        (void)snprintf(text, sizeof(text), "`%s`", words[i].text);
        check_word(text, TOK_QUOTED);
    }
    assert_true(ARRAY_LEN(words) > 100);
}

static void functions_are_sorted_and_found(void **state)
{
    const struct sql_function *f;
    size_t n = 0;

    (void)state;
    for (; (f = sql_function_at(n)); n++) {
        char upper[64];

        if (n)
            assert_true(strcmp(sql_function_at(n - 1)->name, f->name) < 0);
        assert_int_equal(strlen(f->name), f->n);
        assert_ptr_equal(sql_function_find(span_of(f->name)), f);
        for (size_t i = 0; i <= f->n; i++)
            upper[i] = (char)toupper((unsigned char)f->name[i]);
        assert_ptr_equal(sql_function_find(span_of(upper)), f);
    }
    assert_true(n > 400);
    assert_null(sql_function_find(span_of("abss")));
    assert_null(sql_function_find(span_of("ab")));
    assert_null(sql_function_find(span_of("zzz")));
    assert_null(sql_function_find(span_of("")));
}

/* Every byte after every opening: the lexer always moves on and always ends. */
static void always_moves_on(void **state)
{
    static const char *const openings[] = {"",  "'",  "`",  "\"", "/*", "--", "@",   "@@",
                                           "1", "1.", "1e", "0x", "a",  "a.", "/*!", "\\"};
    char text[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        size_t n = strlen(openings[i]);

        memcpy(text, openings[i], n);
        for (int a = 0; a < 256; a++) {
            struct sql_lexer l;
            const uint8_t *last;

            text[n] = (char)a;
            text[n + 1] = (char)(a ^ 0x55);
            sql_lexer_init(&l, (struct span){(const uint8_t *)text, n + 2}, (struct sql_mode){0});
            do {
                last = l.p;
            } while (sql_lexer_next(&l) != TOK_END && l.p > last);
            assert_ptr_equal(l.p, l.end);
            assert_int_equal(sql_lexer_next(&l), TOK_END);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(every_word_in_any_case),
        cmocka_unit_test(functions_are_sorted_and_found),
        cmocka_unit_test(always_moves_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
