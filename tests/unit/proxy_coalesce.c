#include "proxy/coalesce.h"

#include "tests/unit/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const uint64_t second_ns = 1000000000;

static FILE *stat;

/* As the kernel would say it: how long the thread waited for a core so far. */
static void waited(uint64_t ns)
{
    rewind(stat);
    assert_true(fprintf(stat, "123456789 %" PRIu64 " 77\n", ns) > 0);
    assert_int_equal(fflush(stat), 0);
}

static int begin(void **state)
{
    (void)state;
    stat = tmpfile();
    return stat ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return fclose(stat);
}

static void cores_are_contended_where_a_thread_waits_for_one(void **state)
{
    struct coalesce c = {.stat = fileno(stat)};

    (void)state;
    waited(7 * second_ns);
    coalesce_look(&c, second_ns);
    assert_false(c.contended); /* before the first look nothing is known */
    waited(7 * second_ns + 240000000);
    coalesce_look(&c, 2 * second_ns);
    assert_false(c.contended);
    waited(7 * second_ns + 500000000);
    coalesce_look(&c, 3 * second_ns);
    assert_true(c.contended);
    coalesce_look(&c, 4 * second_ns);
    assert_false(c.contended);
}

static void a_kernel_that_does_not_tell_is_never_contended(void **state)
{
    struct coalesce c = {.stat = -1};

    (void)state;
    coalesce_look(&c, second_ns);
    coalesce_look(&c, 2 * second_ns);
    assert_false(c.contended);
    c.stat = fileno(stat); /* empty */
    coalesce_look(&c, 3 * second_ns);
    assert_false(c.contended);
}

static void the_kernel_tells_it_for_this_thread(void **state)
{
    struct coalesce c;

    (void)state;
    coalesce_open(&c);
    coalesce_look(&c, second_ns);
    if (c.stat >= 0) /* a kernel may be built without */
        assert_int_equal(c.looked_ns, second_ns);
    coalesce_close(&c);
    assert_int_equal(c.stat, -1);
}

static void only_behind_a_turn_that_found_little_of_much(void **state)
{
    (void)state;
    assert_true(coalesce_is_due(8, 0));
    assert_true(coalesce_is_due(60, 7));
    assert_false(coalesce_is_due(60, 8));
    assert_false(coalesce_is_due(7, 0));
    assert_false(coalesce_is_due(0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cores_are_contended_where_a_thread_waits_for_one, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_kernel_that_does_not_tell_is_never_contended, begin, end),
        cmocka_unit_test(the_kernel_tells_it_for_this_thread),
        cmocka_unit_test(only_behind_a_turn_that_found_little_of_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
