#include "proxy/identity.h"

#include <stdio.h>
#include <stdlib.h>

static void keep_secret(struct identity *i, const struct secret *secret)
{
    uint8_t *to = i->bytes + i->user_len + i->attributes.n;

    i->secret = *secret;
    if (secret->kind != SECRET_PASSWORD)
        return;
    memcpy(to, secret->password.p, secret->password.n);
    i->secret.password.p = to;
    auth_stage1(i->secret.password, i->secret.stage1);
}

struct identity *identity_new(struct span user, struct span attributes, const struct secret *secret,
                              uint64_t client_caps)
{
    size_t password = secret->kind == SECRET_PASSWORD ? secret->password.n : 0;
    struct identity *i = calloc(1, sizeof *i + user.n + attributes.n + password);

    if (!i)
        return NULL;
    i->refs = 1;
    i->caps = client_caps & CAPS_SEMANTIC;
    i->user_len = (uint32_t)user.n;
    if (user.n)
        memcpy(i->bytes, user.p, user.n);
    i->attributes = (struct span){i->bytes + user.n, attributes.n};
    if (attributes.n)
        memcpy(i->bytes + user.n, attributes.p, attributes.n);
    keep_secret(i, secret);
    return i;
}

struct identity *identity_renew(const struct identity *old, const struct identity *proven)
{
    struct identity *i =
        identity_new(identity_user(old), old->attributes, &proven->secret, old->caps);

    if (!i)
        return NULL;
    identity_set_address(i, old->address);
    i->limited = old->limited;
    i->by_attributes = old->by_attributes;
    i->proven_ns = proven->proven_ns;
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
    if (!i || --i->refs > 0)
        return;
    if (i->secret.kind == SECRET_PASSWORD)
        explicit_bzero(i->bytes + i->user_len + i->attributes.n, i->secret.password.n);
    explicit_bzero(i->secret.stage1, AUTH_HASH);
    free(i);
}

static bool same_attributes(const struct identity *a, const struct identity *b)
{
    if (!a->by_attributes && !b->by_attributes)
        return true;
    return span_same(a->attributes, b->attributes);
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
    bool open = a->secret.kind == SECRET_NONE;

    return a->caps == b->caps && open == (b->secret.kind == SECRET_NONE) &&
           a->user_len == b->user_len && strcmp(a->address, b->address) == 0 &&
           memcmp(a->bytes, b->bytes, a->user_len) == 0 && same_attributes(a, b) &&
           (open || memcmp(a->secret.stage1, b->secret.stage1, AUTH_HASH) == 0);
}
