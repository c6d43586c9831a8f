#include "mirror/mapping/number.h"

#include <stdbool.h>
#include <string.h>

static bool is_negative(struct span s)
{
    return s.n > 0 && s.p[0] == '-';
}

/* Behind the sign and leading zeros. */
static struct span digits(struct span s)
{
    while (s.n > 0 && (s.p[0] == '-' || s.p[0] == '0')) {
        s.p++;
        s.n--;
    }
    return s;
}

struct span number_plain(struct span s)
{
    while (s.n > 1 && s.p[0] == '0') {
        s.p++;
        s.n--;
    }
    return s;
}

/* The longer text is the larger number. */
int number_compare(struct span a, struct span b)
{
    bool negative = is_negative(a);
    struct span x = digits(a);
    struct span y = digits(b);
    int order;

    if (negative != is_negative(b))
        return negative ? -1 : 1;
    order = x.n != y.n ? (x.n < y.n ? -1 : 1) : x.n ? memcmp(x.p, y.p, x.n) : 0;
    return negative ? -order : order;
}

int number_compare_keys(const struct span *a, const struct span *b, int n)
{
    int order = 0;

    for (int i = 0; order == 0 && i < n; i++)
        order = number_compare(a[i], b[i]);
    return order;
}
