#include "proxy/identity.h"

#include <stdio.h>
#include <stdlib.h>

struct identity *identity_new(struct span user, const uint8_t *stage1, uint64_t client_caps)
{
    struct identity *i = calloc(1, sizeof *i + user.n);

    if (!i)
        return NULL;
    i->refs = 1;
    i->caps = client_caps & CAPS_SEMANTIC;
    i->has_password = stage1 != NULL;
    if (stage1)
        memcpy(i->stage1, stage1, AUTH_HASH);
    i->user_len = (uint32_t)user.n;
    if (user.n)
        memcpy(i->user, user.p, user.n);
    return i;
}

void identity_set_address(struct identity *i, const char *address)
{
    (void)snprintf(i->address, sizeof i->address, "%s", address);
}

struct identity *identity_ref(struct identity *i)
{
    i->refs++;
    return i;
}

void identity_unref(struct identity *i)
{
    if (i && --i->refs == 0)
        free(i);
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
    return a->caps == b->caps && a->has_password == b->has_password && a->user_len == b->user_len &&
           strcmp(a->address, b->address) == 0 && memcmp(a->user, b->user, a->user_len) == 0 &&
           memcmp(a->stage1, b->stage1, AUTH_HASH) == 0;
}
