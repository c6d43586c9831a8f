#include "sql/tables.h"

#include "tests/unit/check.h"

#include <stdio.h>

static const struct {
    const char *text;
    const char *tables; /* each with a blank behind it */
} cases[] = {
    {"select * from t", "t "},
    {"select 1", ""},
    {"select a, b from t, s.u as x, `v` w where a in (c, d)", "t s.u v "},
    {"select * from t join u on t.a = u.a left join (v, w) using (a), x order by a, b",
     "t u v w x "},
    {"select * from (select * from t where a = 1) d, u", "t u "},
    {"select * from t where exists (select 1 from u) and trim(' ' from a) = b", "t u "},
    {"select extract(year from a), substring(b from 2) from t group by c, d", "t "},
    {"select straight_join a from t straight_join u", "t u "},
    {"with c as (select * from t) select * from c", "t c "},
    {"(select * from t) union (select * from u) limit 1, 2", "t u "},
    {"insert into t (a, b) values (1, 2), (3, 4)", "t "},
    {"insert ignore s . t select * from u on duplicate key update a = b", "s.t u "},
    {"replace t set a = 1, b = 2", "t "},
    {"update t, u set t.a = u.a, t.b = 1 where t.c in (select d from v)", "t u v "},
    {"update low_priority t set a = 1", "t "},
    {"select * from t for update", "t "},
    {"delete from t where a = 1", "t "},
    {"delete t from t join u", "t u "},
    {"delete from t using t, u where 1", "t t u "},
    {"load data infile 'x' into table t (a, b)", "t "},
    {"select a into @v from t", "t "},
    {"select * into outfile 'x' from t", "t "},
    {"truncate t", "t "},
    {"truncate table s.t", "s.t "},
    {"drop table if exists a, b", "a b "},
    {"create or replace table t (a int, b int references u (a))", "t u "},
    {"create table t like u", "t "},
    {"create index i on t (a, b)", "t "},
    {"alter table t add a int", "t "},
    {"rename table a to b", "a b "},
    {"lock tables a read, b as c write", "a b "},
    {"desc t", "t "},
    {"explain select * from t", "t "},
    {"grant select on s.t to u", "s.t "},
    {"table t", "t "},
    {"select 1; select * from t;", "t "},
    {"select * from `a``b`.`c`", "a``b.c "},
    {"select * from share", "share "},
    {"select * from t where a = (((", "t "},
    {"select * from", ""},
    {"select * from t.", "t "},
};

static bool note(void *ctx, struct span schema, struct span name)
{
    char *out = ctx;
    size_t n = strlen(out);

    (void)snprintf(out + n, 256 - n, "%.*s%s%.*s ", (int)schema.n,
                   schema.n ? (const char *)schema.p : "", schema.p ? "." : "", (int)name.n,
                   (const char *)name.p);
    return false;
}

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[256] = "";

        assert_false(
            sql_names_table(span_of(cases[i].text), (struct sql_mode){.utf8 = true}, note, out));
        if (strcmp(out, cases[i].tables) != 0)
            print_error("%s\n", cases[i].text);
        assert_string_equal(out, cases[i].tables);
    }
}

static bool is_u(void *ctx, struct span schema, struct span name)
{
    (void)ctx;
    return !schema.p && span_eq(name, "u");
}

static void stops_at_yes(void **state)
{
    (void)state;
    assert_true(sql_names_table(span_of("select * from t, u"), (struct sql_mode){0}, is_u, NULL));
    assert_false(sql_names_table(span_of("select * from s.u"), (struct sql_mode){0}, is_u, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case), cmocka_unit_test(stops_at_yes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
