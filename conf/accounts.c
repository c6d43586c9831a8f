#include "conf/accounts.h"

#include "conf/file.h"

#include <stdlib.h>
#include <string.h>

static int by_user(const void *a, const void *b)
{
    const struct conf_account *x = a;
    const struct conf_account *y = b;

    return strcmp(x->user, y->user);
}

static bool take(struct conf *c, const struct conf_node *n, struct err *e)
{
    struct conf_account *a = &c->accounts[c->account_count];
    const char *password;

    if (!conf_node_text(n, &password, e))
        return false;
    if (!*password)
        return conf_node_err(n, e, "is empty; leave out users without a password");
    a->user = conf_doc_printf(c->doc, "%s", n->key);
    a->password = conf_doc_printf(c->doc, "%s", password);
    c->account_count++;
    return true;
}

static bool take_all(struct conf *c, const struct conf_node *root, struct err *e)
{
    if (root->kind != CONF_MAP)
        return conf_node_err(root, e, "must be a map: lines of the form \"user: 'password'\"");
    c->accounts = conf_doc_alloc(c->doc, (root->count + 1) * sizeof *c->accounts);
    for (const struct conf_node *n = conf_node_first(root); n; n = conf_node_next(n))
        if (!take(c, n, e))
            return false;
    qsort(c->accounts, c->account_count, sizeof *c->accounts, by_user);
    return true;
}

bool conf_accounts_read(struct conf *c, const char *path, struct err *e)
{
    struct buf text = buf_with_max(CONF_FILE_MAX);
    struct conf_doc *d = NULL;
    bool ok = conf_file_read(path, true, &text, e);

    if (ok)
        d = conf_doc_parse(path, text.data, text.len, e);
    ok = d && take_all(c, conf_doc_root(d), e);
    conf_doc_free(d);
    if (text.data)
        explicit_bzero(text.data, text.len);
    buf_free(&text);
    return ok;
}

struct span conf_account_password(const struct conf *c, struct span user)
{
    size_t low = 0;
    size_t high = c->account_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct conf_account *a = &c->accounts[mid];
        size_t n = strlen(a->user);
        int order = user.n ? memcmp(user.p, a->user, user.n < n ? user.n : n) : 0;

        if (order == 0)
            order = (user.n > n) - (user.n < n);
        if (order == 0)
            return span_of(a->password);
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return (struct span){NULL, 0};
}
