/* Runs the monitor and prints what it publishes, a line of JSON each:
 *
 *     monitor_tool CONFIG
 *
 * {"topology": epoch, "primary": name or null, "servers": {name: {…}}} and {"catalog": …}. Reads
 * commands: "refresh", "suspect NAME", "account USER ADDRESS" (answered by a line); ends with its
 * input. */
#include "base/clock.h"
#include "monitor/monitor.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_mutex_t lock; /* over output and catalog */
    struct catalog *catalog;
    uint64_t epoch;
    uint64_t left;
} tool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put_text(const char *text)
{
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
            (void)printf("\\u%04x", (unsigned char)*text);
        else
            (void)putchar(*text);
    }
    (void)putchar('"');
}

static void put_server(const struct server_view *s)
{
    char position[GTID_SET_TEXT_MAX];

    gtid_set_format(&s->position, position, sizeof position);
    put_text(s->name);
    (void)printf(
        ": {\"role\": \"%s\", \"health\": \"%s\", \"position\": \"%s\", \"lag_ms\": %lld, "
        "\"server_id\": %" PRIu32 ", \"age_ms\": %.3f, \"since_ns\": %" PRIu64 ", \"why\": ",
        server_role_name(s->role), server_health_name(s->health), position,
        s->lag_ms == UINT64_MAX ? -1LL : (long long)s->lag_ms, s->server_id,
        s->sampled_ns ? (double)(clock_mono_ns() - s->sampled_ns) / 1e6 : -1.0, s->since_ns);
    put_text(s->why);
    (void)putchar('}');
}

static void on_topology(void *ctx, struct topology *t)
{
    (void)ctx;
    (void)pthread_mutex_lock(&tool.lock);
    (void)printf("{\"topology\": %" PRIu64 ", \"at_ns\": %" PRIu64
                 ", \"ordered\": %s, \"primary\": ",
                 t->epoch, clock_mono_ns(), t->epoch >= tool.epoch ? "true" : "false");
    tool.epoch = t->epoch;
    tool.left = t->left;
    if (t->primary >= 0)
        put_text(t->servers[t->primary].name);
    else
        (void)fputs("null", stdout);
    (void)fputs(", \"servers\": {", stdout);
    for (int i = 0; i < t->count; i++) {
        (void)fputs(i ? ", " : "", stdout);
        put_server(&t->servers[i]);
    }
    (void)puts("}}");
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&tool.lock);
    topology_unref(t);
}

static uint64_t on_left(void *ctx)
{
    uint64_t left;

    (void)ctx;
    (void)pthread_mutex_lock(&tool.lock);
    left = tool.left;
    (void)pthread_mutex_unlock(&tool.lock);
    return left;
}

static void on_catalog(void *ctx, struct catalog *c, uint64_t answers)
{
    (void)ctx;
    (void)answers;
    (void)pthread_mutex_lock(&tool.lock);
    (void)printf("{\"catalog\": \"%016" PRIx64
                 "\", \"version\": \"%s\", \"default_collation\": %u, "
                 "\"accounts\": %zu, \"variables\": %zu, \"collations\": %zu}\n",
                 c->fingerprint, c->version, c->default_collation, c->account_count,
                 c->variable_count, c->collation_count);
    (void)fflush(stdout);
    catalog_unref(tool.catalog);
    tool.catalog = c;
    (void)pthread_mutex_unlock(&tool.lock);
}

static void print_account(const struct account *a)
{
    (void)printf("{\"account\": \"%s\", \"host\": \"%s\", \"ways\": \"", a->user, a->host);
    for (size_t i = 0; i < a->way_count; i++)
        (void)printf("%s%s%s", i ? " " : "", a->ways[i].plugin, a->ways[i].empty ? "(empty)" : "");
    (void)printf("\", \"locked\": %d, \"limited\": %d, \"tls\": %d, \"require\": \"%s %s %s\", "
                 "\"access\": %" PRIu64 ", \"hash\": \"%02X%02X\"}\n",
                 a->locked, a->limited, (int)a->tls, a->tls_cipher, a->tls_issuer, a->tls_subject,
                 a->access, a->ways[0].stage2[0], a->ways[0].stage2[1]);
}

static void answer_account(char *words)
{
    char *address = strchr(words, ' ');
    const struct account *a;

    if (!address)
        return;
    *address++ = 0;
    (void)pthread_mutex_lock(&tool.lock);
    a = tool.catalog ? catalog_account(tool.catalog, span_of(words), address) : NULL;
    if (a)
        print_account(a);
    else
        (void)puts("{\"account\": null}");
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&tool.lock);
}

static void answer_lookup(const char *name)
{
    const struct variable *v;

    (void)pthread_mutex_lock(&tool.lock);
    v = tool.catalog ? catalog_variable(tool.catalog, span_of(name)) : NULL;
    (void)printf("{\"variable\": \"%s\"}\n", !v                           ? "none"
                                             : v->type == VARIABLE_NUMBER ? "number"
                                                                          : "text");
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&tool.lock);
}

static void suspect(struct monitor *m, const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (strcmp(c->servers[i].name, name) == 0)
            monitor_suspect(m, (int)i, SUSPECT_LOST);
}

static void serve(struct monitor *m, const struct conf *c)
{
    char line[256];

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "refresh") == 0)
            (void)monitor_refresh_accounts(m);
        else if (strncmp(line, "suspect ", 8) == 0)
            suspect(m, c, line + 8);
        else if (strncmp(line, "account ", 8) == 0)
            answer_account(line + 8);
        else if (strncmp(line, "variable ", 9) == 0)
            answer_lookup(line + 9);
    }
}

int main(int argc, char **argv)
{
    const struct monitor_sink sink = {NULL, on_topology, on_catalog, NULL, on_left};
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = argc == 2 ? conf_load(argv[1], &e) : NULL;
    struct monitor *m = NULL;

    if (c && log_setup(c->log_level, c->log_format, c->log_file, &e))
        m = monitor_start(c, &sink, 1, 0, &e);
    if (!m) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    serve(m, c);
    (void)monitor_stop(m, true);
    catalog_unref(tool.catalog);
    conf_unref(c);
    return 0;
}
