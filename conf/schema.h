/* The one table of the configuration's keys: it drives reading, hints and the reference page. */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "conf/conf.h"

enum schema_type {
    SCHEMA_MAP,      /* a section; its keys follow */
    SCHEMA_LIST,     /* a list of sections; its keys follow, under "name[]" */
    SCHEMA_TEXT,     /* const char *; min..max bytes */
    SCHEMA_NAME,     /* const char * of letters, digits, "_-." */
    SCHEMA_ADDRESS,  /* struct conf_address of a server */
    SCHEMA_LISTEN,   /* struct conf_address that can be listened on */
    SCHEMA_PATH,     /* const char *, absolute */
    SCHEMA_FILE,     /* const char *, absolute or beside the configuration */
    SCHEMA_NUMBER,   /* uint32_t */
    SCHEMA_DURATION, /* uint64_t, nanoseconds */
    SCHEMA_SIZE,     /* uint64_t, bytes */
    SCHEMA_BOOL,     /* bool */
    SCHEMA_CHOICE,   /* an enum: the index in `words` */
    SCHEMA_NETWORKS, /* struct conf_networks: a list of texts */
    SCHEMA_TEXTS,    /* struct conf_texts: a text or a list of them; min..max bytes each */
    SCHEMA_TREE,     /* const struct conf_node *, a list that somebody else interprets */
};

struct schema_row {
    const char *path; /* "servers[].address" */
    enum schema_type type;
    /* Offset of the value: in struct conf, or in the element under a list. SCHEMA_MAP: of the bool
     * that says the section stands, or SCHEMA_ALWAYS where its defaults hold without it. */
    size_t at;
    const char *fallback; /* the default as written; NULL: the key must stand */
    uint64_t min, max;    /* in the value's unit; texts: bytes; lists: elements */
    const char *const *words;
    const char *help; /* one sentence or more, Markdown */
};

#define SCHEMA_ALWAYS ((size_t)-1)

extern const struct schema_row conf_schema[];
extern const size_t conf_schema_count;

/* Whether `path` is directly inside `parent` ("" is the root): its last part, else NULL. */
const char *conf_schema_child(const char *parent, const char *path);
/* NULL-terminated names of the keys directly inside `parent`, into `out` of SCHEMA_KEYS_MAX. */
enum { SCHEMA_KEYS_MAX = 32 };
void conf_schema_keys(const char *parent, const char *out[SCHEMA_KEYS_MAX]);
/* The path of the one section that has this key, or NULL where none or several do. */
const char *conf_schema_section_of(const char *key);

#endif
