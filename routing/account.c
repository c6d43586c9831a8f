#include "routing/account.h"

#include <stdlib.h>
#include <strings.h>

static enum way_kind kind_of(const char *plugin)
{
    static const struct {
        const char *plugin;
        enum way_kind kind;
    } kinds[] = {
        {AUTH_NATIVE, WAY_NATIVE},           {"ed25519", WAY_ED25519},
        {"caching_sha2_password", WAY_SHA2}, {"unix_socket", WAY_SOCKET},
        {"auth_socket", WAY_SOCKET},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcasecmp(plugin, kinds[i].plugin) == 0)
            return kinds[i].kind;
    return WAY_OTHER;
}

static bool set_way(struct account_way *w, const char *plugin, const char *text)
{
    memset(w, 0, sizeof *w);
    plugin = *plugin ? plugin : AUTH_NATIVE;
    w->kind = kind_of(plugin);
    w->plugin = strdup(plugin);
    w->text = strdup(text);
    w->empty = w->kind == WAY_NATIVE && !*text;
    if (w->kind == WAY_NATIVE && !auth_parse_stage2(span_of(text), w->stage2))
        memset(w->stage2, 0, sizeof w->stage2);
    if (w->kind == WAY_ED25519 && !auth_ed25519_parse(span_of(text), w->key))
        memset(w->key, 0, sizeof w->key);
    return w->plugin && w->text;
}

bool account_add_way(struct account *a, const char *plugin, const char *text)
{
    struct account_way *ways = realloc(a->ways, (a->way_count + 1) * sizeof *ways);

    if (!ways)
        return false;
    a->ways = ways;
    return set_way(&ways[a->way_count++], plugin, text);
}

void account_clear(struct account *a)
{
    for (size_t i = 0; i < a->way_count; i++) {
        free(a->ways[i].plugin);
        free(a->ways[i].text);
    }
    free(a->ways);
    free(a->user);
    free(a->host);
    free(a->tls_cipher);
    free(a->tls_issuer);
    free(a->tls_subject);
}
