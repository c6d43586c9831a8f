/* Nanoseconds to classify a statement: the best of several rounds for each of some statements,
 * alone (all branches foreseen) and in turns (as real traffic is); as one that is met for the first
 * time, and by its template, with other values each time. */
#include "base/clock.h"
#include "sql/verdicts.h"

#include <stdio.h>

/* Rounds are short, so that the best one is not disturbed by other programs. */
enum { ROUNDS = 400, TIMES = 1000, VARIANTS = 32, TEXT_MAX = 512 };

/* A '#' is a number. */
static const char *const texts[] = {
    "SELECT 1",
    "SELECT c FROM sbtest1 WHERE id=#",
    "SELECT o.id, o.datePlaced, c.firstName FROM Orders o JOIN Customer c ON c.id = o.customer_id "
    "WHERE o.id = #",
    "SELECT o.id AS OrderID, o.datePlaced, o.dateShipped, SUM(ol.quantity*p.currentPrice) AS "
    "OrderTotal FROM `Order` o JOIN Orderline ol ON o.id=ol.order_id JOIN Product p ON "
    "ol.product_id=p.id GROUP BY o.id",
    "SELECT CONCAT(c.firstName,' ',c.lastName), COUNT(*), MAX(o.datePlaced) FROM Customer c LEFT "
    "JOIN "
    "`Order` o ON o.customer_id=c.id WHERE c.zip IN ('7#','7#') GROUP BY c.id",
    "INSERT INTO Orderline (order_id, product_id, quantity) VALUES (#,#,3),(#,#,1),(#,#,2)",
    "UPDATE Product SET availableQuantity = availableQuantity - 1 WHERE id = # AND "
    "availableQuantity >= 1",
    "SET autocommit=0",
    "COMMIT",
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static char variants[TEXTS][VARIANTS][TEXT_MAX];
static struct verdicts known;
static unsigned reads; /* so that nothing is left out */

static unsigned any_number(void)
{
    static unsigned seed = 1;

    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % 100000;
}

static void make_variant(const char *text, char *out)
{
    for (; *text; text++) {
        if (*text == '#')
            out += snprintf(out, 8, "%u", any_number());
        else
            *out++ = *text;
    }
    *out = 0;
}

static void first_time(const char *text)
{
    struct sql_class c;

    sql_classify(span_of(text), (struct sql_mode){.utf8 = true}, false, &c);
    reads += sql_is_read(&c);
}

static void by_template(const char *text)
{
    struct sql_class c;

    (void)verdicts_classify(&known, span_of(text), (struct sql_mode){.utf8 = true}, NULL, &c);
    reads += sql_is_read(&c);
}

static double round_of(void (*classify)(const char *), size_t from_text, size_t count)
{
    uint64_t from = clock_mono_ns();

    for (unsigned i = 0; i < TIMES; i++)
        classify(variants[from_text + i * 2654435761u % count][i % VARIANTS]);
    return (double)(clock_mono_ns() - from) / TIMES;
}

static double best_of(void (*classify)(const char *), size_t from_text, size_t count)
{
    double best = 0;

    for (int r = 0; r < ROUNDS; r++) {
        double t = round_of(classify, from_text, count);

        best = r == 0 || t < best ? t : best;
    }
    return best;
}

int main(void)
{
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t v = 0; v < VARIANTS; v++)
            make_variant(texts[i], variants[i][v]);
    printf("first time  by template\n");
    for (size_t i = 0; i < TEXTS; i++)
        printf("%7.1f ns %10.1f ns %4zu bytes  %.60s\n", best_of(first_time, i, 1),
               best_of(by_template, i, 1), strlen(variants[i][0]), texts[i]);
    printf("%7.1f ns %10.1f ns in turns (%u reads)\n", best_of(first_time, 0, TEXTS),
           best_of(by_template, 0, TEXTS), reads);
    return 0;
}
