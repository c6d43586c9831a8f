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

static void check_tokens(const char *text, const struct expected *expected)
{
    struct sql_lexer l = lexer_of(text);

    for (;; expected++) {
        enum sql_token t = sql_lexer_next(&l);

        if (t != expected->token)
            print_error("%s: at '%.*s'\n", text, (int)sql_lexer_text(&l).n, l.start);
        assert_int_equal(t, expected->token);
        if (t == TOK_END)
            return;
        check_span(sql_lexer_text(&l), expected->text);
    }
}

#define TOKENS(...)                 \
    (const struct expected[])       \
    {                               \
        __VA_ARGS__, {TOK_END, ""}, \
    }

static void tokens(void **state)
{
    (void)state;
    check_tokens("a.b.`c`", TOKENS({TOK_NAME, "a"}, {TOK_DOT_NAME, ".b"}, {TOK_DOT, "."},
                                   {TOK_QUOTED, "`c`"}));
    check_tokens("t.1e5 .5 t.5", TOKENS({TOK_NAME, "t"}, {TOK_DOT_NAME, ".1e5"}, {TOK_NUMBER, ".5"},
                                        {TOK_NAME, "t"}, {TOK_DOT_NAME, ".5"}));
    check_tokens(".5e3x", TOKENS({TOK_NUMBER, ".5e3"}, {TOK_NAME, "x"}));
    check_tokens("1.5e-3x", TOKENS({TOK_NUMBER, "1.5e-3"}, {TOK_NAME, "x"}));
    check_tokens("1abc 1e5", TOKENS({TOK_NAME, "1abc"}, {TOK_NUMBER, "1e5"}));
    check_tokens("1e5a", TOKENS({TOK_BAD, "1e5a"}));
    check_tokens("1ea", TOKENS({TOK_NAME, "1ea"}));
    check_tokens("0x1F 0x 0xg 0b1 0b2",
                 TOKENS({TOK_NUMBER, "0x1F"}, {TOK_NAME, "0x"}, {TOK_NAME, "0xg"},
                        {TOK_NUMBER, "0b1"}, {TOK_NAME, "0b2"}));
    check_tokens("x'1f' b'01' n'a' x 'g'",
                 TOKENS({TOK_STRING, "x'1f'"}, {TOK_STRING, "b'01'"}, {TOK_STRING, "n'a'"},
                        {TOK_NAME, "x"}, {TOK_STRING, "'g'"}));
    check_tokens("_utf8'a' 'a''b' 'a\\'b'",
                 TOKENS({TOK_NAME, "_utf8"}, {TOK_STRING, "'a'"}, {TOK_STRING, "'a''b'"},
                        {TOK_STRING, "'a\\'b'"}));
    check_tokens("@a @`b c` @'d' @@x.y @@`z`",
                 TOKENS({TOK_USER_VARIABLE, "@a"}, {TOK_USER_VARIABLE, "@`b c`"},
                        {TOK_USER_VARIABLE, "@'d'"}, {TOK_SYSTEM_VARIABLE, "@@x.y"},
                        {TOK_SYSTEM_VARIABLE, "@@`z`"}));
    check_tokens("a:=? <=> ,;",
                 TOKENS({TOK_NAME, "a"}, {TOK_ASSIGN, ":="}, {TOK_PARAM, "?"}, {TOK_OPERATOR, "<"},
                        {TOK_OPERATOR, "="}, {TOK_OPERATOR, ">"}, {TOK_COMMA, ","},
                        {TOK_SEMICOLON, ";"}));
    check_tokens("a--b -- c\nd", TOKENS({TOK_NAME, "a"}, {TOK_OPERATOR, "-"}, {TOK_OPERATOR, "-"},
                                        {TOK_NAME, "b"}, {TOK_NAME, "d"}));
    check_tokens(
        "a*/b", TOKENS({TOK_NAME, "a"}, {TOK_OPERATOR, "*"}, {TOK_OPERATOR, "/"}, {TOK_NAME, "b"}));
    check_tokens("/*!50701 a*/b*/", TOKENS({TOK_NAME, "a"}, {TOK_NAME, "b"}, {TOK_OPERATOR, "*"},
                                           {TOK_OPERATOR, "/"}));
    check_tokens("sel\xc3\xa9"
                 "ct \xc3\xa9",
                 TOKENS({TOK_NAME, "sel\xc3\xa9"
                                   "ct"},
                        {TOK_NAME, "\xc3\xa9"}));
    check_tokens("t. select", TOKENS({TOK_NAME, "t"}, {TOK_DOT, "."}, {W_SELECT, "select"}));
    check_tokens("t .select", TOKENS({TOK_NAME, "t"}, {TOK_DOT_NAME, ".select"}));
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
