#include "conf/hint.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time: the Damerau distance without repeated edits. */
unsigned conf_hint_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1] = {{0}};
    size_t n = strlen(a);
    size_t m = strlen(b);
    unsigned swapped;

    if (n >= WORD_MAX || m >= WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *second = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped)
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

/* A third of the word may be wrong, and never all of it. */
static unsigned allowed(const char *word)
{
    size_t n = strlen(word);

    return n <= 2 ? 1 : (unsigned)(n / 3) + (n < 6);
}

const char *conf_hint_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned best_distance = allowed(word) + 1;

    for (; *words; words++) {
        unsigned d = conf_hint_distance(word, *words);

        if (d < best_distance && d < strlen(*words)) {
            best = *words;
            best_distance = d;
        }
    }
    return best;
}
