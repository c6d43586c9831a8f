/* The configuration's part about the mirror. */
#ifndef CONF_MIRROR_H
#define CONF_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

struct conf_node;

struct conf_mirror_source {
    int server;           /* index in servers[], or -1: the mirror chooses, replicas first */
    const char *user;     /* the monitor's where the file has none */
    const char *password; /* goes with `user` */
    const char *password_file;
    uint32_t server_id;
    const char *server_name; /* "" where none is named */
};

struct conf_mirror {
    bool present;
    const char *uri; /* already read from uri_file */
    const char *uri_file;
    const char *database;
    const char *state_collection;
    struct conf_mirror_source source;
    uint32_t batch_changes;             /* row changes that are applied at once, at most */
    uint32_t readers;                   /* connections that read what is large */
    uint32_t writers;                   /* threads that send large batches to MongoDB */
    bool atomic;                        /* a batch and its checkpoint are one transaction */
    bool validate;                      /* collections get JSON schemas of what they hold */
    uint64_t page_cache;                /* bytes, of all aggregates with pages together */
    uint64_t batch_delay_ns;            /* how long a batch that is not full waits for more */
    const struct conf_node *aggregates; /* a list; the mirror's mapping reads it */
};

#endif
