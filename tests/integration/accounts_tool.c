/* Which account a client is: lines "account USER HOST" fill the catalogue, lines "who USER ADDRESS"
 * ask it (fields between tabs). Prints USER@HOST or "none" for each question. */
#include "routing/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACCOUNTS_MAX = 10000 };

static struct catalog *catalog;
static bool sealed;

static void add(const char *user, const char *host)
{
    struct account *a = &catalog->accounts[catalog->account_count++];

    if (catalog->account_count > ACCOUNTS_MAX)
        exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
    a->user = strdup(user);
    a->host = strdup(host);
}

static void who(const char *user, const char *address)
{
    const struct account *a;

    if (!sealed)
        catalog_seal(catalog);
    sealed = true;
    a = catalog_account(catalog, span_of(user), address);
    if (a)
        printf("%s@%s\n", a->user, a->host);
    else
        printf("none\n");
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    catalog = calloc(1, sizeof(*catalog));
    if (!catalog)
        return 2;
    catalog->accounts = calloc(ACCOUNTS_MAX, sizeof(*catalog->accounts));
    if (!catalog->accounts)
        return 2;
    while ((n = getline(&line, &room, stdin)) > 0) {
        char *rest = line;
        const char *verb;
        const char *user;
        const char *host;

        line[n - (line[n - 1] == '\n')] = 0;
        verb = strsep(&rest, "\t");
        user = strsep(&rest, "\t");
        host = rest;
        if (!user || !host)
            return 2;
        if (strcmp(verb, "account") == 0)
            add(user, host);
        else
            who(user, host);
    }
    free(line);
    catalog_unref(catalog);
    return 0;
}
