#include "mirror/mapping/foreign_key.h"

#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char create[] =
    "CREATE TABLE `C` (\n"
    "  `id` int(11) NOT NULL COMMENT '  CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `b` (`c`)',\n"
    "  PRIMARY KEY (`id`),\n"
    "  CONSTRAINT `one` FOREIGN KEY (`x`, `y z`) REFERENCES `other`.`P` (`u`, `v`) ON DELETE "
    "CASCADE"
    " ON UPDATE SET NULL,\n"
    "  CONSTRAINT `two` CHECK (`id` > 0),\n"
    "  CONSTRAINT `three` FOREIGN KEY (`x`) REFERENCES `Q` (`q`),\n"
    "  CONSTRAINT `four` FOREIGN KEY (`x`) REFERENCES `Q` (`q`) ON DELETE NO ACTION ON UPDATE"
    " CASCADE\n"
    ") ENGINE=InnoDB";

static void test_keys(void **state)
{
    struct span text = span_of(create);
    struct foreign_key f;
    size_t at = 0;

    (void)state;
    assert_true(foreign_key_next(text, &at, &f));
    assert_true(span_eq(f.database, "other") && span_eq(f.table, "P"));
    assert_int_equal(f.n, 2);
    assert_true(span_eq(f.columns[1], "y z") && span_eq(f.referenced[1], "v"));
    assert_int_equal(f.on_delete, FOREIGN_KEY_CASCADE);
    assert_int_equal(f.on_update, FOREIGN_KEY_SET_NULL);
    assert_true(foreign_key_next(text, &at, &f));
    assert_true(f.database.n == 0 && span_eq(f.table, "Q"));
    assert_int_equal(f.on_delete, FOREIGN_KEY_REFUSED);
    assert_int_equal(f.on_update, FOREIGN_KEY_REFUSED);
    assert_true(foreign_key_next(text, &at, &f));
    assert_int_equal(f.on_delete, FOREIGN_KEY_REFUSED);
    assert_int_equal(f.on_update, FOREIGN_KEY_CASCADE);
    assert_false(foreign_key_next(text, &at, &f));
}

/* Cut anywhere, nothing is read beyond the end. */
static void test_cuts(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof create; n++) {
        char *copy = malloc(n ? n : 1);
        struct foreign_key f;
        size_t at = 0;
        int found = 0;

        assert_non_null(copy);
        memcpy(copy, create, n);
        while (foreign_key_next((struct span){(const uint8_t *)copy, n}, &at, &f))
            found++;
        assert_true(found <= 3);
        free(copy);
    }
}

static void test_many_columns(void **state)
{
    char text[512] = "  CONSTRAINT `k` FOREIGN KEY (";
    struct foreign_key f;
    size_t at = 0;

    (void)state;
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 9; i++)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s`c%d`",
                           i ? ", " : "", i);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s",
                       side ? ") ON DELETE CASCADE" : ") REFERENCES `P` (");
    }
    assert_true(foreign_key_next(span_of(text), &at, &f));
    assert_true(f.too_many);
    assert_int_equal(f.n, FOREIGN_KEY_COLUMNS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_many_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
