/* The schema as Markdown. */
#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/value.h"

#include <string.h>

static const char head[] =
    "# Configuration: every key\n"
    "\n"
    "<!-- Generated from conf/schema.c; a test compares. -->\n"
    "\n"
    "One YAML file. `tillway check --config FILE` says whether it is right, and otherwise the\n"
    "line, the key and what to do. Commented examples: `conf/*.example.yaml`.\n"
    "\n"
    "Durations are a number and `us`, `ms`, `s`, `m` or `h`; sizes are bytes, or a number and "
    "`KiB` (`k`), `MiB` (`M`) or\n"
    "`GiB` (`G`); yes or no is `true` or `false`. Unknown keys are refused. Anchors, aliases and "
    "tags are not supported.\n";

static const char *type_name(enum schema_type t)
{
    static const char *const names[] = {
        [SCHEMA_MAP] = "section",     [SCHEMA_LIST] = "list",
        [SCHEMA_TEXT] = "text",       [SCHEMA_NAME] = "name",
        [SCHEMA_ADDRESS] = "address", [SCHEMA_LISTEN] = "address",
        [SCHEMA_PATH] = "path",       [SCHEMA_FILE] = "file",
        [SCHEMA_NUMBER] = "number",   [SCHEMA_DURATION] = "duration",
        [SCHEMA_SIZE] = "size",       [SCHEMA_BOOL] = "true or false",
        [SCHEMA_CHOICE] = "one of",   [SCHEMA_TREE] = "list",
        [SCHEMA_NETWORKS] = "list",   [SCHEMA_TEXTS] = "text, or a list",
    };

    return names[t];
}

static void print_default(FILE *out, const struct schema_row *row)
{
    if (!row->fallback)
        (void)fputs("**required**", out);
    else if (row->fallback[0] == 0)
        (void)fputs("–", out);
    else
        (void)fprintf(out, "`%s`", row->fallback);
}

static void print_range(FILE *out, const struct schema_row *row)
{
    void (*print)(uint64_t, char *, size_t) =
        row->type == SCHEMA_DURATION ? conf_value_print_duration : conf_value_print_size;
    char low[32];
    char high[32];

    if (row->type == SCHEMA_NUMBER) {
        (void)fprintf(out, "%llu to %llu", (unsigned long long)row->min,
                      (unsigned long long)row->max);
    } else if (row->type == SCHEMA_DURATION || row->type == SCHEMA_SIZE) {
        print(row->min, low, sizeof low);
        print(row->max, high, sizeof high);
        (void)fprintf(out, "%s to %s", low, high);
    }
    for (const char *const *w = row->words; w && *w; w++)
        (void)fprintf(out, "%s`%s`", w == row->words ? "" : ", ", *w);
}

static bool has_keys(const struct schema_row *row)
{
    return row->type == SCHEMA_MAP || row->type == SCHEMA_LIST;
}

static void print_rows(FILE *out, const char *parent)
{
    (void)fputs("\n| key | type | default | range | |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < conf_schema_count; i++) {
        const struct schema_row *row = &conf_schema[i];
        const char *key = conf_schema_child(parent, row->path);

        if (!key || has_keys(row))
            continue;
        (void)fprintf(out, "| `%s` | %s | ", key, type_name(row->type));
        print_default(out, row);
        (void)fputs(" | ", out);
        print_range(out, row);
        (void)fprintf(out, " | %s |\n", row->help);
    }
}

static void print_section(FILE *out, const struct schema_row *row)
{
    char inside[64];

    (void)snprintf(inside, sizeof inside, "%s%s", row->path, row->type == SCHEMA_LIST ? "[]" : "");
    (void)fprintf(out, "\n## %s\n\n%s%s", row->path, row->type == SCHEMA_LIST ? "A list. " : "",
                  row->help);
    if (row->type == SCHEMA_LIST)
        (void)fprintf(out, " At most %llu.", (unsigned long long)row->max);
    (void)fputs("\n", out);
    print_rows(out, inside);
}

void conf_print_reference(FILE *out)
{
    (void)fputs(head, out);
    (void)fputs("\n## At the top\n", out);
    print_rows(out, "");
    for (size_t i = 0; i < conf_schema_count; i++)
        if (has_keys(&conf_schema[i]))
            print_section(out, &conf_schema[i]);
}
