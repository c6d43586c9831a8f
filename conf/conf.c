#include "conf/conf.h"

#include "conf/check.h"
#include "conf/read.h"

#include <stdlib.h>

static struct conf *build(struct conf_doc *d, const char *name, struct err *e)
{
    struct conf *c = calloc(1, sizeof *c);

    if (!c) {
        (void)err_set(e, ERR_IO, "%s: out of memory", name);
        conf_doc_free(d);
        return NULL;
    }
    ref_init(&c->ref);
    c->doc = d;
    c->file = conf_doc_printf(d, "%s", name);
    if (conf_read(d, c, e) && conf_check(c, e))
        return c;
    conf_unref(c);
    return NULL;
}

struct conf *conf_load(const char *path, struct err *e)
{
    struct conf_doc *d = conf_doc_load(path, e);

    return d ? build(d, path, e) : NULL;
}

struct conf *conf_parse(const char *name, const void *data, size_t n, struct err *e)
{
    struct conf_doc *d = conf_doc_parse(name, data, n, e);

    return d ? build(d, name, e) : NULL;
}

struct conf *conf_ref(struct conf *c)
{
    ref_get(&c->ref);
    return c;
}

void conf_unref(struct conf *c)
{
    if (!c || !ref_put(&c->ref))
        return;
    conf_doc_free(c->doc);
    free(c);
}

const char *conf_consistency_name(enum conf_consistency c)
{
    static const char *const names[] = {"session", "eventual", "primary", "global"};

    return names[c];
}
