/* Nanoseconds to classify a statement: the best of several rounds for each of some statements,
 * alone (all branches foreseen) and in turns (as real traffic is). */
#include "sql/classify.h"
#include "base/clock.h"

#include <stdio.h>

/* Rounds are short, so that the best one is not disturbed by other programs. */
enum { ROUNDS = 400, TIMES = 1000 };

static const char *const texts[] = {
    "SELECT 1",
    "SELECT c FROM sbtest1 WHERE id=50432",
    "SELECT o.id, o.datePlaced, c.firstName FROM Orders o JOIN Customer c ON c.id = o.customer_id "
    "WHERE o.id = 12345",
    "SELECT o.id AS OrderID, o.datePlaced, o.dateShipped, SUM(ol.quantity*p.currentPrice) AS "
    "OrderTotal FROM `Order` o JOIN Orderline ol ON o.id=ol.order_id JOIN Product p ON "
    "ol.product_id=p.id GROUP BY o.id",
    "SELECT CONCAT(c.firstName,' ',c.lastName), COUNT(*), MAX(o.datePlaced) FROM Customer c LEFT "
    "JOIN "
    "`Order` o ON o.customer_id=c.id WHERE c.zip IN ('77001','77002') GROUP BY c.id",
    "INSERT INTO Orderline (order_id, product_id, quantity) VALUES (1,2,3),(1,3,1),(1,4,2)",
    "UPDATE Product SET availableQuantity = availableQuantity - 1 WHERE id = 42 AND "
    "availableQuantity >= 1",
    "SET autocommit=0",
    "COMMIT",
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static unsigned reads; /* so that nothing is left out */

static void classify(const char *text)
{
    struct sql_class c;

    sql_classify(span_of(text), (struct sql_mode){.utf8 = true}, false, &c);
    reads += sql_is_read(&c);
}

static double alone(const char *text)
{
    uint64_t from = clock_mono_ns();

    for (int i = 0; i < TIMES; i++)
        classify(text);
    return (double)(clock_mono_ns() - from) / TIMES;
}

static double in_turns(void)
{
    uint64_t from = clock_mono_ns();

    for (int i = 0; i < TIMES; i++)
        classify(texts[(unsigned)i * 2654435761u % TEXTS]);
    return (double)(clock_mono_ns() - from) / TIMES;
}

int main(void)
{
    double best = 0;

    for (size_t i = 0; i < TEXTS; i++) {
        for (int r = 0; r < ROUNDS; r++) {
            double t = alone(texts[i]);

            best = r == 0 || t < best ? t : best;
        }
        printf("%6.1f ns %4zu bytes  %.60s\n", best, strlen(texts[i]), texts[i]);
    }
    for (int r = 0; r < ROUNDS; r++) {
        double t = in_turns();

        best = r == 0 || t < best ? t : best;
    }
    printf("%6.1f ns in turns (%u reads)\n", best, reads);
    return 0;
}
