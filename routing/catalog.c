#include "routing/catalog.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* The order of accounts is the server's own (get_magic_sort in its sql_acl.cc, 10.5 and later): a
 * pattern that matches fewer host names comes first. What counts of a pattern: N its plain
 * characters, M its '_', K its '%', P the plain characters before the first wildcard. */
enum { HOST_MAX = 255, WILDS_MAX = 31 };

struct shape {
    uint64_t plain;
    uint64_t ones;
    uint64_t manys;
    uint64_t prefix;
};

/* An empty host pattern means any host. */
static const char *host_pattern(const char *host)
{
    return *host ? host : "%";
}

static struct shape shape_of(const char *p)
{
    struct shape s = {0};

    for (; *p; p++) {
        if (*p == '%' || *p == '_') {
            if (!s.ones && !s.manys) {
                s.prefix = s.plain;
            }
            if (*p == '_') {
                s.ones++;
                continue;
            }
            s.manys++;
            while (p[1] == '%') {
                p++;
            }
            continue;
        }
        if (*p == '\\' && p[1]) {
            p++;
        }
        s.plain++;
    }
    return s;
}

static uint64_t at_most(uint64_t v, uint64_t max)
{
    return v < max ? v : max;
}

/* Less is more specific. */
static uint64_t breadth(const char *host)
{
    struct shape s = shape_of(host_pattern(host));
    uint64_t ones = at_most(s.ones, WILDS_MAX);
    uint64_t manys = at_most(s.manys, WILDS_MAX);
    uint64_t used = at_most(s.plain + ones, HOST_MAX);
    uint64_t open = manys ? HOST_MAX - used : 0;
    const uint64_t base = HOST_MAX + 1;
    const uint64_t wilds = WILDS_MAX + 1;

    if (open > ones) {
        return (((open * 2 + 1) * base + manys) * wilds + ones) * base + s.prefix;
    }
    return ((ones * 2 * base + open) * wilds + manys) * base + s.prefix;
}

static int account_order(const void *a, const void *b)
{
    const struct account *x = a;
    const struct account *y = b;
    uint64_t bx = breadth(x->host);
    uint64_t by = breadth(y->host);
    int anonymous;
    int host;

    if (bx != by) {
        return bx < by ? -1 : 1;
    }
    anonymous = !*x->user - !*y->user;
    if (anonymous) {
        return anonymous;
    }
    host = strcmp(host_pattern(y->host), host_pattern(x->host));
    return host ? host : strcmp(x->user, y->user);
}

static int variable_order(const void *a, const void *b)
{
    const struct variable *x = a;
    const struct variable *y = b;

    return strcasecmp(x->name, y->name);
}

static int collation_order(const void *a, const void *b)
{
    const struct collation *x = a;
    const struct collation *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static void sort(void *at, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 1) {
        qsort(at, count, size, order);
    }
}

void catalog_seal(struct catalog *c)
{
    sort(c->accounts, c->account_count, sizeof(*c->accounts), account_order);
    sort(c->variables, c->variable_count, sizeof(*c->variables), variable_order);
    sort(c->collations, c->collation_count, sizeof(*c->collations), collation_order);
    ref_init(&c->ref);
}

void catalog_ref(struct catalog *c)
{
    ref_get(&c->ref);
}

static void free_all(struct catalog *c)
{
    for (size_t i = 0; i < c->account_count; i++) {
        account_clear(&c->accounts[i]);
    }
    for (size_t i = 0; i < c->variable_count; i++) {
        free(c->variables[i].name);
    }
    for (size_t i = 0; i < c->collation_count; i++) {
        free(c->collations[i].name);
        free(c->collations[i].charset);
    }
    objects_unref(c->objects);
    free(c->accounts);
    free(c->variables);
    free(c->collations);
    free(c->version);
    free(c->processlist);
    free(c);
}

void catalog_unref(struct catalog *c)
{
    if (c && ref_put(&c->ref)) {
        free_all(c);
    }
}

/* Four decimal numbers with dots; returns what follows them, or NULL. */
static const char *parse_ipv4(const char *p, uint32_t *out)
{
    uint32_t ip = 0;

    for (int part = 0; part < 4; part++) {
        unsigned v = 0;
        int digits = 0;

        if (part > 0 && *p++ != '.') {
            return NULL;
        }
        for (; *p >= '0' && *p <= '9' && digits < 4; p++, digits++) {
            v = v * 10 + (unsigned)(*p - '0');
        }
        if (digits == 0 || v > 255) {
            return NULL;
        }
        ip = ip << 8 | v;
    }
    *out = ip;
    return p;
}

static bool parse_whole_ipv4(const char *text, uint32_t *out)
{
    const char *rest = parse_ipv4(text, out);

    return rest && !*rest;
}

static bool parse_mask(const char *host, uint32_t *net, uint32_t *mask)
{
    const char *rest = parse_ipv4(host, net);

    return rest && *rest == '/' && parse_whole_ipv4(rest + 1, mask) && *mask != 0;
}

static bool same_char(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* '%' any characters, '_' one, a backslash makes the next one plain. The last '%' met is the only
 * place to come back to: what an earlier one could take, the later one can take as well. */
static bool wild_match(const char *text, const char *pattern)
{
    const char *retry_pattern = NULL;
    const char *retry_text = NULL;

    while (*text) {
        bool plain = *pattern == '\\' && pattern[1];
        char want = pattern[plain ? 1 : 0];

        if (!plain && want == '%') {
            retry_pattern = ++pattern;
            retry_text = text;
        } else if (want && ((!plain && want == '_') || same_char(want, *text))) {
            pattern += plain ? 2 : 1;
            text++;
        } else if (retry_pattern) {
            pattern = retry_pattern;
            text = ++retry_text;
        } else {
            return false;
        }
    }
    while (*pattern == '%') {
        pattern++;
    }
    return !*pattern;
}

struct client {
    const char *name; /* host name where it is known, or NULL */
    const char *ip;   /* NULL on a unix socket */
};

static struct client client_of(const char *address)
{
    static const char mapped[] = "::ffff:";
    const size_t n = sizeof(mapped) - 1;
    uint32_t ip;

    if (strcmp(address, "localhost") == 0) {
        return (struct client){address, NULL};
    }
    if (strncasecmp(address, mapped, n) == 0 && parse_whole_ipv4(address + n, &ip)) {
        address += n;
    }
    if (strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0) {
        return (struct client){"localhost", address};
    }
    return (struct client){NULL, address};
}

static bool host_matches(const char *host, const struct client *who)
{
    const char *pattern = host_pattern(host);
    uint32_t net;
    uint32_t mask;
    uint32_t ip;

    if (who->ip && parse_mask(pattern, &net, &mask) && parse_whole_ipv4(who->ip, &ip)) {
        return (ip & mask) == net;
    }
    return (who->name && wild_match(who->name, pattern)) ||
           (who->ip && wild_match(who->ip, pattern));
}

const struct account *catalog_account(const struct catalog *c, struct span user,
                                      const char *address)
{
    struct client who = client_of(address);

    for (size_t i = 0; i < c->account_count; i++) {
        const struct account *a = &c->accounts[i];

        if (a->is_role || (*a->user && !span_eq(user, a->user))) {
            continue;
        }
        if (host_matches(a->host, &who)) {
            return a;
        }
    }
    return NULL;
}

const struct account *catalog_decoy(const struct catalog *c, struct span user)
{
    uint64_t hash = XXH3_64bits(user.p, user.n);

    for (size_t i = 0; i < c->account_count; i++) {
        const struct account *a = &c->accounts[(hash + i) % c->account_count];

        if (!a->is_role) {
            return a;
        }
    }
    return NULL;
}

static int name_order(struct span name, const char *other)
{
    size_t n = strlen(other);
    size_t common = name.n < n ? name.n : n;
    int order = common ? strncasecmp((const char *)name.p, other, common) : 0;

    return order ? order : (name.n > n) - (name.n < n);
}

const struct variable *catalog_variable(const struct catalog *c, struct span name)
{
    size_t low = 0;
    size_t high = c->variable_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = name_order(name, c->variables[mid].name);

        if (order == 0) {
            return &c->variables[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

const struct collation *catalog_collation(const struct catalog *c, uint16_t id)
{
    struct collation key = {.id = id};

    if (!c->collation_count) {
        return NULL;
    }
    return bsearch(&key, c->collations, c->collation_count, sizeof(key), collation_order);
}
